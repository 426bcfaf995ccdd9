"""Static files: addressed by what is in them, so that browsers keep them for ever, and sent compressed."""

import gzip
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from gateway.core.packing import takes_gzip

_PREFIX = "/static/"
_FOR_EVER = "max-age=31536000, public, immutable"
_COMPRESSIBLE = re.compile(r"text/|application/(javascript|json|xml)|image/svg")
_LEAST_BYTES = 500


class AddressedByContent(StaticFilesStorage):
    """Adds the hash of the file to its address: another content is another address."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        digest = "" if settings.DEBUG else content_hash(name or "")
        return f"{address}?v={digest}" if digest else address


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves them from where the packages have them; nothing is collected beforehand."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        name = request.path_info.removeprefix(_PREFIX)
        response: HttpResponseBase = _compressed(static_file, request, name) or WhiteNoiseMiddleware.serve(
            static_file, request
        )
        if _COMPRESSIBLE.match(response.get("Content-Type", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
        if request.GET.get("v") == content_hash(name) and response.status_code < 400:
            response["Cache-Control"] = _FOR_EVER
        return response


def _compressed(static_file: Any, request: HttpRequest, name: str) -> HttpResponse | None:
    """None where it is not asked for, or the answer is not the whole file, or not worth it."""
    takes_it = takes_gzip(request.headers.get("accept-encoding", ""))
    if request.method != "GET" or not takes_it or "range" in request.headers:
        return None
    # As for HEAD: the file itself is not opened.
    plain = static_file.get_response("HEAD", request.META)
    headers = dict(plain.headers)
    is_worth_it = int(headers.get("Content-Length", 0)) >= _LEAST_BYTES
    if plain.status != 200 or not is_worth_it or not _COMPRESSIBLE.match(headers.get("Content-Type", "")):
        return None
    body = _compress(name)
    length = {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
    return HttpResponse(body, headers=headers | length)


@cache
def content_hash(name: str) -> str:
    """Empty where there is no such file."""
    data = _read(name)
    return "" if data is None else sha256(data).hexdigest()[:16]


@cache
def _compress(name: str) -> bytes:
    return gzip.compress(_read(name) or b"", mtime=0)


def _read(name: str) -> bytes | None:
    path = finders.find(name) if name else None
    return Path(path).read_bytes() if path and Path(path).is_file() else None

"""Static files: addressed by what is in them, so that browsers keep them for ever, and sent compressed.

So are the modules that a script of ours imports: what is sent of it names them by their hashes, too.
"""

import gzip
import posixpath
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
_OURS = "gateway/"
_IMPORTED = re.compile(rb'(\b(?:from|import)\s+")(\./[\w./-]+\.js)(")')


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
        response: HttpResponseBase = (
            _compressed(static_file, request, name)
            or _importing(static_file, request, name)
            or WhiteNoiseMiddleware.serve(static_file, request)
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


def _importing(static_file: Any, request: HttpRequest, name: str) -> HttpResponse | None:
    """What is sent of a script is not the file where it imports others; None of all else."""
    if not imports_of(name) or request.method not in {"GET", "HEAD"}:
        return None
    plain = static_file.get_response("HEAD", request.META)
    if plain.status not in {200, 206}:
        return None
    body = _read(name) or b""
    headers = {each: value for each, value in plain.headers if each.lower() != "content-range"}
    sent = b"" if request.method == "HEAD" else body
    return HttpResponse(sent, headers=headers | {"Content-Length": str(len(body))})


@cache
def imports_of(name: str) -> tuple[str, ...]:
    """The names of the modules of ours that a script imports itself."""
    data = _of_file(name) if name.startswith(_OURS) and name.endswith(".js") else None
    return tuple(_beside(name, each[2]) for each in _IMPORTED.finditer(data or b""))


@cache
def content_hash(name: str) -> str:
    """Empty where there is no such file."""
    data = _read(name)
    return "" if data is None else sha256(data).hexdigest()[:16]


@cache
def _compress(name: str) -> bytes:
    return gzip.compress(_read(name) or b"", mtime=0)


def _read(name: str) -> bytes | None:
    """As it is sent."""
    data = _of_file(name)
    if data is None or settings.DEBUG or not imports_of(name):
        return data

    def address(found: re.Match[bytes]) -> bytes:
        digest = content_hash(_beside(name, found[2])).encode()
        return found[1] + found[2] + (b"?v=" + digest if digest else b"") + found[3]

    return _IMPORTED.sub(address, data)


def _beside(name: str, relative: bytes) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), relative.decode()))


def _of_file(name: str) -> bytes | None:
    path = finders.find(name) if name else None
    return Path(path).read_bytes() if path and Path(path).is_file() else None

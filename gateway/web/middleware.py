"""What every answer of Django says to browsers: where content may come from, and when to try again."""

import re
from datetime import MAXYEAR, MINYEAR
from http import HTTPStatus

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.gzip import GZipMiddleware
from django.urls import Resolver404, resolve
from django.utils.http import escape_leading_slashes

from gateway.core.admin_base import theme_style_source
from gateway.core.middleware import Middleware
from gateway.core.packing import takes_gzip
from gateway.web.views import bad_request

_gzip = GZipMiddleware(lambda _request: HttpResponse())
_WAIT = "asked_to_wait_s"
_HEALTH = frozenset({"/healthz", "/readyz"})
_LONGEST_VALUE = 1_000
_NAME_SHOWN = 100
_NUMBER = re.compile(r"[+-]?\d+")
_FOUND_LATE = (IncorrectLookupParameters, OverflowError, DataError)
_HEADER = "Content-Security-Policy"
_COMMON = "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
STRICT = f"default-src 'self'; img-src 'self' data:; {_COMMON}"
# The theme evaluates expressions in attributes, as Alpine does, which is what `unsafe-eval` is. It runs no inline code.
ADMIN = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' {colours}; "
    f"img-src 'self' data: blob:; font-src 'self' data:; {_COMMON}"
)


class ContentSecurityPolicy(Middleware):
    """Name this host as the only source of content, and run nothing that stands in a page."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_admin = request.path_info.startswith("/admin/")
        policy = ADMIN.format(colours=theme_style_source()) if is_admin else STRICT
        response.headers.setdefault(_HEADER, policy)
        return response


class CompressedPages(Middleware):
    """A list of fifty models in the admin is 400 KB of markup, and 20 compressed; a page of requests 100, and 6.

    What is secret in a page either differs each time, as the token against forged requests does, or is shown once; and
    Django pads what it compresses. So lengths tell nobody what stands beside a text of their own.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page or request.path_info.startswith("/admin/"):
            return _gzip.process_response(request, response)
        return response


class UnwantedPacking(Middleware):
    """Django packs wherever it reads `gzip`, which `gzip;q=0` says too."""

    def before(self, request: HttpRequest) -> None:
        said = request.META.get("HTTP_ACCEPT_ENCODING", "")
        if said and not takes_gzip(said):
            request.META["HTTP_ACCEPT_ENCODING"] = "identity"


class OtherSlash(Middleware):
    """Leads from a page's address with a slash too many or too few at its end to the page.

    Programs, which are answered in JSON, should see what they have wrong.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != HTTPStatus.NOT_FOUND or request.method not in {"GET", "HEAD"}:
            return response
        path, script = request.path_info, request.path.removesuffix(request.path_info)
        other = _other_slash(path)
        if other is None or response.get("Content-Type", "").startswith("application/json"):
            return response
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(
            f"{script}{escape_leading_slashes(other)}{query and f'?{query}'}"
        )


def _other_slash(path: str) -> str | None:
    """Never leads back: a slash is added only where the address without it is no page's at all."""
    if path.endswith("/"):
        shorter = path.rstrip("/")
        return shorter if _is_page(shorter) else None
    return f"{path}/" if not _is_page(path) and _is_page(f"{path}/") else None


def _is_page(path: str) -> bool:
    """Whether a page has that address. What the admin has for all other addresses has no name."""
    try:
        return bool(resolve(path).url_name)
    except Resolver404:
        return False


class UsableValues(Middleware):
    """Refuses with 400 what no database takes, wherever it stands in an address; views need not think of it.

    The API's own addresses are judged by its views, which know what each part may be.
    """

    def before(self, request: HttpRequest) -> None:
        """Raises BadRequest."""
        if request.path_info.startswith("/v1/"):
            return
        if "\x00" in request.path_info:
            raise BadRequest("The address holds a NUL.")
        for name, values in request.GET.lists():
            if "\x00" in name or any("\x00" in value for value in values):
                raise BadRequest(f"'{name[:_NAME_SHOWN]}' holds a NUL.")
            if len(name) > _LONGEST_VALUE or any(len(value) > _LONGEST_VALUE for value in values):
                raise BadRequest(f"'{name[:_NAME_SHOWN]}' is longer than {_LONGEST_VALUE} characters.")
            if _is_of_years(name) and not all(map(_holds_years, values)):
                raise BadRequest(f"'{name[:_NAME_SHOWN]}' has to be a year from {MINYEAR} to {MAXYEAR}.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What only the admin's filters or the database find: numbers beyond its own, words where numbers stand."""
        if request.method not in {"GET", "HEAD"} or not isinstance(error, _FOUND_LATE):
            return None
        return bad_request(request, BadRequest("The address holds a value that cannot be looked for."))


def _is_of_years(name: str) -> bool:
    """Django's lookups by year look no further than this before they make dates of it."""
    return not {"year", "iso_year"}.isdisjoint(name.split("__"))


def _holds_years(value: str) -> bool:
    return all(MINYEAR <= int(number) <= MAXYEAR for number in _NUMBER.findall(value))


class AskedToWait(Middleware):
    """Answers 429 for a page whose form asked its sender to wait: forms themselves have no say in that."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if wait_s := getattr(request, _WAIT, 0):
            response.status_code = 429
            response.headers["Retry-After"] = str(wait_s)
        return response


def ask_to_wait(request: HttpRequest, wait_s: int) -> None:
    setattr(request, _WAIT, wait_s)


class Common(CommonMiddleware):
    """Django's, which refuses names of hosts that it does not know: but machines ask for our health by address."""

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:  # type: ignore[override]
        return None if request.path_info in _HEALTH else super().process_request(request)

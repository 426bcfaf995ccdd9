"""Health, readiness, the API document's pages, and what is answered where nothing else answers."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache, lru_cache, wraps
from typing import Any

from django import db
from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect, JsonResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.views import View, defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from gateway.core import sql
from gateway.core.envelopes import WRITERS, form_at
from gateway.core.links import base_url_of
from gateway.openapi.reference import read_groups
from gateway.plane import runtime
from gateway.plane.runtime import RuntimeStatus
from gateway.proxy.admission.admit import LONGEST_SPOOL_LAG_S
from gateway.proxy.surfaces import surface_at

_HOST_SHOWN = 100
_ADDRESSES_KEPT = 4
_API = re.compile(r"/+v1(beta)?(/|$)")
_API_PART = re.compile(r"/v1(beta)?(?=/)")
_SLASHES = re.compile(r"/{2,}")
_DATABASE_AWAY_AFTER_S = 5.0
"""It is asked for the revision three times a second."""


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """For what browsers ask on their own, where no page names an icon."""
    return HttpResponseRedirect(static("gateway/logo.svg"))


@csrf_exempt
@require_safe
async def healthz(_request: HttpRequest) -> HttpResponse:
    """That the event loop turns; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
async def readyz(_request: HttpRequest) -> HttpResponse:
    """Whether calls should be sent to this process, and what is the matter. Asks nobody, and so answers at once."""
    http_status, body = readiness(runtime.status())
    return JsonResponse(body, status=http_status)


def readiness(status: RuntimeStatus | None) -> tuple[int, dict[str, Any]]:
    """HTTP status and body. 503 only for what makes calls fail here: the rest is told as `degraded`.

    Calls outlive the database and the store for a while, and a balancer that took every process out for a
    fault that they share would turn a survivable outage into a whole one.
    """
    reasons = _reasons(status)
    is_database_up = status is None or status.database_silence_s < _DATABASE_AWAY_AFTER_S
    degraded = [] if is_database_up else ["The database does not answer; what is in memory is used."]
    if status is not None and status.store == "down":
        degraded.append("The store does not answer; limits are counted by each process.")
    body: dict[str, Any] = {
        "status": "unready" if reasons else "degraded" if degraded else "ready",
        "reasons": reasons,
        "degraded": degraded,
        "database": "unknown" if status is None else "up" if is_database_up else "down",
    }
    return (503 if reasons else 200), body | (asdict(status) if status else {})


def _reasons(status: RuntimeStatus | None) -> list[str]:
    if status is None:
        return ["The data plane of this process has not started."]
    findings = {
        "The process is draining: it takes no new calls.": status.is_draining,
        "No catalogue has been loaded yet.": status.snapshot_revision < 0,
        "Every call is for a worker, and no worker's heartbeat is fresh.": (
            status.lane == "worker" and status.workers == 0
        ),
        f"Calls wait {status.spool_lag_s:.0f} s for the ledger; the limit is {LONGEST_SPOOL_LAG_S} s.": (
            status.spool_lag_s >= LONGEST_SPOOL_LAG_S
        ),
        f"Calls cannot be recorded on the spool's disk: {status.spool_trouble}.": bool(status.spool_trouble),
        "The catalogue and the keys in memory are too old to be relied on.": (
            status.snapshot_age_s >= settings.KEY_STALENESS_S
        ),
    }
    return [reason for reason, applies in findings.items() if applies]


@method_decorator(gzip_page, name="dispatch")
class Schema(View):
    """The API document: 300 KB, and 32 packed."""

    def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(_api_document_json(), content_type="application/json")


@cache
def _api_document_json() -> bytes:
    return json.dumps(api_document()).encode()


@cache
def api_document() -> dict[str, Any]:
    """Built once a process: it takes a tenth of a second, and anybody may ask for it."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return document


@require_safe
@gzip_page
def docs(request: HttpRequest) -> HttpResponse:
    """The API document to read, in our own frame; it needs no script."""
    return render(request, "docs/page.html", {"addresses": _addresses(base_url_of(request))})


@lru_cache(_ADDRESSES_KEPT)
def _addresses(base_url: str) -> str:
    """All that does not depend on who asks: it takes a fifth of a second."""
    document = api_document()
    context = {
        "base_url": base_url,
        "version": document["openapi"],
        "description": document["info"]["description"],
        "groups": read_groups(document, base_url),
    }
    return render_to_string("docs/addresses.html", context)


class UnknownRoute(APIView):
    """Answers every address under /v1/ that no other view has, in the API's own form."""

    authentication_classes = []
    permission_classes = []
    schema = None

    @property
    def error_shape(self) -> str:
        return form_at(self.request.path_info)

    def initial(self, request: Request, *_args: Any, **_kwargs: Any) -> None:
        raise NotFound(_unknown(request.method, request.path))


Handler = Callable[..., HttpResponse]


def giving_back(handler: Handler) -> Handler:
    """Django renders errors in a thread of its own, whose connection to SQL nobody else would close."""

    @wraps(handler)
    def handle(*arguments: Any, **named: Any) -> HttpResponse:
        try:
            return handler(*arguments, **named)
        finally:
            if not db.connection.in_atomic_block:
                db.connection.close()

    return handle


@giving_back
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    told = str(exception) if isinstance(exception, BadRequest) else ""
    if isinstance(exception, DisallowedHost):
        told = _tell_hosts(request)
    if not _wants_json(request):
        return HttpResponseBadRequest(render_to_string("400.html", {"told": told}))
    return _error(request, 400, told or "The request could not be read.", "invalid_request")


def _tell_hosts(request: HttpRequest) -> str:
    said = request.headers.get("host", "")
    host = split_domain_port(said)[0] or said
    return (
        f"This gateway does not answer to the name “{host[:_HOST_SHOWN]}”. Whoever runs it adds the name to "
        "GATEWAY_ALLOWED_HOSTS, or gives the address that people use as GATEWAY_PUBLIC_URL, and restarts it."
    )


permission_denied = giving_back(defaults.permission_denied)


@giving_back
def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _wants_json(request):
        return defaults.page_not_found(request, exception)
    return _error(request, 404, _unknown(request.method, request.path), "not_found")


@giving_back
def server_error(request: HttpRequest) -> HttpResponse:
    """Also where a view, a template or the session found the database away: that is 503, and no fault of ours."""
    error = sys.exception()
    if error is not None and sql.is_away(error):
        return _unavailable(request, error)
    if not _wants_json(request):
        return defaults.server_error(request)
    return _error(request, 500, "Something went wrong here; it has been recorded.", "internal_error")


def _unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    sql.refusals.note(error)
    if _wants_json(request):
        answer: HttpResponse = _error(request, 503, *sql.explain(error))
    else:
        page = render_to_string("503.html", {"busy": sql.BUSY if sql.is_busy(error) else ""})
        answer = HttpResponse(page, status=503)
    answer["Retry-After"] = str(sql.RETRY_AFTER_S)
    answer["Cache-Control"] = "no-store"
    return answer


def _wants_json(request: HttpRequest) -> bool:
    """Programs are known by the address, by the key that they show, or by what they send."""
    shows_key = any(name in request.headers for name in ("authorization", "x-api-key", "x-goog-api-key"))
    return bool(_API.match(request.path_info)) or shows_key or request.content_type == "application/json"


def _unknown(method: str | None, path: str) -> str:
    advice = next((f"Did you mean {near}?" for near in _near(path) if surface_at(near)), "")
    return f"Unknown address: {method} {path}. {advice or 'The document is at /openapi.json.'}"


def _near(path: str) -> Iterator[str]:
    """What a client with another base URL in mind may have meant."""
    plain = _SLASHES.sub("/", path)
    yield plain
    yield f"/v1{plain}"
    yield from (plain[found.start() :] for found in _API_PART.finditer(plain))


def _error(request: HttpRequest, status: int, message: str, code: str) -> JsonResponse:
    write = WRITERS[form_at(request.path_info)]
    return JsonResponse(write({"message": message, "code": code, "status": status}), status=status)

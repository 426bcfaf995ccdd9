"""What the control plane answers when a request cannot be served, rendered once, here.

ApiError has any status; `param` names the parameter, `extra` goes into the shape "gateway". What the REST framework,
Django, SQL and InvalidField raise is translated into one.

Views say `error_shape = "gateway"` to answer as the published list of models does, or "anthropic", "google" or "scim";
others use OpenAI's shape.
"""

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from gateway.core import sql
from gateway.core.envelopes import (
    anthropic_envelope,
    google_envelope,
    listed_envelope,
    openai_envelope,
    scim_envelope,
)
from gateway.core.refusals import InvalidField, Refused, whole_seconds

_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class ApiError(exceptions.APIException):
    """An answer that is not 2xx. The message is for people: it names the thing and the way out."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "invalid_request",
        param: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code)
        self.message = message
        self.status = self.status_code = status
        self.code = code
        self.param = param
        self.extra = dict(extra or {})

    def to_dict(self) -> dict[str, Any]:
        """For gateway.core.envelopes."""
        return {"status": self.status, "code": self.code, "message": self.message, "param": self.param}


def render_exception(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The REST framework's exception handler."""
    error = _translate(exc)
    if sql.is_away(exc):
        sql.refusals.note(exc)
    elif error.status >= 500 and error.status != HTTPStatus.NOT_IMPLEMENTED:
        _log.error("%s: %s", type(exc).__name__, error.message, exc_info=exc)
    named = request_id(context.get("request"))
    body, headers = _body(error, context.get("view"), named), _headers(exc, error)
    return Response(body, status=error.status, headers=headers | {"x-request-id": named})


def request_id(request: Request | None) -> str:
    """The id that the edge gave the request; a new one where there was no edge."""
    return given_request_id(request) or f"req_{uuid.uuid4().hex}"


def given_request_id(request: Request | HttpRequest | None) -> str:
    """The id that the edge gave the request; empty where there was no edge."""
    given = str(request.META.get("HTTP_X_REQUEST_ID", "")) if request is not None else ""
    return given if _REQUEST_ID.fullmatch(given) else ""


def _body(error: ApiError, view: object, request_id: str) -> dict[str, Any]:
    match getattr(view, "error_shape", "openai"):
        case "anthropic":
            return anthropic_envelope(error.to_dict(), request_id)
        case "google":
            return google_envelope(error.to_dict(), request_id)
        case "gateway":
            return listed_envelope(error.to_dict()) | error.extra
        case "scim":
            return scim_envelope(error.to_dict())
    return openai_envelope(error.to_dict())


def _headers(exc: Exception, error: ApiError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = getattr(exc, "auth_header", "Bearer")
    wait_s = getattr(exc, "wait", None) or (sql.RETRY_AFTER_S if error.status == 503 else None)
    if wait_s:
        headers["Retry-After"] = str(whole_seconds(wait_s))
    return headers


def _translate(exc: Exception) -> ApiError:
    match exc:
        case ApiError():
            return exc
        case InvalidField() | Refused():
            return _refused(exc)
        case exceptions.ValidationError():
            return _first_fault(exc)
        case exceptions.APIException():
            return _known(exc)
        case Http404():
            return ApiError("There is nothing at this address.", status=404, code="not_found")
        case PermissionDenied():
            return ApiError("You may not do this.", status=403, code="permission_denied")
        case RequestDataTooBig():
            return ApiError("The body is too large.", status=413, code="request_too_large")
        case RecursionError():
            return ApiError("The body is nested too deeply.", code="invalid_json")
        case _ if sql.is_away(exc):
            message, code = sql.explain(exc)
            return ApiError(message, status=503, code=code)
    return ApiError("Something went wrong on our side.", status=500, code="internal_error")


def _refused(exc: InvalidField | Refused) -> ApiError:
    if isinstance(exc, InvalidField):
        return ApiError(exc.message, code="invalid_value", param=exc.field)
    return ApiError(exc.message, status=exc.status, code=exc.code)


def _known(exc: exceptions.APIException) -> ApiError:
    codes: dict[type[exceptions.APIException], str] = {
        exceptions.NotAuthenticated: "invalid_api_key",
        exceptions.AuthenticationFailed: "invalid_api_key",
        exceptions.ParseError: "invalid_json",
        exceptions.Throttled: "rate_limit_exceeded",
        exceptions.NotFound: "not_found",
    }
    code = next((code for kind, code in codes.items() if isinstance(exc, kind)), None)
    message = str(exc.detail) if not isinstance(exc, exceptions.NotAuthenticated) else _no_key()
    status = 401 if code == "invalid_api_key" else exc.status_code
    return ApiError(message, status=status, code=code or str(exc.default_code))


def _no_key() -> str:
    return "No key was sent. Send one as 'Authorization: Bearer sk-gw-…' or 'x-api-key: sk-gw-…'."


def _first_fault(exc: exceptions.ValidationError) -> ApiError:
    """The first bad field; the message names it, as clients read the message before `param`."""
    field, detail = next(_faults(exc.detail), ("", exceptions.ErrorDetail("The request is not valid.")))
    code = "invalid_value" if detail.code not in {"unknown_parameter", "required"} else str(detail.code)
    if not field or str(detail).startswith(field):
        return ApiError(str(detail), code=code, param=field or None)
    return ApiError(f"{field}: {detail}", code=code, param=field)


def _faults(detail: Any, path: str = "") -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            is_whole = name == "non_field_errors"
            yield from _faults(inner, path if is_whole else f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list | tuple):
        for inner in detail:
            yield from _faults(inner, path)
    else:
        yield path, detail

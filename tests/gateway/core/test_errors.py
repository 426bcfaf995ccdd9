"""How the control plane renders what went wrong."""

import json
import logging
from typing import Any

import pytest
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from gateway.core.errors import ApiError, render_exception


class GatewayView:
    error_shape = "gateway"


def render(exc: Exception, view: object = None) -> Response:
    return render_exception(exc, {"view": view, "request": None})


@pytest.mark.parametrize(
    ("exc", "status", "kind", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "authentication_error", "invalid_api_key"),
        (exceptions.PermissionDenied(), 403, "permission_error", "permission_denied"),
        (Http404(), 404, "invalid_request_error", "not_found"),
        (exceptions.Throttled(wait=3), 429, "rate_limit_error", "rate_limit_exceeded"),
        (exceptions.ParseError(), 400, "invalid_request_error", "invalid_json"),
        (OperationalError("secret host"), 503, "server_error", "database_unavailable"),
        (ValueError("secret"), 500, "server_error", "internal_error"),
    ],
)
def test_error_is_rendered_by_its_status(exc: Exception, status: int, kind: str, code: str) -> None:
    answer = render(exc)
    error: Any = answer.data["error"] if answer.data else {}
    assert (answer.status_code, error["type"], error["code"]) == (status, kind, code)


def test_unexpected_error_tells_the_client_nothing_and_the_log_all(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = render(ValueError("secret detail"))
    assert "secret detail" not in json.dumps(answer.data)
    assert "secret detail" in caplog.text


def test_errors_that_heal_say_when_to_come_back() -> None:
    assert render(exceptions.Throttled(wait=3)).headers["Retry-After"] == "3"
    assert render(OperationalError()).headers["Retry-After"] == "5"


def test_catalogue_views_answer_in_the_published_lists_shape() -> None:
    error = ApiError("limit is 0; use 1 to 250.", param="limit", extra={"provided": "0", "max_limit": 250})
    assert render(error, GatewayView()).data == {
        "ok": False,
        "error": "invalid_request",
        "code": "invalid_request",
        "message": "limit is 0; use 1 to 250.",
        "param": "limit",
        "provided": "0",
        "max_limit": 250,
    }


def test_nested_fault_is_named_by_its_path() -> None:
    answer = render(exceptions.ValidationError({"a": [{}, {"b": ["Too long."]}]}))
    error: Any = answer.data["error"] if answer.data else {}
    assert (error["param"], error["message"]) == ("a.b", "a.b: Too long.")

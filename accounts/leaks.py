"""`POST /leaks`: whoever finds a key in public tells us, as secret scanners do, and it is revoked or told of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import guesses
from accounts.alerts.raising import raise_alert
from accounts.authentication import TooManyGuesses, find_shown
from accounts.key_news import about_key, people_of
from accounts.management_view import StrictJsonParser
from accounts.models import Key, Team
from accounts.services import revoke_key
from gateway.core.client_address import client_of_meta
from gateway.core.errors import ApiError
from gateway.core.lines import as_one_line

MOST = 100
"""Of one report."""
_PLACE_LENGTH = 300
_PLACES = ("url", "source")
_SAID_BY_SCANNERS = ("type", *_PLACES)
_REVOKED = "It is revoked: calls with it are refused. Make another one, and find out how it got there."
_KEPT = "It still works, as your team wants it: rotate or revoke it now, and find out how it got there."
_EXAMPLE = "sk-gw-0123456789ab-…"


@dataclass(frozen=True, slots=True)
class Report:
    """That a key was found; `place` says where, as the finder has it, or nothing."""

    key: str = field(repr=False)
    place: str = ""


class LeakSerializer(serializers.Serializer[Any]):
    """A key that somebody found."""

    key = serializers.CharField(help_text="All of its text.")
    url = serializers.CharField(required=False, allow_null=True, help_text="Where it was found.")
    source = serializers.CharField(  # type: ignore[assignment]  # its own name for a field
        required=False, allow_null=True, help_text="Where it was found, as text, where it has no address."
    )


class ScannedSecretSerializer(serializers.Serializer[Any]):
    """As secret scanners report it, in a list."""

    token = serializers.CharField()
    type = serializers.CharField(required=False, allow_null=True)
    url = serializers.CharField(required=False, allow_null=True)
    source = serializers.CharField(required=False, allow_null=True)  # type: ignore[assignment]  # its own name for a field


class LeaksAnswerSerializer(serializers.Serializer[Any]):
    """The same whether there are such keys or not."""

    object = serializers.CharField(default="leak_report")
    received = serializers.IntegerField(help_text="How many reports there were.")


class LeaksView(APIView):
    """Open to everybody: who has a key's text could call with it, and may end it all the more.

    Whether it is one of ours is not told, neither by the answer nor by who has to wait.
    """

    authentication_classes = []
    permission_classes = []
    parser_classes = [StrictJsonParser]

    @extend_schema(
        tags=["machines"],
        operation_id="leak_report",
        summary="Report keys that were found in public",
        auth=[],
        request=PolymorphicProxySerializer(
            component_name="LeakReport",
            serializers=[LeakSerializer, ScannedSecretSerializer(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses=LeaksAnswerSerializer,
        examples=[
            OpenApiExample("One key", value={"key": _EXAMPLE}, request_only=True),
            OpenApiExample("Answer", value={"object": "leak_report", "received": 1}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
        if wait_s := guesses.here.counter.take(guesses.leaks_from(address), guesses.WRONG_KEYS):
            raise TooManyGuesses(wait_s)
        reports = list(read_reports(request.data))
        for report in reports:
            take_report(report)
        return Response({"object": "leak_report", "received": len(reports)})


def read_reports(body: Any) -> Iterator[Report]:
    """Of either form. Raises ApiError."""
    if isinstance(body, dict):
        yield _read(body, "key", "")
    elif isinstance(body, list) and 0 < len(body) <= MOST:
        for place, entry in enumerate(body):
            yield _read(entry, "token", f"[{place}].")
    else:
        message = f"The body is {{'key': '{_EXAMPLE}'}}, or a list of 1 to {MOST} objects with a 'token'."
        raise ApiError(message, code="invalid_request")


def take_report(report: Report) -> None:
    """End or tell of the key, if it is one that works, or would again. Doing it again changes nothing."""
    key = find_shown(report.key.strip())
    if key is not None and key.state_at(timezone.now()) is Key.State.ACTIVE:
        _act_on(key, report.place)


@transaction.atomic
def _act_on(key: Key, place: str) -> None:
    revokes = (key.team.leaked_keys or settings.LEAKED_KEYS) == Team.LeakedKeys.REVOKE
    if revokes:
        revoke_key(key=key)
    data = about_key(key) | {
        "found_at": as_one_line(place)[:_PLACE_LENGTH] or "its finder does not say where",
        "revoked": revokes,
        "then": _REVOKED if revokes else _KEPT,
    }
    raise_alert("key.leaked", cause=f"key:{key.public_id}", team=key.team, people=people_of(key), data=data)


def _read(entry: Any, name: str, path: str) -> Report:
    text = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text:
        raise ApiError(
            f"{path}{name} is needed: all of the key's text.", code="required", param=f"{path}{name}"
        )
    for each in _PLACES if name == "key" else _SAID_BY_SCANNERS:
        if not isinstance(entry.get(each), str | None):
            raise ApiError(f"{path}{each} is a text.", code="invalid_value", param=f"{path}{each}")
    return Report(text, next((entry[each] for each in _PLACES if entry.get(each)), ""))

"""How usage is written: as JSON, with exact money as text and instants in UTC, and as lines of a sheet."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.measures import write_exactly
from accounts.money import usd_of
from accounts.usage.measures import COUNTS
from accounts.usage.names import name_groups
from accounts.usage.parameters import GROUPS
from accounts.usage.reader import Row

_MONEY = {"cost": "cost_usd", "charge": "charge_usd", "own_cost": "own_cost_usd", "loss": "loss_usd"}
COUNTED = ("calls", "attempts", *COUNTS, "estimated")
TOLD = (*COUNTED, *_MONEY.values(), "latency_ms", "first_token_ms")
"""What is told of each group, in the order of a sheet's columns."""
OF_OPERATOR = frozenset({"loss_usd"})
"""What teams are not told."""


def told_to(*, is_operator: bool) -> Sequence[str]:
    return [name for name in TOLD if is_operator or name not in OF_OPERATOR]


def write_sums(sums: Mapping[str, int], names: Iterable[str]) -> dict[str, Any]:
    written: dict[str, Any] = {name: sums[name] for name in COUNTED}
    written.update((told, write_exactly(usd_of(sums[name]))) for name, told in _MONEY.items())
    for name in ("latency", "first_token"):
        told = sums[f"{name}_told"]
        written[f"{name}_ms"] = round(sums[f"{name}_us"] / told / 1000, 3) if told else None
    return {name: written[name] for name in names}


def write_rows(
    rows: Sequence[Row], groups: Sequence[str], bounds: Sequence[int], names: Sequence[str]
) -> list[dict[str, Any]]:
    named = name_groups(groups, [row.key[1:] for row in rows])
    return [
        {
            "starts_at": write_instant(row.key[0]),
            "ends_at": write_instant(bounds[bisect_right(bounds, row.key[0])]),
            **group,
            **write_sums(row.sums, names),
        }
        for row, group in zip(rows, named, strict=True)
    ]


def write_instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _count(help_text: str = "") -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text)


def _usd(help_text: str) -> serializers.CharField:
    return serializers.CharField(help_text=help_text)


class UsageSumsSerializer(serializers.Serializer[Any]):
    """What was used together. Money in USD as text, exact."""

    calls = _count("Each once, however many providers were tried.")
    attempts = _count("At providers.")
    input_tokens = _count("With those of the cache.")
    output_tokens = _count("With reasoning.")
    cached_read_tokens = _count()
    cached_write_tokens = _count()
    cached_write_1h_tokens = _count("Of those: written for an hour.")
    reasoning_tokens = _count()
    input_audio_tokens = _count()
    output_audio_tokens = _count()
    input_image_tokens = _count()
    output_image_tokens = _count()
    web_searches = _count()
    estimated = _count("Attempts whose usage the provider did not tell.")
    cost_usd = _usd("By the price list, with what corrects it.")
    charge_usd = _usd("What the team is charged: the cost times its factor.")
    own_cost_usd = _usd("What calls with the team's own credentials would have cost.")
    loss_usd = serializers.CharField(required=False, help_text="Borne by the operator; staff are told.")
    latency_ms = serializers.FloatField(allow_null=True, help_text="On average.")
    first_token_ms = serializers.FloatField(allow_null=True, help_text="On average, of streams.")


class UsageRowSerializer(UsageSumsSerializer):
    """What one group used in one bucket. Of the groups, those that were asked for; null: none."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Exclusive.")

    def get_fields(self) -> dict[str, Any]:
        groups = {
            name: serializers.CharField(required=False, allow_null=True, help_text=_SAID.get(name, ""))
            for name in GROUPS
        }
        return {**super().get_fields(), **groups}


_SAID = {
    "team": "Its slug; null: the operator itself.",
    "key": "The id of the first key of its lineage.",
    "member": "A user name.",
    "service_account": "Its slug.",
    "surface": "The format that the client spoke.",
    "kind": "attempt, or correction, reprice, refund: what puts attempts right counts with its money alone.",
}


@extend_schema_serializer(many=False)
class UsageListSerializer(serializers.Serializer[Any]):
    """One page of usage, and all of it together."""

    object = serializers.CharField(default="list")
    bucket = serializers.CharField()
    zone = serializers.CharField()
    totals = UsageSumsSerializer(help_text="Of all of the range.")
    data = UsageRowSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property
    has_more = serializers.BooleanField()
    next_cursor = serializers.CharField(allow_null=True, help_text="`cursor` of the next page.")

    def get_fields(self) -> dict[str, Any]:
        bounds = {
            "from": serializers.DateTimeField(help_text="The quarter of an hour in which the range begins."),
            "to": serializers.DateTimeField(help_text="Exclusive."),
        }
        return {**bounds, **super().get_fields()}

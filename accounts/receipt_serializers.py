"""How a receipt is written as JSON."""

from typing import Any

from rest_framework import serializers

from accounts.ledger_names import read_names
from accounts.measures import write_exactly
from accounts.models import Key, LedgerEntry, Team
from accounts.receipts import Attempt, Receipt
from gateway.core.choice_field import ChoiceField

_USD = "In USD, a plain decimal."


class CorrectionSerializer(serializers.Serializer[Any]):
    """What was put right about an attempt later."""

    id = serializers.CharField()
    kind = ChoiceField(["correction", "reprice", "refund"])
    booked_at = serializers.DateTimeField(allow_null=True)
    cost_usd = serializers.CharField(help_text="The difference.")
    charge_usd = serializers.CharField(help_text="The difference.")
    note = serializers.CharField()
    prices = serializers.ListField(
        child=serializers.DictField(), help_text="Those that it was priced anew by."
    )


class AttemptSerializer(serializers.Serializer[Any]):
    """One attempt at a provider, as it was booked; what was put right is in `corrections`."""

    id = serializers.CharField()
    number = serializers.IntegerField(help_text="1 for the first.")
    model = serializers.CharField()
    provider = serializers.CharField()
    upstream_name = serializers.CharField(help_text="What the provider calls the model.")
    lane = serializers.CharField()
    outcome = serializers.CharField()
    status = serializers.IntegerField(
        allow_null=True, help_text="The provider's HTTP status; null: none came."
    )
    error_code = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True)
    first_token_ms = serializers.FloatField(allow_null=True)
    usage = serializers.DictField(child=serializers.IntegerField(), help_text="Counts; empty: unknown.")
    usage_source = ChoiceField(
        ["provider", "estimated", "none"], help_text="Whose counts these are; estimated: ours."
    )
    prices = serializers.ListField(child=serializers.DictField(), help_text="The price rows that applied.")
    cost_usd = serializers.CharField(help_text=f"By the price list. {_USD}")
    charge_usd = serializers.CharField(help_text=f"What the team was charged. {_USD}")
    charge_factor = serializers.CharField(help_text="By which the cost was multiplied.")
    own_cost_usd = serializers.CharField(
        help_text="What a call on the team's own credential would have cost here."
    )
    is_on_own_credential = serializers.BooleanField()
    translated = serializers.ListField(
        child=serializers.CharField(),
        help_text="What of the request the provider was told in other words or not at all, where the client was told.",
    )
    corrections = CorrectionSerializer(many=True)


class PlaceSerializer(serializers.Serializer[Any]):
    """An offering that the call could have gone to."""

    model = serializers.CharField()
    provider = serializers.CharField()
    upstream_name = serializers.CharField()
    credential_id = serializers.IntegerField(
        help_text="The further credential by which it is reached; 0: its provider's main one."
    )
    why = serializers.CharField(help_text="Why not it, in words; empty of the first choice.")


class OrderedSerializer(PlaceSerializer):
    rank = serializers.IntegerField(help_text="Which of the names it stands for; 0 for the first.")
    success_rate = serializers.FloatField(allow_null=True, help_text="Lately, as routing knew it; 0 to 1.")
    latency_ms = serializers.FloatField(allow_null=True)
    held_cache = serializers.BooleanField(help_text="It was known to hold the prompt's beginning.")


class NamedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    means = serializers.CharField(help_text="The model; empty: any. Of a name passed over, why.")


class DroppedSerializer(PlaceSerializer):
    reason = serializers.CharField(help_text="The same as a word, such as breaker_open or lacks:tools.")


class RoutingSerializer(serializers.Serializer[Any]):
    """Why this offering and not others."""

    draw = serializers.FloatField(allow_null=True, help_text="By which near-equals were told apart; 0 to 1.")
    choices = NamedSerializer(many=True, help_text="What the request named, in its order.")
    passed_over = NamedSerializer(many=True, help_text="What of it could not be called.")
    order = OrderedSerializer(many=True, help_text="In which they were to be tried.")
    dropped = DroppedSerializer(many=True, help_text="Those that could not be.")
    more_in_order = serializers.IntegerField(help_text="How many more there were.")
    more_dropped = serializers.IntegerField()


class ReceiptSerializer(serializers.Serializer[Any]):
    """All that is known of one request."""

    object = serializers.CharField(default="receipt")
    request_id = serializers.CharField()
    call_id = serializers.CharField()
    team = serializers.CharField()
    key = serializers.CharField(help_text="The key's public id; empty where it is gone.")
    key_name = serializers.CharField()
    project = serializers.CharField()
    end_user = serializers.CharField(
        help_text="Hashed, as the provider was told it; empty: nobody was named."
    )
    surface = serializers.CharField(help_text="The format that the client spoke.")
    endpoint = serializers.CharField()
    requested_model = serializers.CharField()
    redirected_from = serializers.CharField(
        help_text="The retired model in whose place its successor answered."
    )
    is_streamed = serializers.BooleanField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    waited_ms = serializers.FloatField(
        help_text="Before its first attempt: for room, for what budgets held for other calls, or for another call "
        "that was finding out whether the provider is well. 0: it did not wait, or that is not kept any more."
    )
    outcome = serializers.CharField()
    cost_usd = serializers.CharField(help_text=f"Of all attempts, with what was put right. {_USD}")
    charge_usd = serializers.CharField(help_text=f"What the team is charged, with what was put right. {_USD}")
    attempts = AttemptSerializer(many=True)
    routing = RoutingSerializer(
        allow_null=True, help_text="null: there was no choice, or it is not kept any more."
    )


def write_receipt(receipt: Receipt) -> dict[str, Any]:
    """By ReceiptSerializer."""
    first = receipt.first
    names = read_names([(first.team_id, first.key_id)])
    team: Team | None = names.teams.get(first.team_id)
    key: Key | None = names.keys.get(first.key_id)
    return {
        "object": "receipt",
        "request_id": first.request_id,
        "call_id": first.call_id.hex,
        "team": team.slug if team else "",
        "key": key.public_id if key else "",
        "key_name": names.key(first.key_id),
        **{name: getattr(first, name) for name in ("project", "surface", "endpoint", "requested_model")},
        "end_user": first.end_user or "",
        "redirected_from": first.redirected_from,
        "is_streamed": first.is_streamed,
        "started_at": first.started_at,
        "ended_at": receipt.ended_at,
        "waited_ms": receipt.waited_ms,
        "outcome": receipt.last.outcome,
        "cost_usd": write_exactly(receipt.cost_usd),
        "charge_usd": write_exactly(receipt.charged_usd),
        "attempts": list(map(_attempt, receipt.attempts)),
        "routing": RoutingSerializer(receipt.routing).data if receipt.routing else None,
    }


_AS_IT_IS = (
    *("number", "model", "provider", "upstream_name", "lane", "outcome", "status", "error_code"),
    *("started_at", "ended_at", "latency_ms", "first_token_ms", "usage", "prices"),
)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    entry = attempt.entry
    return {
        "id": entry.pk.hex,
        **{name: getattr(entry, name) for name in _AS_IT_IS},
        "usage_source": attempt.usage_source,
        "cost_usd": write_exactly(entry.cost_usd),
        "charge_usd": write_exactly(entry.charged_usd),
        "charge_factor": write_exactly(entry.charge_factor),
        "own_cost_usd": write_exactly(entry.own_cost_usd),
        "is_on_own_credential": bool(entry.own_credential_id),
        "translated": list(attempt.translated),
        "corrections": list(map(_correction, attempt.corrections)),
    }


def _correction(row: LedgerEntry) -> dict[str, Any]:
    return {
        "id": row.pk.hex,
        "kind": row.kind,
        "booked_at": row.ended_at,
        "cost_usd": write_exactly(row.cost_usd),
        "charge_usd": write_exactly(row.charged_usd),
        "note": row.note,
        "prices": row.prices,
    }

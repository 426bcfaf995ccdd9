"""OpenRouter's `/v1/generation` and `/v1/credits`, over the ledger, what was spent and budgets.

Source: https://openrouter.ai/docs/api-reference, as of November 2025. What is not known here is null.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import KeyPrincipal
from accounts.described import TEAM
from accounts.keys import DEPLOYMENT
from accounts.models import Budget, LedgerEntry, Team
from accounts.money import usd_of
from accounts.permits import judge
from accounts.querysets import LedgerQuerySet
from accounts.scopes import INFERENCE, MANAGEMENT, USAGE
from accounts.serializers import TeamParameter
from accounts.spending import read_bases
from accounts.usage.access import UsageView
from accounts.usage.answers import write_instant
from accounts.windows import LIFETIME, window_at
from gateway.core.choice_field import ChoiceField
from gateway.core.client_address import client_of_meta
from gateway.core.errors import ApiError

_EMBEDDINGS = "embeddings"
_ATTEMPTS_MOST = 50


class MayReadOwnCalls(BasePermission):
    """Keys that may call models or read usage, and all people."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  # the framework's signature
        principal = request.user
        if isinstance(principal, KeyPrincipal) and not principal.facts.scopes & {USAGE, MANAGEMENT}:
            address = client_of_meta(request.META, settings.TRUSTED_PROXIES)
            if denial := judge(principal.facts, INFERENCE, address=address):
                raise ApiError(denial.message, status=403, code=denial.code, param=denial.param)
        return bool(principal and principal.is_authenticated)


class GenerationParameters(TeamParameter):
    """The query of one call."""

    id = serializers.CharField(
        max_length=64, help_text="The request's id, which every answer tells as `x-request-id`; or a call's."
    )


def _number(help_text: str = "") -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=help_text)


def _text() -> serializers.CharField:
    return serializers.CharField(allow_null=True)


class ProviderResponseSerializer(serializers.Serializer[Any]):
    """One attempt at a provider."""

    id = serializers.CharField()
    provider_name = serializers.CharField()
    model_permaslug = serializers.CharField()
    status = serializers.IntegerField(allow_null=True, help_text="The provider's; null: none came.")
    latency = _number("Milliseconds.")
    is_byok = serializers.BooleanField()


class GenerationSerializer(serializers.Serializer[Any]):
    """What one call used and cost, as its last attempt ended it. Money in USD, times in milliseconds."""

    id = serializers.CharField()
    upstream_id = _text()
    total_cost = serializers.FloatField(help_text="What the team is charged, with what corrects it.")
    cache_discount = _number()
    upstream_inference_cost = _number()
    created_at = serializers.DateTimeField()
    model = serializers.CharField()
    app_id = _number()
    streamed = serializers.BooleanField()
    cancelled = serializers.BooleanField()
    provider_name = serializers.CharField()
    latency = _number("Until the first token of a stream, or the whole answer.")
    moderation_latency = _number()
    generation_time = _number("Of the whole answer.")
    finish_reason = _text()
    native_finish_reason = _text()
    tokens_prompt = _number()
    tokens_completion = _number()
    native_tokens_prompt = _number()
    native_tokens_completion = _number()
    native_tokens_completion_images = _number()
    native_tokens_reasoning = _number()
    native_tokens_cached = _number()
    num_media_prompt = _number()
    num_input_audio_prompt = _number()
    num_media_completion = _number()
    num_search_results = _number()
    origin = serializers.CharField()
    usage = serializers.FloatField()
    is_byok = serializers.BooleanField()
    external_user = _text()
    api_type = ChoiceField(choices=["completions", "embeddings"], allow_null=True)
    provider_responses = ProviderResponseSerializer(many=True)


class GenerationAnswerSerializer(serializers.Serializer[Any]):
    """As OpenRouter wraps it."""

    data = GenerationSerializer()  # type: ignore[assignment]  # a field, though named as a property


class CreditsSerializer(serializers.Serializer[Any]):
    """In USD."""

    total_credits = serializers.FloatField(
        help_text="What was used and what the tightest of the team's budgets leaves; 0: no budget of it refuses."
    )
    total_usage = serializers.FloatField(help_text="What the team was ever charged.")


class CreditsAnswerSerializer(serializers.Serializer[Any]):
    """As OpenRouter wraps it."""

    data = CreditsSerializer()  # type: ignore[assignment]  # likewise


class GenerationView(UsageView):
    """`/v1/generation`: a key that reads no usage is told of the calls of its own lineage."""

    permission_classes = [MayReadOwnCalls]

    @extend_schema(
        tags=["usage"],
        operation_id="generation_retrieve",
        summary="Say what one call used and cost, in OpenRouter's form",
        parameters=[GenerationParameters],
        responses=GenerationAnswerSerializer,
        examples=[
            OpenApiExample(
                "A call",
                value={"data": {"id": "req_019e2b7c", "model": "acme/one", "total_cost": 0.00042}},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        query = self.query(GenerationParameters)
        rows = list(self._rows(request, query).order_by("started_at", "number")[:_ATTEMPTS_MOST])
        if not any(row.kind == LedgerEntry.Kind.ATTEMPT for row in rows):
            message = f"There is no call '{query['id'][:64]}'; name it by the `x-request-id` of its answer."
            raise ApiError(message, status=404, code="not_found", param="id")
        return Response({"data": _write(query["id"], rows)})

    def _rows(self, request: Request, query: dict[str, Any]) -> LedgerQuerySet:
        team = self.team_asked(query.get("team"))
        rows = LedgerEntry.objects.found_by_id(query["id"])
        if team is not None:
            rows = rows.filter(team=team)
        if isinstance(request.user, KeyPrincipal) and not request.user.facts.scopes & {USAGE, MANAGEMENT}:
            rows = rows.filter(lineage_id=request.user.facts.lineage_id)
        return rows


class CreditsView(UsageView):
    """`/v1/credits`."""

    @extend_schema(
        tags=["usage"],
        operation_id="credits_retrieve",
        summary="Say what was used and what budgets leave, in OpenRouter's form",
        parameters=[TEAM],
        responses=CreditsAnswerSerializer,
        examples=[
            OpenApiExample(
                "A month's budget",
                value={"data": {"total_credits": 120.5, "total_usage": 70.5}},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002  # the framework's signature
        team = self.team_asked(self.query(TeamParameter).get("team"))
        used, left = _used_and_left(team)
        granted = 0 if left is None else used + left
        return Response(
            {"data": {"total_credits": float(usd_of(granted)), "total_usage": float(usd_of(used))}}
        )


def _used_and_left(team: Team | None) -> tuple[int, int | None]:
    """Ever, and of the budget that leaves least; in 10^-10 USD."""
    at = timezone.now().timestamp()
    subject = DEPLOYMENT if team is None else f"team:{team.pk}"
    whose = {"is_deployment": True} if team is None else {"team": team}
    budgets = list(Budget.objects.filter(**whose, is_active=True, refuses=True))
    ever = window_at(LIFETIME, "UTC", at)
    spent = read_bases({subject: [ever, *(budget.window_at(at) for budget in budgets)]}).spent[subject]
    left = [max(0, budget.amount_at(at) - spent[budget.window_at(at).field]) for budget in budgets]
    return spent[ever.field], min(left, default=None)


def _write(id_: str, rows: Sequence[LedgerEntry]) -> dict[str, Any]:
    attempts = [row for row in rows if row.kind == LedgerEntry.Kind.ATTEMPT]
    last, usage = attempts[-1], attempts[-1].usage
    charged = float(sum((row.charged_usd for row in rows), Decimal(0)))
    cost = float(sum((row.cost_usd + row.own_cost_usd for row in rows), Decimal(0)))
    # Nobody counts by another tokenizer here: the provider's numbers are the only ones.
    prompt, completion = last.input_tokens, last.output_tokens
    return {
        **dict.fromkeys(GenerationSerializer().fields),
        "id": id_,
        "total_cost": charged,
        "usage": charged,
        "upstream_inference_cost": cost,
        "created_at": write_instant(attempts[0].started_at.timestamp()),
        "model": last.model,
        "streamed": last.is_streamed,
        "cancelled": last.outcome == LedgerEntry.Outcome.CANCELLED,
        "provider_name": last.provider,
        "latency": last.latency_ms if last.first_token_ms is None else last.first_token_ms,
        "generation_time": last.latency_ms,
        "tokens_prompt": prompt,
        "tokens_completion": completion,
        "native_tokens_prompt": prompt,
        "native_tokens_completion": completion,
        "native_tokens_completion_images": usage.get("output_image_tokens"),
        "native_tokens_reasoning": usage.get("reasoning_tokens"),
        "native_tokens_cached": usage.get("cached_read_tokens"),
        "num_search_results": usage.get("web_searches"),
        "origin": "",
        "is_byok": last.own_credential_id is not None,
        "api_type": "embeddings" if last.endpoint == _EMBEDDINGS else "completions",
        "provider_responses": [_write_attempt(row) for row in attempts],
    }


def _write_attempt(row: LedgerEntry) -> dict[str, Any]:
    return {
        "id": row.attempt_id.hex,
        "provider_name": row.provider,
        "model_permaslug": row.model,
        "status": row.status,
        "latency": row.latency_ms,
        "is_byok": row.own_credential_id is not None,
    }

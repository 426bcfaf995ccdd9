"""Reading providers and what they offer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from catalogue.importing.entries import OfferingEntry, ProviderEntry
from catalogue.importing.findings import Kind
from catalogue.importing.source import Row
from catalogue.importing.translation import ENDPOINTS, OPEN_PROVIDERS, PARAMS_OF_FLAGS, USABLE_STATUSES
from catalogue.models.shapes import check_regions
from gateway.core.outbound import OutboundPolicy

_QUANTIZATION = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_PARAM = re.compile(r"\S{1,200}")


@dataclass(slots=True)
class Offer:
    """One row of the offers, and where it stands."""

    id: str
    provider: str
    api_model_id: str
    model_id: str
    entry: OfferingEntry
    row: Row


@dataclass(frozen=True, slots=True)
class ProviderRules:
    """What a provider may be reached by: the outbound policy, and the variables that may hold keys."""

    policy: OutboundPolicy
    variables: frozenset[str]


def read_provider(row: Row, rules: ProviderRules) -> ProviderEntry:
    variables = row.words("auth_env")
    variable = next((name for name in variables if name in rules.variables), "")
    if not variable:
        row.note(
            Kind.NO_CREDENTIAL, "auth_env", f"{', '.join(variables) or 'nothing'}: none of them may be read."
        )
    entry = ProviderEntry(
        row.place,
        slug=row.required("id"),
        name=row.required("name"),
        website=row.text("link"),
        base_url=_address(row, rules.policy),
        variable=variable,
        regions=tuple(_regions(row)),
        **_handling(row),
    )
    row.close()
    return entry


def _handling(row: Row) -> dict[str, bool | None]:
    """What becomes of what it is sent. Good news counts where it is confirmed; what hangs on a contract is unknown."""
    retention, training = row.text("zero_data_retention"), row.text("prompt_training_policy")
    is_confirmed = row.text("data_policy_confidence") == "confirmed"
    keeps_nothing = {"default": True if is_confirmed else None, "unsupported": False}
    uses_nothing = {"no_train": False if is_confirmed else None, "may_train": True}
    return {"zero_retention": keeps_nothing.get(retention), "collects_data": uses_nothing.get(training)}


def _address(row: Row, policy: OutboundPolicy) -> str:
    """Empty where calls cannot go there: unknown, refused by the policy, or a provider that is not open."""
    url, status = row.text("api_base_url").rstrip("/"), row.text("status")
    refusal = (policy.url_refusal(url) if url else "none is known") or ""
    if not refusal and status not in OPEN_PROVIDERS:
        refusal = f"the provider is {status or 'of unknown status'}"
    if refusal:
        row.note(Kind.NO_ADDRESS, "api_base_url", f"{url or 'none'}: {refusal}")
    return "" if refusal else url


def read_offer(row: Row, providers: Mapping[str, ProviderEntry]) -> Offer:
    """One that names no region runs in its provider's, where that is only one. `providers` are known by their slugs."""
    offer_id, provider, api_model_id = (
        row.required("id"),
        row.required("provider_id"),
        row.required("api_model_id"),
    )
    model_id = row.text("model_id")
    if not model_id:
        reason = f"{api_model_id!r} is taken for the model."
        row.note(Kind.OFFER_WITHOUT_MODEL, "model_id", reason)
    endpoints, params, is_usable = _capabilities(row)
    is_active, routing = row.flag("is_active_gateway"), row.text("routing_status") or "active"
    facts = {"endpoints": endpoints, "params": params, **_facts(row, endpoints)}
    if not facts["regions"] and provider in providers and len(providers[provider].regions) == 1:
        facts["regions"] = list(providers[provider].regions)
    entry = OfferingEntry(
        row.place,
        key=(model_id or api_model_id, provider, row.required("provider_model_slug")),
        facts=facts,
        is_enabled=bool(is_active) and is_usable and routing == "active",
    )
    row.close()
    return Offer(offer_id, provider, api_model_id, model_id, entry, row)


def _facts(row: Row, endpoints: list[str]) -> Mapping[str, Any]:
    begins, ends = row.moment("effective_from"), row.moment("effective_to")
    if begins and ends and ends <= begins:
        row.note(Kind.OFFER_NEVER_IN_FORCE, "effective_to", f"{ends:%Y-%m-%d}, not after {begins:%Y-%m-%d}.")
        begins = None
    return {
        "streams": "chat.completions" in endpoints,
        "context_length": row.count("context_length"),
        "max_output_tokens": row.count("max_output_tokens"),
        "quantization": _quantization(row),
        "regions": _regions(row),
        "effective_from": begins,
        "effective_to": ends,
    }


def _quantization(row: Row) -> str:
    """The many spellings in one; `unknown` says nothing."""
    word = row.text("quantization").lower()
    if not word or word == "unknown":
        return ""
    if _QUANTIZATION.fullmatch(word) and len(word) <= 20:
        return word
    row.note(Kind.NOT_KEPT, "quantization", f"{word!r} is not one word.")
    return ""


def _regions(row: Row) -> list[str]:
    """In one spelling, each once."""
    words = sorted({word.lower() for word in row.words("execution_regions")})
    try:
        check_regions(words)
    except ValidationError as error:
        row.note(Kind.NOT_KEPT, "execution_regions", f"{', '.join(words)}: {' '.join(error.messages)}")
        return []
    return words


def _capabilities(row: Row) -> tuple[list[str], list[str], bool]:
    """Endpoints, parameters, and whether calls may go to any of them."""
    endpoints, params, is_usable = set[str](), set[str](), False
    for capability in row.rows("capabilities"):
        name, status = capability.required("id"), capability.text("status")
        if name not in ENDPOINTS:
            capability.error("id", f"{name!r} is not a known capability: {', '.join(ENDPOINTS)}.")
            continue
        endpoints.add(ENDPOINTS[name])
        is_usable = is_usable or status in USABLE_STATUSES
        params.update(word for word in capability.words("params") if _PARAM.fullmatch(word))
        params.update(param for flag, param in PARAMS_OF_FLAGS.items() if capability.supports(flag))
        capability.close()
    return sorted(endpoints), sorted(params), is_usable

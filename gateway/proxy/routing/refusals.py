"""What is said where no offering is left, from the reasons that stood against each of them. Pure."""

import math
from collections.abc import Set

from gateway.proxy.errors import GatewayError, InvalidRequest, Unavailable
from gateway.proxy.routing.filters import NOT_FREE, NOT_PINNED, REASONS_BELOW
from gateway.proxy.routing.wishes import Unmet, is_of_wishes, refusal_of_wishes
from providers.operations.base import Requirements

_NO_ENDPOINT = frozenset({"endpoint_not_offered", "format_lacks_endpoint"})
_UNPRICED = "unpriced"
_LACKS, _CANNOT_READ = "lacks:", "cannot_read:"


_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 3_600.0


def no_candidate(
    name: str,
    required: Requirements,
    reasons: Set[str],
    largest: int = 0,
    unmet: Unmet | None = None,
    pause_s: float = _PAUSE_S,
) -> GatewayError:
    """`name` begins the sentence: `No model`, or `No provider of model 'x'`. `largest`: the largest context window;
    `pause_s`: for how long a breaker keeps out whoever could have answered, infinite where nobody knows.

    What the client excluded, or its key may not use, comes last: only where nothing stood against what was left over
    was it that.
    """
    reasons = reasons - {NOT_PINNED}
    others = {reason for reason in reasons if not is_of_wishes(reason)}
    if reasons and not others:
        return refusal_of_wishes(name, reasons, unmet)
    if "breaker_open" in others:
        # It can do all that is asked: the others' shortcomings are not the request's fault.
        return no_healthy(name, pause_s)
    return _callers(name, required, others, largest) or _switched_off(name, others)


def no_healthy(name: str, pause_s: float) -> Unavailable:
    """`name` and `pause_s` as above."""
    wait_s = _PAUSE_S if math.isinf(pause_s) else min(max(pause_s, 1.0), _LONGEST_PAUSE_S)
    return Unavailable(f"{name} is healthy at the moment.", code="no_healthy_provider", retry_after_s=wait_s)


def _callers(name: str, required: Requirements, reasons: Set[str], largest: int) -> InvalidRequest | None:
    """Where the request asks for what nobody has."""
    messages = required.field_names.get("messages", "messages")
    if lacking := _all_after(_LACKS, reasons):
        return _lacking(name, required, lacking)
    if unread := _all_after(_CANNOT_READ, reasons):
        message = f"{name} reads {unread[0]} input."
        return InvalidRequest(message, code="unsupported_content", param=messages)
    if too_little := _all_after(REASONS_BELOW, reasons):
        message = f"{name} is known to reason at level '{too_little[0]}' or above."
        return InvalidRequest(message, code="unsupported_reasoning_level", param="min_reasoning_level")
    if "context_too_small" in reasons:
        return InvalidRequest(
            f"{name} takes so long an input: at most {largest} tokens, and it has about {required.input_tokens}.",
            code="context_length_exceeded",
            param=messages,
        )
    if reasons and reasons <= _NO_ENDPOINT:
        message = f"{name} serves {required.endpoint}."
        return InvalidRequest(message, code="unsupported_endpoint", param="model")
    if NOT_FREE in reasons:
        return InvalidRequest(f"{name} is free.", code="no_free_provider", param="model")
    if _UNPRICED in reasons:
        message = f"{name} has a price in USD, without which no call is made on a budget."
        return InvalidRequest(message, code="unpriced_model", param="model")
    return None


def _lacking(name: str, required: Requirements, lacking: list[str]) -> InvalidRequest:
    """The parameter that nobody has; where each is had by somebody, those that nobody has together."""
    sets = [set(each.split(",")) for each in lacking]
    nobody_has = sorted(set.intersection(*sets))
    named = nobody_has[:1] or sorted(set.union(*sets))
    sent = list(dict.fromkeys(required.field_names.get(param, param) for param in named))
    said = " and ".join(f"'{param}'" for param in sent) + ("" if len(sent) == 1 else " together")
    return InvalidRequest(f"{name} supports {said}.", code="unsupported_parameter", param=sent[0])


def _switched_off(name: str, reasons: Set[str]) -> Unavailable:
    if reasons == {"credential_missing"}:
        message = f"{name} has a credential yet; staff can add one."
    else:
        message = f"{name} is switched on at the moment."
    return Unavailable(message, code="no_provider", retry_after_s=30)


def _all_after(start: str, reasons: Set[str]) -> list[str]:
    return sorted(reason.removeprefix(start) for reason in reasons if reason.startswith(start))

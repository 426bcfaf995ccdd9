"""A call as it travels to a worker, which may be of another version: see gateway.core.codec."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from accounts.attempts import OWNERS
from gateway.core import codec
from gateway.core.codec import Unreadable
from gateway.proxy.routing.names import AUTO
from providers.operations.registry import operation_of
from providers.wire.body import PARSERS
from providers.wire.call import Call

OWN_FIELDS = frozenset({"fallback_on", "min_reasoning_level", "models", "project_id", "provider"})
"""Parameters of ours, which no provider knows."""
EFFORT = "reasoning_effort"
"""A provider's, but for the word `auto`: that is said to nobody."""
_FACTS = (
    "request_id",
    "endpoint",
    "format",
    "created",
    "is_streamed",
    "team_id",
    "key_id",
    "requested_model",
    "offering_ids",
    "revision",
    "wants_usage",
    "project",
    "redirected_from",
    "shows_translated",
    "betas",
    "input_tokens",
    "asks_reasoning",
    "client_waits_s",
    "may_search_elsewhere",
    "end_user",
    "reserved_at",
    "has_room_at",
    "held_output_tokens",
    "owners",
    "charge_factor",
    "redirects",
    "fallback_on",
)
_facts_of = attrgetter(*_FACTS)
_OWNERS = frozenset(OWNERS.values())
NEEDED = ("call_id", *_FACTS[:9])
"""Without these a call cannot be made; the others have a default."""
OPTIONAL = _FACTS[9:]


def without_own_fields(parsed: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is meant for this gateway alone stays here."""
    leaves_open = parsed.get(EFFORT) == AUTO
    if OWN_FIELDS.isdisjoint(parsed) and not leaves_open:
        return parsed
    own = OWN_FIELDS | {EFFORT} if leaves_open else OWN_FIELDS
    return {name: value for name, value in parsed.items() if name not in own}


def encode_call(call: Call) -> bytes:
    """One line of JSON, then the client's body as it is."""
    facts = zip(_FACTS, _facts_of(call), strict=True)
    return codec.encode_line({"call_id": call.id, **dict(facts)}) + call.raw


def decode_call(data: bytes) -> Call:
    """Raises Unreadable."""
    line, _, raw = data.partition(b"\n")
    facts = codec.parse(line)
    if missing := [name for name in NEEDED if name not in facts]:
        raise Unreadable(f"Not enough is said for a call: {', '.join(missing)}.")
    try:
        body = without_own_fields(PARSERS[operation_of(facts["endpoint"]).body_kind](raw))
    except (KeyError, ValueError) as error:
        raise Unreadable(f"The call is of no kind that is known here, or its body is not: {error}") from error
    return codec.read(
        Call,
        {
            **{name: facts[name] for name in _FACTS if name in facts},
            "id": facts["call_id"],
            "fallback_on": tuple(facts.get("fallback_on", ())),
            "offering_ids": tuple(facts["offering_ids"]),
            "owners": {name: pk for name, pk in facts.get("owners", {}).items() if name in _OWNERS},
            "raw": raw,
            "body": body,
        },
    )

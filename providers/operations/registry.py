"""All operations by their endpoints: the one place that a further one is added to."""

from collections.abc import Collection, Sequence

from providers.adapters.base import Adapter
from providers.facts import ProviderFacts
from providers.formats.answer_tool import SCHEMA_BY_TOOL
from providers.operations.base import Operation
from providers.operations.embed import EMBED
from providers.operations.generate import GENERATE
from providers.wire.call import Call
from providers.wire.quirks import declared_quirks

OPERATIONS: Sequence[Operation] = (GENERATE, EMBED)
BY_ENDPOINT: dict[str, Operation] = {
    endpoint: operation for operation in OPERATIONS for endpoint in operation.endpoints
}
operation_of = BY_ENDPOINT.__getitem__
"""By its endpoint. Raises KeyError for those that this gateway only lists."""

KNOWN_QUIRKS = declared_quirks()
"""What a provider may depart in from its wire format, by name: all rooms that could obey a quirk are there by now."""

ADAPTED_BY_BODY = frozenset({SCHEMA_BY_TOOL})
"""Quirks of a provider with which its adapter hangs on what each body asks for; else only on what both sides speak."""

GENERATION = GENERATE.endpoints
"""Endpoints of generated text, in whatever format: whoever answers one answers all, translated."""


def choose_adapter(call: Call, provider: ProviderFacts) -> Adapter:
    """Raises KeyError for a provider's format without that endpoint: see `serves`."""
    return BY_ENDPOINT[call.endpoint].adapter(call, provider)


def serves(wire_format: str, endpoint: str) -> bool:
    """Whether a provider of this format can be asked for that endpoint. False of endpoints without an operation."""
    operation = BY_ENDPOINT.get(endpoint)
    return operation is not None and wire_format in operation.wire_formats


def answers(wire_format: str, endpoints: Collection[str]) -> bool:
    """Whether a provider of this format can be asked for any of them. An empty format is unknown, and might be any."""
    return any(
        not operation.endpoints.isdisjoint(endpoints)
        for operation in OPERATIONS
        if not wire_format or wire_format in operation.wire_formats
    )


def must_be_named(endpoint: str) -> bool:
    """Whether no other model may answer there than the one that is asked for."""
    operation = BY_ENDPOINT.get(endpoint)
    return operation is not None and bool(operation.why_named)


def lacks(wire_format: str, endpoint: str) -> bool:
    """Whether it is known to have none. False of endpoints that this gateway only lists."""
    return endpoint in BY_ENDPOINT and not serves(wire_format, endpoint)

"""What a request costs grows as it does: in its surface's reader, and in what each provider's format makes of it."""

import contextlib
from collections.abc import Callable

import orjson
import pytest

from gateway.proxy.surfaces import surface_at
from gateway.proxy.surfaces.base import Surface
from providers.facts import ProviderFacts
from providers.formats.registry import EMBEDDING_FORMATS, FORMATS
from providers.operations.registry import choose_adapter, operation_of
from providers.wire.call import Call
from providers.wire.estimate import estimate_usage
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream
from tests.gateway.proxy.long_requests import LONG
from tests.work import assert_linear

# More objects than are never looked at for their depth: see gateway.proxy.surfaces.base.
SIZE = 140
QUIRKS = frozenset({"reasoning_input", "cache_control", "thought_signatures"})
by_what_is_long = pytest.mark.parametrize("what", LONG)


def surface_of(what: str) -> Surface:
    surface = surface_at(LONG[what][0])
    assert surface is not None
    return surface


def request(what: str, size: int) -> bytes:
    return orjson.dumps(LONG[what][1](size))


@by_what_is_long
def test_reading_costs_what_is_sent(what: str) -> None:
    surface = surface_of(what)

    def make(size: int) -> Callable[[], object]:
        body = request(what, size)

        def read() -> None:
            call = Call(surface.endpoint, surface.read(body), format=surface.format)
            operation = operation_of(surface.endpoint)
            operation.parameters(call, operation.requirements(call))
            estimate_usage(call.body, 1)

        return read

    assert_linear(make, SIZE)


@by_what_is_long
def test_writing_costs_what_is_said(what: str) -> None:
    surface = surface_of(what)
    for wire_format in EMBEDDING_FORMATS if surface.endpoint == "embeddings" else FORMATS:
        provider = ProviderFacts(
            1, "p", "P", wire_format, "http://127.0.0.1/v1", True, True, "secret", QUIRKS
        )

        def make(size: int, provider: ProviderFacts = provider) -> Callable[[], object]:
            call = read(surface, request(what, size))
            return lambda: write(call, provider)

        assert_linear(make, SIZE)


def read(surface: Surface, body: bytes) -> Call:
    parsed = surface.read(body)
    is_text = surface.endpoint != "embeddings"
    read = surface.wire_format.read_request(parsed) if is_text else None
    return Call(surface.endpoint, parsed, format=surface.format, team_id=1, request=read)


def write(call: Call, provider: ProviderFacts) -> None:
    """What the format cannot say it refuses, which may not cost more either."""
    upstream = Upstream("m", is_streamed=False, max_output_tokens=64, quirks=provider.quirks)
    with contextlib.suppress(UpstreamFailure):
        choose_adapter(call, provider).request(call, provider, upstream)

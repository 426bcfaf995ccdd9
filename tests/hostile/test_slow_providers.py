"""Providers that speak in drops: whatever they do, they get their share of our time and no more."""

from collections.abc import Callable, Iterable

import httpx
import pytest

from gateway.outbound import OutboundPolicy, httpx_client
from tests.hostile.slow_provider import NEVER, SlowProvider, endless_body, endless_head


@pytest.mark.parametrize("drops", [lambda: NEVER, endless_head, endless_body, lambda: [b"HTTP/1.1 2"]])
def test_total_limit_ends_a_call_wherever_its_answer_stands(drops: Callable[[], Iterable[bytes]]) -> None:
    # Each single wait is much longer than the whole, so that nothing else can end it.
    with (
        SlowProvider(drops()) as provider,
        httpx_client(OutboundPolicy(frozenset({provider.address})), timeout_s=600, total_s=0.5) as door,
        pytest.raises(httpx.ReadTimeout),
    ):
        door.get(f"{provider.base_url}/models")

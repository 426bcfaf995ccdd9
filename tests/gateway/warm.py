"""Calls of which everything is warm, played in a web process whose loop is this thread's."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.models import Key
from gateway.asgi import application, behind
from gateway.plane import runtime
from providers.transport import REST_S
from tests import make

WARMING_CALLS = 3
# Within which a call's last words are said and heard.
LEFT_S = 0.05
Scenario = Callable[[httpx.AsyncClient], Awaitable[None]]


def make_warm_key(provider_url: str) -> str:
    """A limited key, and a model that the provider at that address has."""
    offering = make.make_offering(
        make.make_model("acme/one", aliases=["one"]),
        make.make_provider(base_url=provider_url),
        upstream_name="scripted-model",
        endpoints=["chat.completions", "embeddings"],
    )
    make.make_price(offering)
    make.publish_all()
    return make.make_key(requests_per_minute=10_000, concurrency=50)[1]


def hold_to_budgets() -> None:
    """The key, from now on."""
    key = Key.objects.get()
    set_limit(subject=key, unit="tokens", window="minute", amount=10**9)
    for window in ("day", "month"):
        make_budget(subject=key, window=window, amount_usd=Decimal(10**6), zone="Europe/Berlin")


def play(key: str, scenario: Scenario) -> None:
    async def run() -> None:
        await runtime.start(behind)
        transport = httpx.ASGITransport(application)
        headers = {"authorization": f"Bearer {key}"}
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://gateway", headers=headers
            ) as client:
                await scenario(client)
        finally:
            await runtime.stop()

    asyncio.run(run())


async def chat(client: httpx.AsyncClient, **body: Any) -> None:
    given = {"model": "one", "messages": [{"role": "user", "content": "hello"}], **body}
    answer = await client.post("/v1/chat/completions", json=given)
    assert (answer.status_code, answer.headers["x-gateway-lane"]) == (200, "direct"), answer.text


async def streamed_chat(client: httpx.AsyncClient) -> None:
    await chat(client, stream=True)


async def budgeted_chat(client: httpx.AsyncClient) -> None:
    """Of a key with a limit on tokens and two budgets besides."""
    await chat(client, max_tokens=400)


async def embed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/embeddings", json={"model": "acme/one", "input": "hello"})
    assert answer.status_code == 200, answer.text


async def message(client: httpx.AsyncClient) -> None:
    given = {"model": "one", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}
    answer = await client.post("/v1/messages", json=given)
    assert answer.status_code == 200, answer.text


WARM_CALLS = (chat, streamed_chat, budgeted_chat, embed, message)


@contextmanager
def standing_clock() -> Iterator[None]:
    """No timer comes due: what is looked after once in a while is no part of a call, however long that takes."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "time", lambda: now)
        yield


async def warm_up(call: Scenario, client: httpx.AsyncClient) -> None:
    for _ in range(WARMING_CALLS):
        await call(client)
    await rest()


async def call_whole(call: Scenario, client: httpx.AsyncClient) -> None:
    """With what is left to do once the client has its answer."""
    with standing_clock():
        await call(client)
        await asyncio.to_thread(time.sleep, LEFT_S)


async def rest() -> None:
    """The provider's connection has rested after it, and is asked again."""
    await asyncio.sleep(2 * REST_S)

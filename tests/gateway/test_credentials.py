"""Which header opens: one rule at the edge, in REST and for answers that are cached, cold and warm alike."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.asgi import application, behind
from gateway.plane import runtime
from tests import make
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db(transaction=True)

KEY, WRONG = "KEY", "sk-gw-wrong"
Headers = list[tuple[str, str]]
OPENS: list[Headers] = [
    [("authorization", f"Bearer {KEY}")],
    [("authorization", f"bearer   {KEY} ")],
    [("x-api-key", KEY)],
    [("x-goog-api-key", KEY)],
    [("authorization", "Bearer"), ("x-api-key", KEY)],
    [("authorization", "Bearer "), ("x-goog-api-key", KEY)],
    [("authorization", "Basic dTpw"), ("x-api-key", KEY)],
    [("x-api-key", ""), ("x-goog-api-key", KEY)],
    [("authorization", f"Bearer {KEY}"), ("x-api-key", WRONG)],
    [("x-api-key", KEY), ("x-goog-api-key", WRONG)],
]
REFUSES: list[Headers] = [
    [],
    [("authorization", "Bearer")],
    [("authorization", KEY)],
    [("authorization", f"Bearer {WRONG}"), ("x-api-key", KEY)],
    [("x-api-key", WRONG), ("x-goog-api-key", KEY)],
    [("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")],
    [("x-api-key", KEY), ("x-api-key", WRONG)],
    [("x_api_key", KEY)],
]
CHAT = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
Ask = Callable[[httpx.AsyncClient, Headers], Any]


@pytest.fixture
def key(settings: Any, tmp_path: Path) -> Iterator[str]:
    settings.CHAT_LANE, settings.SPOOL_DIR = "direct", tmp_path
    settings.PRIVATE_ADDRESSES_ALLOWED = ["127.0.0.1"]
    # Else whoever has no key may read feeds.
    settings.PUBLIC_CATALOGUE = "signed-in"
    with ScriptedProvider() as provider:
        offering = make.make_offering(
            make.make_model("acme/one"),
            make.make_provider(base_url=provider.base_url),
            upstream_name="scripted-model",
        )
        make.make_price(offering)
        make.publish_all()
        yield make.make_key()[1]


ADDRESSES: dict[str, Ask] = {
    "chat": lambda client, headers: client.post("/v1/chat/completions", json=CHAT, headers=headers),
    "models": lambda client, headers: client.get("/v1/models", headers=headers),
    "listed models": lambda client, headers: client.get("/v1/gateway/models", headers=headers),
    "a feed": lambda client, headers: client.get("/v1/gateway/changes?format=atom", headers=headers),
    "a stored response": lambda client, headers: client.get("/v1/responses/resp_none", headers=headers),
}


def statuses(key: str, given: Headers) -> dict[str, list[int]]:
    """Of each address, asked cold, and again once a good key has warmed it."""
    headers = [(name, value.replace(KEY, key)) for name, value in given]

    async def ask() -> dict[str, list[int]]:
        await runtime.start(behind)
        transport = httpx.ASGITransport(application)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                found = {}
                for name, address in ADDRESSES.items():
                    cold = (await address(client, headers)).status_code
                    await address(client, [("authorization", f"Bearer {key}")])
                    found[name] = [cold, (await address(client, headers)).status_code]
                return found
        finally:
            await runtime.stop()

    return asyncio.run(ask())


@pytest.mark.parametrize("given", OPENS, ids=str)
def test_first_header_that_says_anything_opens_everywhere(key: str, given: Headers) -> None:
    good = {"a stored response": [404, 404]}
    assert statuses(key, given) == {name: good.get(name, [200, 200]) for name in ADDRESSES}


@pytest.mark.parametrize("given", REFUSES, ids=str)
def test_what_opens_not_opens_nowhere(key: str, given: Headers) -> None:
    assert statuses(key, given) == {name: [401, 401] for name in ADDRESSES}

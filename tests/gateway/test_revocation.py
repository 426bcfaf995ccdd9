"""A key revoked in SQL while its call runs, in a whole web process."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.memberships import give_role, suspend_member
from accounts.models import Key, LedgerEntry
from accounts.services import revoke_key, switch_team
from gateway.asgi import application, behind
from gateway.plane import runtime
from tests import make
from tests.patience import HANG_S
from tests.threads import in_thread
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db(transaction=True)

ENDLESS = "slow?chunks=100000&delay=0.05"


def revoke(key: Key) -> None:
    revoke_key(key=key)


def switch_off_its_team(key: Key) -> None:
    switch_team(team=key.team, is_active=False)


def suspend_its_owner(key: Key) -> None:
    suspend_member(membership=key.team.memberships.get(user=key.owner))


def let_its_owner_only_look(key: Key) -> None:
    assert key.owner
    give_role(team=key.team, person=key.owner, role="viewer")


def lower_its_owners_role(key: Key) -> None:
    assert key.owner
    give_role(team=key.team, person=key.owner, role="member")


@pytest.mark.parametrize("change", [revoke, switch_off_its_team, suspend_its_owner, let_its_owner_only_look])
def test_a_stream_ends_once_its_key_is_not_valid_any_more(
    change: Callable[[Key], None], settings: Any, tmp_path: Path
) -> None:
    settings.SPOOL_DIR, settings.PRIVATE_ADDRESSES_ALLOWED = tmp_path, ["127.0.0.1"]
    with ScriptedProvider(default=ENDLESS) as provider:
        offering = make.make_offering(
            make.make_model("acme/one"), make.make_provider(base_url=provider.base_url)
        )
        make.make_price(offering)
        make.publish_all()
        key, text = owned_key()
        answer = asyncio.run(stream_while(text, lambda: change(key)))
    assert '"code":"invalid_api_key"' in answer.replace(" ", "")
    assert "[DONE]" not in answer
    entry = LedgerEntry.objects.get()
    assert (entry.outcome, entry.error_code, entry.loss_usd) == ("cancelled", "invalid_api_key", 0)
    assert entry.cost_usd > 0


def test_call_goes_on_while_its_owners_role_still_lets_them_call(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR, settings.PRIVATE_ADDRESSES_ALLOWED = tmp_path, ["127.0.0.1"]
    with ScriptedProvider(default="slow?chunks=40&hold=2&delay=0.05") as provider:
        offering = make.make_offering(
            make.make_model("acme/one"), make.make_provider(base_url=provider.base_url)
        )
        make.make_price(offering)
        make.publish_all()
        key, text = owned_key()

        def change() -> None:
            lower_its_owners_role(key)
            provider.go_on()

        answer = asyncio.run(stream_while(text, change))
    assert answer.rstrip().endswith("[DONE]")
    assert LedgerEntry.objects.get().outcome == "finished"


def owned_key() -> tuple[Key, str]:
    """Of somebody who may more than have keys."""
    team = make.make_team()
    return make.make_key(team, owner=make.make_user(teams=[team], role="admin"))


async def stream_while(key: str, change: Callable[[], None]) -> str:
    """The text of a stream that only a change can end, made once the client has some of it."""
    await runtime.start(behind)
    has_begun = asyncio.Event()

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message.get("body"):
                has_begun.set()
            await send(message)

        await application(scope, receive, note)

    try:
        headers = {"authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(watched)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gateway", headers=headers
        ) as client:
            given = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
            answer = asyncio.create_task(client.post("/v1/chat/completions", json=given))
            await asyncio.wait_for(has_begun.wait(), HANG_S)
            await in_thread(change)
            return (await answer).text
    finally:
        await runtime.stop()

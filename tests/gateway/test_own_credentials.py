"""A team's own credential in a whole web process: in use and out of use within a second, and its secret nowhere."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from django.core import serializers

from accounts.models import Alert, LedgerEntry
from accounts.models.audit import AuditEntry
from catalogue.models import Edition, PublishedModel
from gateway.asgi import application, behind
from gateway.plane import runtime
from providers.credentials import add_credential, change_credential, remove_credential
from providers.models import Alarm, Credential, Provider, ProviderCredential
from providers.services import save_provider, store_secret
from tests import make
from tests.patience import HANG_S
from tests.threads import in_thread
from tests.vendor import Vendor, selling

pytestmark = pytest.mark.django_db(transaction=True)
MAIN, OWN = "main-secret-of-us-a1b2", "own-secret-of-the-team-c3d4"
CHAT = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
Scenario = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def vendor(settings: Any, tmp_path: Path) -> Iterator[Vendor]:
    settings.CHAT_LANE, settings.SPOOL_DIR = "direct", tmp_path / "spool"
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with selling(MAIN, OWN) as vendor:
        settings.PRIVATE_ADDRESSES_ALLOWED = [vendor.address]
        yield vendor


@pytest.fixture
def provider(vendor: Vendor) -> Provider:
    provider = make.make_provider("vendor", has_credential=False, base_url=vendor.base_url)
    store_secret(credential=Credential(provider=provider), secret=MAIN)
    offering = make.make_offering(make.make_model("acme/one"), provider)
    make.make_price(offering, "input_text_tokens", "1000000")
    make.publish_all()
    return provider


@pytest.fixture
def key() -> tuple[Any, str]:
    return make.make_key()


def play(text: str, scenario: Scenario) -> None:
    async def run() -> None:
        await runtime.start(behind)
        transport = httpx.ASGITransport(application)
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://gateway", headers={"authorization": f"Bearer {text}"}
            ) as client:
                await scenario(client)
        finally:
            await runtime.stop()

    asyncio.run(run())


async def opened_by(client: httpx.AsyncClient, vendor: Vendor) -> str:
    answer = await client.post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 200, answer.text
    return vendor.shown[-1]


async def until(client: httpx.AsyncClient, vendor: Vendor, secret: str) -> None:
    """Calls, until they go out on that one: the process looks for changes by itself."""
    async with asyncio.timeout(HANG_S):
        while await opened_by(client, vendor) != secret:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["removed", "switched off", "for other models", "for other keys"])
def test_one_is_used_from_its_making_until_it_is_taken_away(
    vendor: Vendor, provider: Provider, key: tuple[Any, str], how: str
) -> None:
    row, text = key
    other, _ = make.make_key(row.team)

    def take_away() -> None:
        credential = ProviderCredential.objects.get()
        if how == "removed":
            return remove_credential(credential=credential)
        terms: dict[str, Any] = {
            "switched off": {"is_enabled": False},
            "for other models": {"model_patterns": ["best/*"]},
            "for other keys": {"keys": [other]},
        }[how]
        change_credential(credential=credential, **terms)
        return None

    async def scenario(client: httpx.AsyncClient) -> None:
        assert await opened_by(client, vendor) == MAIN
        await in_thread(
            lambda: add_credential(provider=provider, team=row.team, label="own", secret=OWN, place="only")
        )
        await until(client, vendor, OWN)
        await in_thread(take_away)
        await until(client, vendor, MAIN)
        shown = len(vendor.shown)
        await opened_by(client, vendor)
        assert vendor.shown[shown:] == [MAIN]

    play(text, scenario)
    own = LedgerEntry.objects.exclude(own_credential_id=None)
    assert set(own.values_list("cost_usd", "own_cost_usd")) == {(0, 7)}
    others = LedgerEntry.objects.filter(own_credential_id=None)
    assert set(others.values_list("cost_usd", "own_cost_usd")) == {(7, 0)}


def test_a_provider_that_moves_gets_no_ones_secret(
    vendor: Vendor, provider: Provider, key: tuple[Any, str], settings: Any
) -> None:
    row, text = key
    add_credential(provider=provider, team=row.team, label="own", secret=OWN)
    with selling(MAIN, OWN) as elsewhere:
        settings.PRIVATE_ADDRESSES_ALLOWED = [vendor.address, elsewhere.address]
        provider.base_url = elsewhere.base_url

        async def scenario(client: httpx.AsyncClient) -> None:
            assert await opened_by(client, vendor) == OWN
            await in_thread(lambda: save_provider(provider=provider))
            async with asyncio.timeout(HANG_S):
                while (await client.post("/v1/chat/completions", json=CHAT)).status_code == 200:
                    await asyncio.sleep(0.05)

        play(text, scenario)
        assert elsewhere.shown == []


def files_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


def test_its_secret_is_in_no_row_no_file_and_no_log(
    vendor: Vendor,
    provider: Provider,
    key: tuple[Any, str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Refused by a provider that quotes it, which is told to its team."""
    caplog.set_level(logging.DEBUG)
    row, text = key
    add_credential(provider=provider, team=row.team, label="own", secret=OWN)
    vendor.known.remove(OWN)
    heard = []
    on_disk = []

    async def scenario(client: httpx.AsyncClient) -> None:
        for _ in range(2):
            answer = await client.post("/v1/chat/completions", json=CHAT)
            heard.append(f"{answer.headers} {answer.text}")
        on_disk.extend(await in_thread(lambda: files_in(tmp_path)))

    play(text, scenario)
    assert [OWN in vendor.shown, MAIN in vendor.shown] == [True, True]
    kept = ProviderCredential.objects.get()
    assert kept.failure == "The provider refused the credential. It said: Wrong [removed]"
    assert not Alarm.objects.exists()
    told = [kept, *LedgerEntry.objects.all(), *AuditEntry.objects.all(), *Edition.objects.all()]
    told += [*PublishedModel.objects.all(), *Alert.objects.all()]
    assert Alert.objects.filter(kind="credential.refused").count() == 1
    texts = [serializers.serialize("json", told), *heard, caplog.text, *map(repr, on_disk)]
    assert not [text for text in texts if OWN in text]

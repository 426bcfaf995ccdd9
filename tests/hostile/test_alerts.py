"""Alerts of a running product: they leave it within seconds, and outlive a process that is killed meanwhile."""

import re
import signal
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from openai import OpenAI

from tests.accounts.alerts.receiver import Received, Receiver, running
from tests.patience import LONG_HANG_S
from tests.services import wait_until
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Prepared, Product, started

pytestmark = [pytest.mark.drill, pytest.mark.slow]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running() as found:
        yield found


def make_webhook(product: Product, receiver: Receiver) -> str:
    """Of the demo team; its secret."""
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        team = pages.row_id("accounts/team", "demo")
        path = "/admin/accounts/alertchannel/add/"
        made = pages.submit(path, team=team, name="hook", kind="webhook", address=receiver.url)
        shown = re.search(r"whsec_[\w+/=]+", unescape(pages.read(made.headers["location"])))
    assert shown is not None
    return shown.group()


def leaked(receiver: Receiver) -> list[Received]:
    return [got for got in receiver.received if got.json["type"] == "key.leaked"]


def test_key_that_is_found_in_public_ends_and_a_program_hears_of_it_within_seconds(
    prepared: Prepared, receiver: Receiver, tmp_path: Path
) -> None:
    with prepared.started(tmp_path / "data", GATEWAY_ALERT_ALLOW_PRIVATE=receiver.address) as product:
        secret = make_webhook(product, receiver)
        assert product.chat().status_code == 200
        report = {"key": product.key, "url": "https://github.com/acme/app"}
        assert httpx.post(f"{product.url}/leaks", json=report).status_code == 200
        wait_until(lambda: product.chat().status_code == 401, "the end of the key")
        wait_until(lambda: bool(leaked(receiver)), "the webhook", LONG_HANG_S)
    [got] = leaked(receiver)
    event = OpenAI(api_key="x").webhooks.unwrap(got.body.decode(), got.headers, secret=secret)
    assert event.type == "key.leaked"
    assert product.key not in got.body.decode()


def test_alert_that_could_not_be_delivered_outlives_a_process_that_is_killed(
    prepared: Prepared, receiver: Receiver, tmp_path: Path
) -> None:
    folder, allowed = tmp_path / "data", receiver.address
    receiver.answers = [500] * 50
    with prepared.started(folder, GATEWAY_ALERT_ALLOW_PRIVATE=allowed) as product:
        make_webhook(product, receiver)
        httpx.post(f"{product.url}/leaks", json={"key": product.key})
        wait_until(lambda: bool(leaked(receiver)), "the first try", LONG_HANG_S)
        product.program.end(signal.SIGKILL)
    before = len(leaked(receiver))
    receiver.answers.clear()
    with started(folder, GATEWAY_ALERT_ALLOW_PRIVATE=allowed):
        wait_until(lambda: len(leaked(receiver)) > before, "the next try", LONG_HANG_S)
    assert len({got.headers["webhook-id"] for got in leaked(receiver)}) == 1

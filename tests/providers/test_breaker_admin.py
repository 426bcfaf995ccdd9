"""Staff see how breakers stand and what they did, and hold them."""

import asyncio
import html
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import AuditEntry, User
from catalogue.models import Offering
from gateway.plane.shown_health import ShownHealth
from gateway.proxy.health import HealthObserver
from providers import live_health
from providers.breakers import hold_breaker, record_transition
from providers.health import HealthTable, Transition
from providers.models import BreakerHold
from providers.wire.failure import FailureKind
from tests import make

pytestmark = pytest.mark.django_db
OFFERINGS, PROVIDERS = "/admin/catalogue/offering/", "/admin/providers/provider/"


@pytest.fixture
def table() -> Iterator[HealthTable]:
    table = HealthTable()
    with closing(asyncio.new_event_loop()) as loop:
        live_health.here.reader = ShownHealth(HealthObserver(table), loop)
        yield table
        live_health.here.forget()


@pytest.fixture
def offering() -> Offering:
    offering = make.make_offering(make.make_model("acme/one"), make.make_provider("groq"))
    make.publish_all()
    return offering


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create(username="editor", is_staff=True, is_superuser=True))
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def act(client: Client, page: str, action: str, pk: int) -> str:
    answer = client.post(page, {"action": action, "_selected_action": [pk]}, follow=True)
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("action", "word", "told"),
    [("hold_open", "open", "no call goes there"), ("hold_closed", "closed", "whatever fails")],
)
def test_staff_hold_an_offering_s_breaker_and_let_it_be(staff, offering, action, word, told) -> None:
    assert told in act(staff, OFFERINGS, action, offering.pk)
    hold = BreakerHold.objects.get()
    assert (hold.offering, hold.provider, hold.word, hold.set_by) == (offering, None, word, "editor")
    assert f"held {word}" in text_of(staff, f"{OFFERINGS}{offering.pk}/change/")
    assert "was so already" in act(staff, OFFERINGS, action, offering.pk)
    assert "goes by itself" in act(staff, OFFERINGS, "let_breaker_be", offering.pk)
    assert not BreakerHold.objects.exists()
    assert AuditEntry.objects.filter(changes__has_key="breaker held").count() == 2


def test_staff_hold_all_of_a_provider_s(staff, offering) -> None:
    act(staff, PROVIDERS, "hold_open", offering.provider_id)
    assert BreakerHold.objects.get().provider == offering.provider
    for page in (f"{PROVIDERS}{offering.provider_id}/change/", f"{OFFERINGS}{offering.pk}/change/"):
        assert "held open" in text_of(staff, page)


@pytest.mark.parametrize(
    ("page", "name"), [(OFFERINGS, "catalogue.view_offering"), (PROVIDERS, "providers.view_provider")]
)
def test_who_may_only_look_holds_nothing(client, offering, page, name) -> None:
    user = User.objects.create(username="reader", is_staff=True)
    label, codename = name.split(".")
    user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
    client.force_login(user)
    act(client, page, "hold_open", offering.pk if page == OFFERINGS else offering.provider_id)
    assert not BreakerHold.objects.exists()


def test_pages_tell_how_it_stands_and_what_it_did(staff, offering, table) -> None:
    now = time.monotonic()
    for _ in range(5):
        table.failed(offering.pk, FailureKind.UNAVAILABLE, now, is_unreached=True)
    record_transition(Transition(offering.pk, "open", "failures", 30, 1, 1, time.time()), "web-1")
    page = text_of(staff, f"{OFFERINGS}{offering.pk}/change/")
    assert "open (failures in a row)" in page
    assert "5m: 5 calls, 0.0 % went well, 5 not reached" in page
    assert "web-1" in page
    page = text_of(staff, f"{PROVIDERS}{offering.provider_id}/change/")
    assert "1 of its 1 offerings are left alone: acme/one" in page
    assert "web-1" in page


def test_a_closed_one_tells_percentiles(staff, offering, table) -> None:
    for latency_ms in range(100, 200):
        table.succeeded(offering.pk, latency_ms, time.monotonic())
    page = text_of(staff, f"{OFFERINGS}{offering.pk}/change/")
    assert "closed: calls go there" in page
    assert re.search(
        r"1m: 100 calls, 100\.0 % went well; to the end 1[45]\d / 1[89]\d / 1[89]\d|20\d ms", page
    )
    hold_breaker(offering, "")
    assert "All of its 1 offerings take calls." in text_of(
        staff, f"{PROVIDERS}{offering.provider_id}/change/"
    )


def test_where_no_data_plane_runs_pages_work(staff, offering) -> None:
    assert "No call in the last 30 minutes." in text_of(staff, f"{OFFERINGS}{offering.pk}/change/")
    assert staff.get(f"{OFFERINGS}add/").status_code == staff.get(f"{PROVIDERS}add/").status_code == 200

"""What breakers did is written down once over all processes; what staff hold is in the snapshot, and audited."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import Alert, AuditEntry
from catalogue.models import Offering
from catalogue.published.loading import load_snapshot
from gateway.plane.health_writer import HealthWriter
from gateway.proxy.health import HealthEvents
from providers.breakers import EVENTS_KEPT, hold_breaker, record_transition
from providers.facts import Way
from providers.health import Transition
from providers.models import BreakerHold, HealthEvent, Incident, ProviderCredential
from tests import make

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def offering() -> Offering:
    offering = make.make_offering(make.make_model("acme/one"), make.make_provider("acme"))
    make.publish_all()
    return offering


def change(way: Way, state: str, cause: str = "failures", *, after_s: float = 0.0) -> Transition:
    return Transition(way, state, cause, 30.0 if state == "open" else 0.0, 1, 1, AT.timestamp() + after_s)


def states() -> list[tuple[int, str, str]]:
    return list(HealthEvent.objects.order_by("id").values_list("number", "state", "cause"))


def test_what_several_processes_saw_is_written_once(offering: Offering) -> None:
    for process in ("first", "second", "third"):
        record_transition(change(offering.pk, "open"), process)
    record_transition(change(offering.pk, "half_open"), "second")
    record_transition(change(offering.pk, "half_open"), "second")
    record_transition(change(offering.pk, "open"), "second")
    record_transition(change(offering.pk, "closed"), "first")
    record_transition(change(offering.pk, "closed"), "third")
    assert [state for _, state, _ in states()] == ["open", "half_open", "open", "closed"]
    assert [number for number, _, _ in states()] == [1, 2, 3, 4]
    event = HealthEvent.objects.order_by("id")[0]
    assert (event.provider, event.offering, event.told_by) == (offering.provider, offering, "first")
    assert (event.until - event.at).total_seconds() == 30
    kinds = [(alert.kind, alert.title) for alert in Alert.objects.order_by("id")]
    assert kinds == [
        ("breaker.opened", "No calls go to acme/one at acme: failures in a row"),
        ("breaker.closed", "Calls go to acme/one at acme again"),
    ]


def test_a_breaker_that_never_opened_did_not_close(offering: Offering) -> None:
    assert record_transition(change(offering.pk, "closed"), "first") is None
    assert not HealthEvent.objects.exists()


@pytest.mark.parametrize(
    ("cause", "incidents"),
    [("failures", 1), ("rate", 1), ("credential", 1), ("model_missing", 1), ("retry_after", 0)],
)
def test_what_is_more_than_a_wait_is_an_incident_until_it_closes(offering, cause, incidents) -> None:
    record_transition(change(offering.pk, "open", cause), "first")
    record_transition(change(offering.pk, "half_open", cause, after_s=30), "first")
    record_transition(change(offering.pk, "open", cause, after_s=31), "first")
    assert Incident.objects.filter(ended_at=None).count() == incidents
    record_transition(change(offering.pk, "closed", cause, after_s=90), "first")
    seen = Incident.objects.values_list("offering_id", "cause", "began_at", "ended_at")
    assert [(row[0], row[1], (row[3] - row[2]).total_seconds()) for row in seen] == [
        (offering.pk, cause, 90)
    ] * incidents


def test_the_way_by_a_further_credential_has_a_line_of_its_own(offering: Offering) -> None:
    record_transition(change(f"{offering.pk}:7", "open", "credential"), "first")
    record_transition(change(offering.pk, "open"), "first")
    rows = HealthEvent.objects.order_by("id").values_list("way", "offering_id", "credential_id", "number")
    assert list(rows) == [(f"{offering.pk}:7", offering.pk, 7, 1), (str(offering.pk), offering.pk, None, 1)]


@pytest.mark.parametrize("way", [999_999, "999999:1"])
def test_of_an_offering_that_is_gone_nothing_is_written(offering: Offering, way: Way) -> None:
    assert record_transition(change(way, "open"), "first") is None


def test_the_newest_events_are_kept(offering: Offering) -> None:
    HealthEvent.objects.bulk_create(
        HealthEvent(
            provider=offering.provider,
            offering=offering,
            way=str(offering.pk),
            number=number,
            state="open" if number % 2 else "closed",
            at=AT,
        )
        for number in range(1, EVENTS_KEPT + 1)
    )
    record_transition(change(offering.pk, "open"), "first")
    numbers = list(HealthEvent.objects.order_by("number").values_list("number", flat=True))
    assert (len(numbers), numbers[0], numbers[-1]) == (EVENTS_KEPT, 2, EVENTS_KEPT + 1)


@pytest.mark.django_db(transaction=True)
def test_of_processes_that_write_at_once_one_does(offering: Offering) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("It lets one write at a time.")

    def write(process: str) -> None:
        record_transition(change(offering.pk, "open"), process)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert [state for _, state, _ in states()] == ["open"]
    assert Alert.objects.count() == Incident.objects.count() == 1


def test_what_waits_is_written_by_the_recorder_and_kept_where_it_cannot(offering, monkeypatch) -> None:
    events = HealthEvents()
    for state in ("open", "half_open", "closed"):
        events.take(change(offering.pk, state))

    def break_off(*_: object) -> None:
        raise OSError("away")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.plane.health_writer.record_transition", break_off)
        with pytest.raises(OSError, match="away"):
            HealthWriter(events, "web-1").write()
    assert HealthWriter(events, "web-1").write() == 3
    assert [state for _, state, _ in states()] == ["open", "half_open", "closed"]
    assert HealthWriter(events, "web-1").write() == 0


def test_staff_hold_every_way_to_an_offering_within_the_next_snapshot(offering: Offering) -> None:
    further = ProviderCredential.objects.create(provider=offering.provider, label="backup", ciphertext="x")
    before = load_snapshot(None)
    assert before.holds == {}
    hold_breaker(offering, "open")
    snapshot = load_snapshot(before)
    credentials = snapshot.credentials.get(0, {}).get(offering.provider_id, ())
    assert snapshot.holds == {offering.pk: "open"} | {
        f"{offering.pk}:{each.id}": "open" for each in credentials
    }
    assert further.pk
    hold_breaker(offering, "")
    assert load_snapshot(snapshot).holds == {}


def test_an_offering_s_own_hold_goes_before_its_provider_s(offering: Offering) -> None:
    other = make.make_offering(make.make_model("acme/two"), offering.provider, upstream_name="two")
    make.publish_all()
    hold_breaker(offering.provider, "open")
    hold_breaker(offering, "closed")
    assert load_snapshot(None).holds == {offering.pk: "closed", other.pk: "open"}


def test_holding_is_audited_and_told_and_doing_it_twice_is_not(offering: Offering) -> None:
    assert [hold_breaker(offering, "open") for _ in range(2)] == [True, False]
    assert hold_breaker(offering, "")
    assert not hold_breaker(offering, "")
    assert not BreakerHold.objects.exists()
    told = AuditEntry.objects.filter(content_type__model="offering", object_id=offering.pk)
    assert [entry.changes for entry in told.order_by("id") if "breaker held" in entry.changes] == [
        {"breaker held": [None, "open"]},
        {"breaker held": ["open", None]},
    ]
    assert states() == [(1, "open", "staff"), (2, "closed", "staff")]
    assert not Incident.objects.exists()


def test_staff_s_hand_ends_what_was_broken(offering: Offering) -> None:
    record_transition(change(offering.pk, "open"), "first")
    hold_breaker(offering, "closed")
    assert states() == [(1, "open", "failures"), (2, "closed", "staff")]
    assert Incident.objects.get().ended_at is not None

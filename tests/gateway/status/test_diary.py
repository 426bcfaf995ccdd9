"""Incidents as a diary: grouped, annotated, hidden; and the admin's page where staff do that."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from catalogue.models import Offering
from gateway.status.diary import Entry, read_diary
from providers.credentials import add_credential
from providers.models import Incident, IncidentNote
from providers.probes import ProbeOutcome
from providers.services import record_probe, save_provider
from tests.gateway.status.conftest import provider
from tests.gateway.status.test_counting import breaker, left_alone
from tests.hostile.single_rights import staff_with
from tests.make import make_staff, make_team

pytestmark = pytest.mark.django_db
SHOWN = {"acme/one", "acme/two"}
NOTES = {
    "notes-TOTAL_FORMS": "1",
    "notes-INITIAL_FORMS": "0",
    "notes-MIN_NUM_FORMS": "0",
    "notes-MAX_NUM_FORMS": "1000",
    "notes-0-title": "",
    "notes-0-text": "",
    "notes-0-is_public": "on",
}


def diary(at: datetime, *, sees_providers: bool = True) -> list[Entry]:
    return list(read_diary(at, SHOWN, {"alpha", "beta"} if sees_providers else None))


def probe(slug: str, at: datetime, *, is_healthy: bool) -> None:
    found = ProbeOutcome(is_healthy=is_healthy, status=200 if is_healthy else 500, latency_ms=1.0, error="")
    record_probe(provider_id=provider(slug).pk, outcome=found, at=at)


def test_probes_open_and_close_an_incident_of_their_provider(at: datetime, two_ways: object) -> None:
    for minutes in (9, 8, 7):
        probe("alpha", at - timedelta(minutes=minutes), is_healthy=False)
    (entry,) = diary(at)
    assert (entry.title, entry.state) == ("Alpha: health checks of it failed", "going on")
    assert entry.began_at == at - timedelta(minutes=8)
    assert diary(at, sees_providers=False) == []
    assert list(read_diary(at, SHOWN, {"beta"})) == []
    probe("alpha", at - timedelta(minutes=1), is_healthy=True)
    assert diary(at)[0].ended_at == at - timedelta(minutes=1)


def test_provider_that_is_not_probed_any_more_is_in_no_incident(at: datetime, two_ways: object) -> None:
    for minutes in (9, 8):
        probe("alpha", at - timedelta(minutes=minutes), is_healthy=False)
    row = provider("alpha")
    row.is_probed = False
    save_provider(provider=row)
    assert diary(at)[0].ended_at == at


def test_health_checks_open_and_close_what_is_told(at: datetime, two_ways: tuple[Offering, Offering]) -> None:
    breaker(two_ways[0].pk, "open", at - timedelta(minutes=30))
    (entry,) = diary(at)
    assert (entry.title, entry.state) == ("acme/one at Alpha: its calls failed", "going on")
    breaker(two_ways[0].pk, "closed", at - timedelta(minutes=5))
    (after,) = diary(at)
    assert (after.id, after.state, after.ended_at) == (entry.id, "over", at - timedelta(minutes=5))


def test_one_outage_is_one_entry_however_many_models_it_is_of(
    at: datetime, two_ways: tuple[Offering, Offering]
) -> None:
    first, second = two_ways
    other = Offering.objects.get(model__public_id="acme/two")
    left_alone(first.pk, at - timedelta(hours=2), 300)
    left_alone(other.pk, at - timedelta(hours=2) + timedelta(seconds=200), 300)
    left_alone(first.pk, at - timedelta(hours=2) + timedelta(seconds=500 + 600), 60)
    left_alone(second.pk, at - timedelta(hours=2) + timedelta(seconds=1), 300)
    left_alone(first.pk, at - timedelta(hours=1), 60)
    assert [entry.title for entry in diary(at)] == [
        "acme/one at Alpha: its calls failed",
        "acme/one at Beta: its calls failed",
        "acme/one, acme/two at Alpha: its calls failed",
    ]
    plain = diary(at, sees_providers=False)
    assert {entry.title for entry in plain} == {
        "acme/one: calls to one of its providers failed",
        "acme/two: calls to one of its providers failed",
    }
    assert {entry.provider for entry in plain} == {""}


def test_what_happened_to_a_teams_own_credential_is_nobody_elses_business(
    at: datetime, two_ways: tuple[Offering, Offering]
) -> None:
    own = add_credential(provider=two_ways[0].provider, team=make_team(), label="own", secret="sk-own-one")
    breaker(f"{two_ways[0].pk}:{own.pk}", "open", at - timedelta(minutes=30), "credential")
    assert Incident.objects.exists()
    assert diary(at) == []


def test_hidden_entries_and_notes_are_told_to_staff_alone(
    at: datetime, two_ways: tuple[Offering, Offering]
) -> None:
    breaker(two_ways[0].pk, "open", at - timedelta(minutes=30))
    incident = Incident.objects.get()
    IncidentNote.objects.create(incident=incident, title="For all", at=at - timedelta(minutes=9))
    IncidentNote.objects.create(incident=incident, title="For staff", is_public=False)
    (entry,) = diary(at)
    assert [note.title for note in entry.notes] == ["For all"]
    Incident.objects.update(is_public=False)
    assert diary(at) == []


def test_maintenance_is_planned_then_goes_on_then_is_over(at: datetime, two_ways: object) -> None:
    begin, end = at + timedelta(hours=1), at + timedelta(hours=2)
    Incident.objects.create(kind="maintenance", title="Database", began_at=begin, ended_at=end)
    told = [diary(at + timedelta(minutes=minutes))[0].state for minutes in (0, 60, 119, 120)]
    assert told == ["planned", "going on", "going on", "over"]


def test_diary_takes_few_queries(
    at: datetime, two_ways: tuple[Offering, Offering], django_assert_max_num_queries: Any
) -> None:
    for hours in range(2, 20):
        left_alone(two_ways[0].pk, at - timedelta(hours=hours), 60)
        Incident.objects.create(kind="incident", title="x", began_at=at - timedelta(hours=hours))
    with django_assert_max_num_queries(3):
        assert len(diary(at)) == 36


def test_staff_open_an_incident_write_of_it_and_end_it(
    client: Client, at: datetime, two_ways: object
) -> None:
    client.force_login(make_staff("root"))
    form = {
        **NOTES,
        "title": "Slow answers",
        "is_public": "on",
        "kind": "incident",
        "began_at_0": "2026-11-20",
        "began_at_1": "11:00:00",
        "notes-0-title": "We look into it",
        "notes-0-text": "Since eleven.",
    }
    assert client.post("/admin/providers/incident/add/", form).status_code == 302
    incident = Incident.objects.get()
    note = incident.notes.get()
    assert (incident.opened_by, note.author, note.at) == ("root", "root", at)
    assert [entry.title for entry in diary(at)] == ["Slow answers"]
    chosen = {"action": "end_now", "_selected_action": [incident.pk]}
    client.post("/admin/providers/incident/", chosen)
    incident.refresh_from_db()
    assert incident.ended_at == at
    client.post("/admin/providers/incident/", chosen | {"action": "hide"})
    assert diary(at) == []
    history = client.get(f"/admin/providers/incident/{incident.pk}/history/").content.decode()
    assert "Slow answers" in history
    assert AuditEntry.objects.filter(page__startswith="providers.incident").count() >= 4


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"title": ""}, "Say in one line what there is."),
        ({"ended_at_0": "2026-11-20", "ended_at_1": "10:59:59"}, "It cannot end before it began."),
        ({"kind": "seen"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    client: Client, at: datetime, change: dict[str, str], fault: str
) -> None:
    client.force_login(make_staff("root"))
    form = {**NOTES, "title": "x", "kind": "incident", "began_at_0": "2026-11-20", "began_at_1": "11:00:00"}
    answer = client.post("/admin/providers/incident/add/", form | change)
    assert fault in answer.content.decode()
    assert not Incident.objects.exists()


def test_nobody_says_what_health_checks_saw(
    client: Client, at: datetime, two_ways: tuple[Offering, Offering]
) -> None:
    client.force_login(make_staff("root"))
    breaker(two_ways[0].pk, "open", at - timedelta(minutes=30))
    incident = Incident.objects.get()
    form = {**NOTES, "title": "Alpha is down", "is_public": "on", "kind": "incident"}
    form |= {"ended_at_0": "2026-11-20", "ended_at_1": "11:59:00", "cause": "rate"}
    assert client.post(f"/admin/providers/incident/{incident.pk}/change/", form).status_code == 302
    incident.refresh_from_db()
    assert (incident.kind, incident.ended_at, incident.cause) == ("seen", None, "failures")
    assert [entry.title for entry in diary(at)] == ["Alpha is down"]
    client.post("/admin/providers/incident/", {"action": "end_now", "_selected_action": [incident.pk]})
    assert Incident.objects.get().ended_at is None


def test_whoever_may_only_look_writes_nothing(at: datetime, two_ways: object) -> None:
    incident = Incident.objects.create(kind="incident", title="Slow", began_at=at)
    looking = staff_with("providers.view_incident")
    address = f"/admin/providers/incident/{incident.pk}/change/"
    assert looking.get(address).status_code == 200
    form = {**NOTES, "title": "Mine", "notes-0-title": "x", "is_public": "on"}
    assert looking.post(address, form).status_code == 403
    assert not IncidentNote.objects.exists()


def test_admin_page_takes_few_queries(
    client: Client, at: datetime, two_ways: tuple[Offering, Offering], django_assert_max_num_queries: Any
) -> None:
    client.force_login(make_staff("root"))
    for hours in range(2, 30):
        left_alone(two_ways[0].pk, at - timedelta(hours=hours), 60)
    client.get("/admin/providers/incident/")
    with django_assert_max_num_queries(15):
        assert client.get("/admin/providers/incident/").status_code == 200

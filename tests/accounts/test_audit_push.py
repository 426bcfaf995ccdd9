"""The audit sent on to a SIEM: every entry, in order, from where it stopped; and whatever that SIEM does."""

import json
import re
import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.alerts.signing import sign
from accounts.audit import record_event
from accounts.auditing.messages import datagram, frame, syslog_message
from accounts.auditing.pushing import push_due
from accounts.auditing.receivers import read_receivers, read_secrets
from accounts.auditing.retention import forget_acts
from accounts.models import Alert, AuditEntry, AuditReceiver
from tests.accounts.alerts.receiver import running
from tests.accounts.siem import Siem, listening, listening_for_datagrams
from tests.make import make_team
from tests.services import require_service, wait_until
from tests.tls import make_authority

pytestmark = pytest.mark.django_db
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture
def siem(settings: Any) -> Iterator[Siem]:
    with listening() as found:
        settings.AUDIT_PUSH = read_receivers([f"syslog+tcp://127.0.0.1:{found.port}"])
        yield found


def act(number: int = 1) -> list[str]:
    return [f"aud_{record_event('test.done', facts={'n': each}).pk}" for each in range(number)]


def soon() -> datetime:
    """When no open transaction can have been given an earlier number, whatever the clocks."""
    return timezone.now() + timedelta(seconds=30)


def push(at: datetime | None = None) -> int:
    return push_due(at=at or soon(), most_s=30)


def test_every_entry_comes_once_and_in_order(siem: Siem) -> None:
    expected = act(250)
    assert push() == 250
    assert push() == 0
    more = act(2)
    assert push() == 2
    assert siem.ids() == [*expected, *more]


def test_message_is_syslog_with_the_entry_as_json(siem: Siem) -> None:
    team = make_team("atlas")
    AuditEntry.objects.all().forget()
    record_event("session.failed", team=team, facts={"why": 'wrong "]\\ password'})
    push()
    (message,) = siem.messages
    head, _, body = message.partition(b"\xef\xbb\xbf")
    assert re.fullmatch(
        rb"<108>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ gatehouse - session\.failed "
        rb'\[audit@32473 id="aud_\d+" event="session\.failed" team="atlas"\] ',
        head,
    )
    assert json.loads(body)["changes"]["why"]["after"] == 'wrong "]\\ password'


def test_entries_come_by_udp_as_well(settings: Any) -> None:
    with listening_for_datagrams() as siem:
        settings.AUDIT_PUSH = read_receivers([f"syslog+udp://127.0.0.1:{siem.port}"])
        expected = act(3)
        assert push() == 3
        wait_until(lambda: len(siem.messages) == 3, "the datagrams to come")
        assert siem.ids() == expected


def test_entries_come_by_tls_and_only_to_whom_its_authority_knows(settings: Any, tmp_path: Path) -> None:
    require_service("openssl", shutil.which("openssl") is not None)
    authority = make_authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("IP:127.0.0.1"))
    with listening(tls=context) as siem:
        (receiver,) = read_receivers([f"syslog+tls://127.0.0.1:{siem.port}"])
        settings.AUDIT_PUSH = [receiver]
        expected = act(3)
        assert push() == 0
        assert "certificate" in AuditReceiver.objects.get().problem.lower()
        settings.AUDIT_PUSH = [
            type(receiver)(**_fields(receiver) | {"authority": str(authority.certificate)})
        ]
        assert push(soon() + timedelta(minutes=1)) == 3
        assert siem.ids() == expected


def _fields(receiver: Any) -> dict[str, Any]:
    return {name: getattr(receiver, name) for name in receiver.__slots__}


def test_webhook_is_signed_as_ours_are(settings: Any) -> None:
    with running() as receiver:
        settings.AUDIT_PUSH, settings.AUDIT_PUSH_SECRETS = (
            read_receivers([receiver.url]),
            read_secrets([SECRET]),
        )
        expected = act(3)
        assert push() == 3
        (got,) = receiver.received
        assert [entry["id"] for entry in got.json["data"]["entries"]] == expected
        assert got.json["type"] == "audit.entries"
        message_id, timestamp = got.headers["webhook-id"], int(got.headers["webhook-timestamp"])
        assert message_id == f"{expected[0]}_{expected[-1].removeprefix('aud_')}"
        assert got.headers["webhook-signature"] == sign(SECRET, message_id, timestamp, got.body)


def test_receiver_that_is_down_harms_nothing_and_is_shown(settings: Any, siem: Siem) -> None:
    settings.AUDIT_PUSH = read_receivers(["syslog+tcp://127.0.0.1:9", f"syslog+tcp://127.0.0.1:{siem.port}"])
    expected, now = act(3), soon()
    assert push(now) == 3
    assert siem.ids() == expected
    down = AuditReceiver.objects.get(name="syslog+tcp://127.0.0.1:9")
    assert (down.sent_id, down.tries, down.failing_since) == (0, 1, now)
    assert down.problem == "It cannot be reached: Connection refused"


def test_receiver_that_is_back_gets_what_it_missed_from_where_it_stopped(siem: Siem) -> None:
    first, now = act(2), soon()
    push(now)
    siem.breaks_off = True
    missed = act(3)
    assert push(now) == 0
    assert AuditReceiver.objects.get().tries == 1
    siem.breaks_off = False
    assert push(now + timedelta(seconds=1)) == 0, "it is not tried at once"
    assert push(now + timedelta(seconds=6)) == 3
    assert siem.ids() == [*first, *missed]
    assert AuditReceiver.objects.get().failing_since is None


def test_what_one_process_sends_another_does_not(siem: Siem) -> None:
    act(1)
    now = soon()
    push(now)
    act(1)
    AuditReceiver.objects.update(claimed_until=now + timedelta(seconds=30))
    assert push(now) == 0
    assert push(now + timedelta(seconds=31)) == 1


def test_what_is_not_sent_yet_is_not_forgotten(siem: Siem) -> None:
    act(2)
    push()
    act(1)
    later = timezone.now() + timedelta(days=31)
    assert forget_acts(30, at=later, most_s=10) == 2
    assert AuditEntry.objects.count() == 1


def test_entries_are_forgotten_after_their_days_and_no_sooner() -> None:
    act(2)
    now = timezone.now()
    assert forget_acts(30, at=now + timedelta(days=30, seconds=-60), most_s=10) == 0
    assert forget_acts(0, at=now + timedelta(days=3000), most_s=10) == 0
    assert forget_acts(30, at=now + timedelta(days=30, seconds=60), most_s=10) == 2


TOLD = {
    "id": "aud_17",
    "type": "key.revoked",
    "effective_at": int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()),
    "team": 'a"b]c\\d',
    "request_id": None,
    "changes": {"name": {"before": "x" * 9_000, "after": "y"}},
}


def test_structured_data_is_escaped() -> None:
    assert rb'team="a\"b\]c\\d"' in syslog_message(TOLD, host="gateway.example")


def test_entry_that_is_too_long_for_a_datagram_leaves_its_changes_out() -> None:
    message = datagram(TOLD, host="gateway.example")
    assert len(message) < 8_192
    assert json.loads(message.partition(b"\xef\xbb\xbf")[2])["is_cut"] is True


def test_host_that_syslog_cannot_say_is_written_otherwise() -> None:
    assert b"Z a_b gatehouse" in syslog_message(TOLD, host="a b")


def test_frame_counts_octets() -> None:
    assert frame("é".encode()) == b"2 \xc3\xa9"


@pytest.mark.parametrize(
    ("word", "mark"),
    [
        ("syslog+udp://siem.example", "syslog+udp://siem.example:514"),
        ("syslog+tls://[2001:db8::1]", "syslog+tls://[2001:db8::1]:6514"),
        ("https://siem.example", "https://siem.example:443"),
    ],
)
def test_receiver_is_shown_by_its_place(word: str, mark: str) -> None:
    assert read_receivers([word])[0].mark == mark


def test_path_of_a_webhook_is_not_shown() -> None:
    (receiver,) = read_receivers(["https://siem.example/services/collector/t0ken"])
    assert "t0ken" not in receiver.mark + repr(receiver)


@pytest.mark.parametrize(
    "word",
    [
        "siem.example",
        "syslog://siem.example",
        "syslog+tcp://",
        "syslog+tcp://h:99999",
        "syslog+tcp://h/path",
        "https://user:pw@siem.example",
        "https://siem.example/#x",
        "ftp://siem.example",
    ],
)
def test_receiver_that_cannot_be_used_stops_the_start(word: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_receivers([word])


@pytest.mark.parametrize("word", ["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!"])
def test_secret_that_signs_nothing_stops_the_start_and_is_not_told(word: str) -> None:
    with pytest.raises(ValueError, match="base64") as refused:
        read_secrets([word])
    assert "c2hvcnQ" not in str(refused.value)


def test_operator_is_told_once_a_day_of_a_receiver_that_stays_away(settings: Any) -> None:
    settings.AUDIT_PUSH = read_receivers(["syslog+tcp://127.0.0.1:1"])
    act(3)
    at = soon()
    for after in (timedelta(0), timedelta(minutes=14), timedelta(minutes=25), timedelta(hours=3)):
        assert push(at + after) == 0
    told = Alert.objects.get(kind="audit.not_taken")
    assert told.team is None
    assert told.data["waiting"] == "3"
    assert "127.0.0.1:1 has taken nothing of the audit since" in told.title
    push(at + timedelta(days=1, hours=1))
    assert Alert.objects.filter(kind="audit.not_taken").count() == 2

"""Alerts arrive at receivers that are slow, down, gone, or send us elsewhere: late, once, or never, and noted."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core.mail import EmailMessage
from openai import OpenAI

from accounts.alerts import channels, posting
from accounts.alerts.channels import OVERLAP, change_channel, make_channel, replay, rotate_secret
from accounts.alerts.delivering import CLAIM, IN_ORDER, TOLD_AFTER
from accounts.alerts.raising import raise_alert
from accounts.alerts.signing import TRIES, WAITS_S
from accounts.alerts.spreading import spread_new
from accounts.models import Alert, AlertChannel, AlertDelivery, Team
from gateway.core.refusals import InvalidField
from tests.accounts.alerts.conftest import AT, send_due, tell
from tests.accounts.alerts.receiver import Receiver, endless, hang_up, with_headers
from tests.sdk.test_node import run_tests

pytestmark = pytest.mark.django_db
Channels = Callable[..., tuple[AlertChannel, str]]
SECOND = timedelta(seconds=1)


def delivery() -> AlertDelivery:
    return AlertDelivery.objects.exclude(channel=None).latest("pk")


def fail_until_the_last_try(channel: AlertChannel) -> None:
    at = AT
    for wait_s in WAITS_S[1:]:
        at += timedelta(seconds=wait_s * 1.1 + 1)
        spread_new(at=at)
        send_due(at=at)


def test_openais_sdk_unwraps_what_a_webhook_gets(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    _, secret = channel_to()
    tell(team)
    [got] = receiver.received
    alert = Alert.objects.get()
    found: Any = OpenAI(api_key="x").webhooks.unwrap(got.body.decode(), got.headers, secret=secret)
    assert (found.id, found.type, found.object) == (alert.public_id, "key.created", "event")
    assert found.created_at == int(alert.raised_at.timestamp())
    assert found.data.id == "x"
    assert got.headers["webhook-id"] == alert.public_id
    assert got.json["timestamp"].endswith("Z")
    assert got.json["data"] == {"id": "x", "team": "research", "title": alert.title, "key": "billing"}
    assert len(got.body) < 20_000


def test_openais_sdk_for_node_unwraps_it_too(team: Team, receiver: Receiver, channel_to: Channels) -> None:
    """Also while the secret rotates, by the new one and by the former."""
    channel, former = channel_to()
    secret = rotate_secret(channel=channel)
    tell(team)
    [got] = receiver.received
    told = {"body": got.body.decode(), "headers": dict(got.headers), "id": Alert.objects.get().public_id}
    for each in (secret, former):
        sent = json.dumps({**told, "type": "key.created", "secret": each})
        assert run_tests("webhooks.test.js", {"GATEHOUSE_WEBHOOK": sent}) == 2


def test_longest_alert_is_a_body_within_the_standard(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to()
    data = {"lines": ["“x”" * 20] * 1000, "what": "ä" * 20_000, "more": "y" * 14_000}
    raise_alert("books.differ", cause="c" * 200, team=team, data=data)
    spread_new(at=AT)
    send_due(at=AT)
    assert len(receiver.received[0].body) < 20_000


def test_what_arrived_is_noted_and_not_sent_again(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel, _ = channel_to()
    assert [tell(team), tell(team, AT + SECOND)] == [1, 0]
    row = delivery()
    assert (row.state, row.tries, row.log[0]["status"], row.log[0]["problem"]) == ("delivered", 1, 204, "")
    channel.refresh_from_db()
    assert channel.delivered_at is not None
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_refusal_is_tried_again_by_the_schedule_under_the_same_id(
    team: Team, receiver: Receiver, channel_to: Channels, status: int
) -> None:
    channel_to()
    receiver.answers = [status, status]
    assert tell(team) == 1
    assert send_due(at=AT + 4 * SECOND) == 0
    assert send_due(at=AT + 7 * SECOND) == 1
    assert send_due(at=AT + 300 * SECOND) == 0
    assert send_due(at=AT + 345 * SECOND) == 1
    assert len({got.headers["webhook-id"] for got in receiver.received}) == 1
    assert [line["status"] for line in delivery().log] == [status, status, 204]
    assert delivery().state == "delivered"


def test_receiver_that_is_down_or_hangs_up_is_tried_again(
    team: Team, receiver: Receiver, channel_to: Channels, settings: Any
) -> None:
    channel, _ = channel_to()
    receiver.answers = [hang_up]
    tell(team)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        settings.ALERT_PRIVATE_ADDRESSES_ALLOWED.append(address)
        change_channel(channel=channel, changes={"address": f"http://{address}/"})
        send_due(at=AT + 7 * SECOND)
    assert [line["status"] for line in delivery().log] == [None, None]
    assert all("cannot be reached" in line["problem"] for line in delivery().log)
    assert delivery().state == "waiting"


def test_receiver_that_is_slow_is_given_up_and_holds_up_nobody_else(
    team: Team, receiver: Receiver, channel_to: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 2)
    for name in ("first", "second", "third"):
        channel_to(name=name)
    channel_to(name="quick", address=f"{receiver.url}?quick")
    receiver.slow_path = "/hook"
    assert tell(team) == 4
    rows = AlertDelivery.objects.order_by("channel__name")
    assert [(row.state, row.log[0]["problem"]) for row in rows] == [
        ("waiting", "No answer came in time."),
        ("delivered", ""),
        ("waiting", "No answer came in time."),
        ("waiting", "No answer came in time."),
    ]


def test_body_without_an_end_is_not_read(team: Team, receiver: Receiver, channel_to: Channels) -> None:
    channel_to()
    receiver.answers = [endless]
    tell(team)
    assert delivery().state == "delivered"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_a_failure_and_leads_nowhere(
    team: Team, receiver: Receiver, channel_to: Channels, status: int
) -> None:
    channel_to()
    receiver.answers = [with_headers(status, location=receiver.url)]
    tell(team)
    assert len(receiver.received) == 1
    assert delivery().state == "waiting"
    assert "not followed" in delivery().log[0]["problem"]


def test_private_address_is_refused_when_it_is_named_and_when_a_name_leads_there(
    team: Team, receiver: Receiver, channel_to: Channels, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALERT_PRIVATE_ADDRESSES_ALLOWED = []
    # What is open for providers is not open for what people of teams name.
    settings.PRIVATE_ADDRESSES_ALLOWED = [receiver.address]
    for address in (
        receiver.url,
        "https://10.0.0.7/",
        "https://169.254.169.254/latest",
        "https://db.internal/",
    ):
        with pytest.raises(InvalidField):
            channel_to(address=address)
    channel_to(address="https://hooks.example.com/")
    monkeypatch.setattr(posting, "httpx_client", _resolving_to("10.0.0.7"))
    tell(team)
    assert delivery().log[0]["problem"] == (
        "Its name leads to a private or reserved address, which is not allowed."
    )
    assert receiver.received == []


def _resolving_to(address: str) -> Any:
    client = posting.httpx_client
    return lambda policy, **given: client(policy, **given, resolve=lambda *_: [address])


def test_receiver_that_is_gone_is_switched_off_and_its_owners_are_told(
    team: Team, receiver: Receiver, channel_to: Channels, mailoutbox: list[Any]
) -> None:
    channel, _ = channel_to()
    receiver.answers = [503]
    tell(team)
    receiver.answers = [410]
    tell(team, AT + SECOND, cause="y")
    channel.refresh_from_db()
    assert (channel.is_active, channel.disabled_because) == (False, "It answered 410 Gone.")
    assert {row.state for row in AlertDelivery.objects.filter(channel=channel)} == {"failed"}
    spread_new(at=AT + SECOND)
    send_due(at=AT + SECOND)
    [mail] = mailoutbox
    assert mail.to == ["boss@example.com"]
    assert mail.subject == "The alert channel on-call is switched off"
    assert "410 Gone" in mail.body
    assert tell(team, AT + timedelta(days=1), cause="z") == 0


def test_receiver_that_takes_nothing_is_told_of_before_it_is_switched_off(
    team: Team, receiver: Receiver, channel_to: Channels, mailoutbox: list[Any]
) -> None:
    channel, _ = channel_to()
    receiver.answers = [500] * TRIES
    tell(team)
    fail_until_the_last_try(channel)
    spread_new(at=AT + timedelta(days=9))
    send_due(at=AT + timedelta(days=9))
    channel.refresh_from_db()
    assert len(receiver.received) == TRIES
    assert (channel.is_active, delivery().state) == (False, "failed")
    assert [mail.subject.partition("on-call")[2].split()[:2] for mail in mailoutbox] == [
        ["has", "taken"],
        ["is", "switched"],
    ]
    warned = Alert.objects.get(kind="channel.failing").raised_at
    assert warned <= Alert.objects.get(kind="channel.disabled").raised_at


def test_receiver_that_took_another_one_meanwhile_is_left_on(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel, _ = channel_to()
    receiver.answers = [500] * (TRIES - 1)
    tell(team)
    AlertDelivery.objects.update(tries=TRIES - 1, due_at=AT)
    receiver.answers = [500]
    AlertChannel.objects.update(delivered_at=AT + SECOND)
    send_due(at=AT + SECOND)
    channel.refresh_from_db()
    assert (channel.is_active, delivery().state) == (True, "failed")


@pytest.mark.parametrize("since", [TOLD_AFTER - 10 * SECOND, TOLD_AFTER + 10 * SECOND])
def test_owners_are_told_of_a_failing_channel_after_a_day_and_once(
    team: Team, receiver: Receiver, channel_to: Channels, since: timedelta
) -> None:
    channel_to()
    receiver.answers = [500] * 3
    AlertChannel.objects.update(failing_since=AT - since)
    tell(team)
    send_due(at=AT + 7 * SECOND)
    assert Alert.objects.filter(kind="channel.failing").count() == (since > TOLD_AFTER)


def test_receiver_that_asks_to_be_left_alone_is_and_with_it_all_that_waits(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to()
    receiver.answers = [with_headers(429, retry_after="600")]
    tell(team)
    assert tell(team, AT + 590 * SECOND, cause="y") == 0
    assert tell(team, AT + 605 * SECOND, cause="z") == 3
    assert len(receiver.received) == 4


@pytest.mark.parametrize("status", [429, 502, 504])
def test_receiver_that_has_too_much_is_left_alone_for_a_minute(
    team: Team, receiver: Receiver, channel_to: Channels, status: int
) -> None:
    channel_to()
    receiver.answers = [status]
    tell(team)
    assert send_due(at=AT + 30 * SECOND) == 0
    assert send_due(at=AT + 65 * SECOND) == 1


def test_after_the_first_that_fails_the_others_of_the_round_are_not_tried(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to()
    for number in range(IN_ORDER + 1):
        raise_alert("key.created", cause=str(number), team=team)
    spread_new(at=AT)
    receiver.answers = [204, 500]
    assert send_due(at=AT) == 2
    assert send_due(at=AT) == IN_ORDER - 1
    assert [got.json["data"]["id"] for got in receiver.received] == ["0", "1", "2", "3", "4"]


def test_secret_before_a_rotation_signs_for_a_day_beside_the_new_one(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel, old = channel_to()
    new = rotate_secret(channel=channel)
    AlertChannel.objects.update(former_until=AT + OVERLAP)
    tell(team, AT + OVERLAP - SECOND)
    tell(team, AT + OVERLAP, cause="y")
    during, after = receiver.received
    verify = OpenAI(api_key="x").webhooks.verify_signature
    for secret in (old, new):
        verify(during.body.decode(), during.headers, secret=secret)
    verify(after.body.decode(), after.headers, secret=new)
    assert len(after.headers["webhook-signature"].split()) == 1


def test_delivery_is_sent_once_more_when_it_is_asked_for(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to()
    tell(team)
    replay(delivery=delivery())
    with pytest.raises(InvalidField):
        replay(delivery=delivery())
    assert send_due(at=delivery().due_at) == 1
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert (delivery().state, len(delivery().log)) == ("delivered", 2)


def test_button_sends_a_test_to_its_channel_alone_and_not_to_one_that_is_off(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel, _ = channel_to(kinds=["key.leaked"])
    channel_to(name="other")
    row = channels.test_channel(channel=channel)
    spread_new(at=row.due_at)
    assert send_due(at=row.due_at) == 1
    assert [got.json["type"] for got in receiver.received] == ["channel.test"]
    change_channel(channel=channel, changes={"is_active": False})
    with pytest.raises(InvalidField):
        channels.test_channel(channel=channel)


def test_what_a_process_that_died_had_in_hand_is_sent_by_another_later(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to()
    raise_alert("key.created", cause="x", team=team)
    spread_new(at=AT)
    AlertDelivery.objects.update(claim="dead", claimed_until=AT + CLAIM)
    assert send_due(at=AT + CLAIM - SECOND) == 0
    assert send_due(at=AT + CLAIM) == 1


def test_what_waits_for_a_channel_that_is_switched_off_does_not_come_later(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel, _ = channel_to()
    receiver.answers = [500]
    tell(team)
    change_channel(channel=channel, changes={"is_active": False})
    change_channel(channel=channel, changes={"is_active": True})
    assert send_due(at=AT + timedelta(days=2)) == 0
    assert delivery().state == "failed"


def test_channel_whose_secret_cannot_be_read_says_so(
    team: Team, receiver: Receiver, channel_to: Channels, settings: Any
) -> None:
    channel_to()
    settings.CREDENTIAL_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    tell(team)
    assert delivery().state == "waiting"
    assert "GATEWAY_CREDENTIAL_KEYS" in delivery().log[0]["problem"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("slack", lambda sent: (sent["text"], sent["blocks"][0]["text"]["text"])),
        (
            "teams",
            lambda sent: (
                sent["attachments"][0]["content"]["body"][0]["text"],
                sent["attachments"][0]["content"]["type"],
            ),
        ),
        ("discord", lambda sent: (sent["embeds"][0]["title"], sent["allowed_mentions"])),
    ],
)
def test_chat_gets_its_own_form_unsigned(
    team: Team, receiver: Receiver, channel_to: Channels, kind: str, path: Any
) -> None:
    _, secret = channel_to(kind, address=f"{receiver.url}?sig=a%2Fb")
    tell(team)
    [got] = receiver.received
    title = "A key was made: billing"
    expected = {"slack": title, "teams": "AdaptiveCard", "discord": {"parse": []}}
    assert path(got.json) == (title, expected[kind])
    assert (secret, got.path) == ("", "/hook?sig=a%2Fb")
    assert "webhook-signature" not in got.headers


def test_mail_channel_is_one_mail_to_all_its_addresses(
    team: Team, channel_to: Channels, mailoutbox: list[Any]
) -> None:
    channel_to("mail", address="on-call@example.com, ops@example.com")
    tell(team)
    [mail] = mailoutbox
    assert mail.to == ["on-call@example.com", "ops@example.com"]
    assert mail.subject == "A key was made: billing"


def test_operators_channel_hears_of_teams_only_if_it_wants_to(receiver: Receiver, team: Team) -> None:
    for name, hears in (("own", False), ("all", True)):
        make_channel(team=None, kind="webhook", name=name, address=receiver.url, hears_teams=hears)
    assert tell(team) == 1
    assert tell(None, kind="books.differ") == 2


def test_secrets_are_encrypted_anew_with_the_newest_key(
    team: Team, receiver: Receiver, channel_to: Channels, settings: Any
) -> None:
    channel, secret = channel_to()
    rotate_secret(channel=channel)
    former, new = settings.CREDENTIAL_KEYS, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    settings.CREDENTIAL_KEYS = [new, *former]
    assert channels.seal_anew() == []
    settings.CREDENTIAL_KEYS = [new]
    channel.refresh_from_db()
    assert channels.address_of(channel) == receiver.url
    assert channels.secrets_of(channel, at=AT)[1] == secret
    settings.CREDENTIAL_KEYS = former
    [problem] = channels.seal_anew()
    assert channel.public_id in problem


def test_mail_server_that_is_away_is_asked_once_in_a_round_and_one_bad_address_stops_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    asked: list[str] = []

    def send(message: Any) -> int:
        asked.extend(message.to)
        raise failures.pop(0)

    monkeypatch.setattr(EmailMessage, "send", send)
    raise_alert("key.leaked", cause="x", team=team, people=[team.members.get(username="member").pk])
    spread_new(at=AT)
    failures: list[Exception] = [ConnectionRefusedError("away")]
    assert send_due(at=AT) == 1
    failures = [SMTPRecipientsRefused({}), SMTPRecipientsRefused({})]
    assert send_due(at=AT + 7 * SECOND) == 2
    assert sorted(asked) == ["boss@example.com", "boss@example.com", "member@example.com"]
    assert {row.state for row in AlertDelivery.objects.all()} == {"waiting"}

"""Every kind of mail, word for word: as text and as HTML, in `golden`.

A wording that is meant is written anew by `GATEHOUSE_GOLDEN=write pytest tests/accounts/mail/test_golden.py`.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.core.management import call_command

from accounts.alerts.channels import make_channel
from accounts.alerts.kinds import FOR_PEOPLE, KINDS, OPERATORS, WEEKLY
from accounts.alerts.letters import letter
from accounts.alerts.raising import make_alert
from accounts.invitations import mail as mail_invitation
from accounts.mail.message import Facts, Heading, Listing, Table, keep_parts
from accounts.mail.sending import send
from accounts.models import Alert, AlertChannel, AlertDelivery, Invitation, Team
from gateway.identity import tasks
from gateway.server.front import read_public_url
from tests.make import NOW, make_team, make_user

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).parent / "golden"
LINK = "https://gw.example.com/team/alerts?team=atlas"
PLACE = "https://gw.example.com"
DATA: Mapping[str, Any] = {
    "email": "mary@example.com",
    "role": "member",
    "receiver": "siem.example",
    "waiting": 12,
    "percent": 80,
    "whose": "team Atlas",
    "window": "a month",
    "budget": "$250 a month",
    "zone": "Europe/Berlin",
    "spent_usd": "200.01",
    "resets_at": "2026-06-30 22:00 UTC",
    "then": "Calls are refused once all is spent.",
    "times": "3.4",
    "at": "2026-06-01 11:58 UTC",
    "days": 30,
    "usual_usd": "10.00",
    "highest_usd": "14.20",
    "key": "sk-gw-0123456789AB-… (billing)",
    "key_id": "key_1",
    "team_name": "Atlas <b> עברית",
    "scopes": "inference",
    "by": "ann",
    "former_key": "sk-gw-BA9876543210-… (billing)",
    "former_until": "2026-06-08 12:00 UTC",
    "day": "2026-06-08",
    "expires_at": "2026-06-08 12:00 UTC",
    "last_used": "never",
    "found_at": "https://code.example/repo/blob/main/very-long-path/" + "x" * 120,
    "who": "Mary",
    "count": 2,
    "what": "the role admin",
    "ends_at": "not by itself",
    "reason": "On call this week.\nThanks",
    "state": "granted",
    "note": "nothing",
    "provider_name": "Acme",
    "label": "our own",
    "masked": "sk-…9f",
    "failure": "401 Unauthorized",
    "model": "acme/large",
    "news": "Model 'acme/large' is deprecated; use 'acme/xl'.",
    "calls": 120,
    "number": "2026-05-0001",
    "period": "May 2026",
    "total_usd": "1250.00",
    "cost_centre": "4711",
    "statements": 3,
    "username": "break",
    "address": "192.0.2.7",
    "lines": ["acme/large: 4 calls", "401"],
    "began_at": "2026-06-01",
    "cause": "5 failures in a row",
    "until": "2026-06-01 12:05 UTC",
    "place": "s3://ledger",
    "problem": "HTTP 503",
    "channel_name": "on-call",
    "shown": "https://hooks.example/…",
    "since": "2026-05-31 12:00 UTC",
}
WEEK = {
    "period": "25 to 31 May 2026",
    "told": "",
    "parts": keep_parts(
        [
            Heading("Atlas"),
            Facts(
                [
                    ("Spent", "$1,250.40, 12 % more than the week before"),
                    ("Calls", "12,003"),
                    ("Errors", "40"),
                ]
            ),
            Table(
                "Models",
                ("Model", "Spent", "Calls"),
                [("acme/large", "$1,200.00", "11,000"), ("a/s", "< $0.01", "3")],
            ),
            Listing("Models that end", ["acme/large retires on 30 Jun 2026; use acme/xl"]),
        ]
    ),
}


@pytest.fixture(autouse=True)
def known(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PUBLIC_URL, settings.MAIL_IS_SET = read_public_url(PLACE), True
    monkeypatch.setattr(signing, "dumps", lambda *_, **__: "TOKEN")


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


def check(name: str, mail: Any) -> None:
    """Against the golden files of that name."""
    got: Any = message_from_bytes(mail.message().as_bytes(), policy=default)
    assert isinstance(got, EmailMessage)
    # Where long ones are folded is Python's to decide, and differs between its versions.
    head = "".join(
        f"{each}: {' '.join(str(got[each]).split())}\n"
        for each in ("Subject", "List-Id", "List-Unsubscribe")
        if got[each]
    )
    text, html = (part.get_content() for part in got.iter_parts())
    for path, found in ((GOLDEN / f"{name}.txt", f"{head}\n{text}"), (GOLDEN / f"{name}.html", html)):
        if os.environ.get("GATEHOUSE_GOLDEN") == "write":
            path.write_text(found, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == found, path.name


def delivery(alert: Alert, channel: AlertChannel | None = None) -> AlertDelivery:
    return AlertDelivery(pk=1, alert=alert, channel=channel, address="" if channel else "ann@example.com")


@pytest.mark.parametrize("kind", KINDS)
def test_alert_is_mailed_as_it_always_was(kind: str, team: Team, mailoutbox: list[Any]) -> None:
    make_user("ann", email="ann@example.com")
    is_teams = kind in {*FOR_PEOPLE, "alert.digest"} - {WEEKLY}
    data = WEEK if kind == WEEKLY else {"kind": "key.created"} if kind == "alert.digest" else {}
    alert = make_alert(kind, cause="x", team=team if is_teams else None, data={**DATA, **data})
    send(letter(delivery(alert), LINK if is_teams else f"{PLACE}/"), ["ann@example.com"])
    assert ("List-Unsubscribe" in mailoutbox[0].message()) == may_be_stopped(kind)
    check(kind, mailoutbox[0])


def may_be_stopped(kind: str) -> bool:
    told = "key.created" if kind == "alert.digest" else kind
    return told in FOR_PEOPLE and not KINDS[told].is_required and told not in OPERATORS


def test_operators_own_budget_is_no_mail_that_a_person_stops(mailoutbox: list[Any]) -> None:
    make_user("ann", email="ann@example.com")
    alert = make_alert("budget.threshold", cause="x", team=None, data=DATA)
    send(letter(delivery(alert), f"{PLACE}/admin/"), ["ann@example.com"])
    assert "List-Unsubscribe" not in mailoutbox[0].message()
    check("operators", mailoutbox[0])


def test_mail_of_a_channel_says_whose_channel_it_is(team: Team, mailoutbox: list[Any]) -> None:
    channel, _ = make_channel(team=team, kind="mail", name="on-call", address="on-call@example.com")
    alert = make_alert("key.created", cause="x", team=team, data=DATA)
    send(letter(delivery(alert, channel), LINK), ["on-call@example.com"])
    check("channel", mailoutbox[0])


def test_invitation_is_mailed_as_it_always_was(team: Team, mailoutbox: list[Any]) -> None:
    invitation = Invitation.objects.create(
        team=team,
        email="new@example.com",
        role="admin",
        invited_by=make_user("ann"),
        digest="x",
        expires_at=NOW + timedelta(days=7),
    )
    assert mail_invitation(invitation, f"{PLACE}/invitation#SECRET")
    check("invitation", mailoutbox[0])


@pytest.mark.parametrize("what", tasks.NOTICES)
def test_notice_of_a_sign_in_is_mailed_as_it_always_was(what: str, mailoutbox: list[Any]) -> None:
    tasks.mail_notice(make_user("ann", email="ann@example.com").pk, what, "192.0.2.7")
    check(what.replace("/", "-"), mailoutbox[0])


def test_links_of_passwords_and_accounts_are_mailed_as_they_always_were(
    mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.default_token_generator, "make_token", lambda _: "TOKEN")
    monkeypatch.setattr(tasks, "urlsafe_base64_encode", lambda _: "MQ")
    make_user("ann", email="ann@example.com")
    tasks.mail_forgotten("ann", PLACE)
    tasks.mail_sign_up("new@example.com", PLACE)
    tasks.mail_sign_up("ann@example.com", PLACE)
    for name, mail in zip(("forgotten", "sign-up", "sign-up-known"), mailoutbox, strict=True):
        check(name, mail)


def test_test_mail_says_that_mail_leaves(mailoutbox: list[Any]) -> None:
    call_command("send_test_mail", "ops@example.com", stdout=StringIO())
    check("test", mailoutbox[0])


def test_every_golden_file_is_of_a_mail() -> None:
    notices = {what.replace("/", "-") for what in tasks.NOTICES}
    names = {
        *KINDS,
        *notices,
        "channel",
        "operators",
        "invitation",
        "forgotten",
        "sign-up",
        "sign-up-known",
        "test",
    }
    assert {
        path.stem if path.suffix == ".html" else path.name.removesuffix(".txt") for path in GOLDEN.iterdir()
    } <= names

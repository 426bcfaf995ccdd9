"""Secrets that were made, stored or typed are in no form in which the audit is told, kept or sent on."""

import re
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.alerts.channels import make_channel, rotate_secret
from accounts.auditing.messages import datagram, syslog_message, webhook_body
from accounts.auditing.telling import tell_all
from accounts.models import AuditEntry, Membership, ScimDirectory
from accounts.scim.tokens import issue_token
from accounts.services import OVERLAP, rotate_key
from providers.credentials import add_credential
from providers.services import store_secret
from tests.make import make_key, make_provider, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
TYPED = ["pw-Zx81-typed-by-somebody", "sk-upstream-stored-secret", "sk-own-credential-secret"]


@pytest.fixture
def secrets(client: Client) -> list[str]:
    """Made, stored or typed, by every act that has one."""
    password, stored, own = TYPED
    team = make_team("atlas")
    person = make_user("olga", teams=[team])
    Membership.objects.filter(user=person).update(role="owner")
    key, text = make_key(team, "reports")
    _, rotated = rotate_key(key=key, overlap=OVERLAP)
    channel, signing = make_channel(
        team=team, kind="webhook", name="on-call", address="https://hooks.example.com/T0ken-of-a-chat"
    )
    signing_anew = rotate_secret(channel=channel)
    provider = make_provider()
    store_secret(credential=provider.credential, secret=stored)
    add_credential(provider=provider, team=team, label="own", secret=own, place="only")
    person.set_password(password)
    person.save()
    _, token = issue_token(ScimDirectory.objects.create(name="Okta"))
    client.force_login(person)
    client.post("/keys?team=atlas", {"name": f"pasted {text}", "scopes": ["inference", "catalogue"]})
    return [password, stored, own, text, rotated, signing, signing_anew, token, "T0ken-of-a-chat"]


def lines_of(answer: Any) -> str:
    async def read() -> str:
        return "".join([part.decode() async for part in answer.streaming_content])

    return async_to_sync(read)()


def told_everywhere(client: Client) -> dict[str, str]:
    """By place: all that it says."""
    told = {name: client.get(name).text for name in ("/team/audit?team=atlas", "/v1/audit?limit=100")}
    told["export"] = lines_of(client.get("/team/audit?team=atlas&format=jsonl"))
    client.force_login(make_staff("root"))
    told["admin"] = client.get("/admin/accounts/auditentry/?all=").text
    told["admin's export"] = lines_of(client.get("/admin/accounts/auditentry/export.jsonl"))
    for entry in AuditEntry.objects.all():
        told[f"entry {entry.event}"] = client.get(f"/admin/accounts/auditentry/{entry.pk}/change/").text
    entries = tell_all(list(AuditEntry.objects.newest_first()))
    told["syslog"] = "".join(syslog_message(each, host="h").decode() for each in entries)
    told["datagrams"] = "".join(datagram(each, host="h").decode() for each in entries)
    told["webhook"] = webhook_body(entries, message_id="aud_1_2", at=timezone.now()).decode()
    dump = StringIO()
    call_command("dumpdata", "accounts.auditentry", stdout=dump)
    told["dump"] = dump.getvalue()
    return told


def test_no_secret_is_told_anywhere(client: Client, secrets: list[str]) -> None:
    told = told_everywhere(client)
    assert len(told) > 15
    for place, text in told.items():
        for secret in secrets:
            # Of a key its id may be told, and of a token what it begins with.
            hidden = secret[-20:] if len(secret) > 40 else secret
            assert hidden not in text, (place, re.sub(r"\w{6,}", "…", secret))


def test_every_place_tells_something(client: Client, secrets: list[str]) -> None:
    told = told_everywhere(client)
    assert all(
        "reports" in told[name] for name in ("/team/audit?team=atlas", "export", "syslog", "webhook", "dump")
    )

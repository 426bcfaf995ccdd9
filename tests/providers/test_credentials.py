"""Credentials beside the main ones: kept, changed, found again by every process, and forgotten."""

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Alert
from accounts.models.audit import AuditEntry
from catalogue.published.loading import load_snapshot
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretUnreadable
from providers import credentials, services
from providers.credentials import (
    add_credential,
    change_credential,
    credential_facts,
    note_refusal,
    remove_credential,
    replace_secret,
)
from providers.models import ProviderCredential
from providers.secrets import decrypt
from tests import make

pytestmark = pytest.mark.django_db

SECRET = "own-secret-of-the-team-a1b2"
OTHER = "another-secret-of-theirs-c3d4"


@pytest.fixture(autouse=True)
def _key(credential_key):
    """Every test has a key of its own."""


@pytest.fixture
def team():
    return make.make_team("research")


@pytest.fixture
def provider():
    return make.make_provider("vendor")


def add(provider, team, label="research account", secret=SECRET, **terms):
    return add_credential(provider=provider, team=team, label=label, secret=secret, **terms)


def found(provider, team):
    """As calls find them."""
    return load_snapshot(None).credentials_of(team.pk if team else 0, provider.pk)


def test_a_secret_is_kept_encrypted_with_its_last_four_characters_beside_it(provider, team):
    made = add(provider, team)
    row = ProviderCredential.objects.values().get()
    assert SECRET not in repr(row)
    assert (made.hint, made.masked, str(made)) == ("a1b2", "…a1b2", "research account at Vendor")
    assert decrypt(made.ciphertext, provider=provider, team_id=team.pk) == SECRET


def test_of_a_short_secret_nothing_is_shown(provider, team):
    assert add(provider, team, secret="short-sec-12345").masked == "…"


def test_calls_find_it_with_its_terms_and_teams_find_their_own_only(provider, team):
    key, _ = make.make_key(team)
    add(provider, team, model_patterns=["acme/*"], keys=[key], place="only")
    facts = found(provider, team)[0]
    assert (facts.secret, facts.place, facts.is_own) == (SECRET, "only", True)
    assert (facts.model_patterns, facts.lineage_ids) == (("acme/*",), frozenset({key.lineage_id}))
    assert found(provider, make.make_team()) == found(provider, None) == ()


def test_they_are_tried_in_their_positions_and_a_new_one_comes_last(provider, team):
    for label in ("one", "two", "three"):
        add(provider, team, label)
    change_credential(credential=ProviderCredential.objects.get(label="three"), position=0)
    change_credential(credential=ProviderCredential.objects.get(label="one"), position=5)
    assert [each.label for each in found(provider, team)] == ["three", "two", "one"]


def test_another_teams_row_opens_nothing_when_somebody_moves_it(provider, team):
    made = add(provider, team)
    other = make.make_team()
    ProviderCredential.objects.update(team=other)
    assert found(provider, other) == ()
    with pytest.raises(SecretUnreadable, match="belongs to somebody else"):
        decrypt(made.ciphertext, provider=provider, team_id=other.pk)


def test_all_are_read_in_two_queries_and_decrypted_once(provider, team, monkeypatch):
    for label in ("one", "two"):
        add(provider, team, label)
    first = credential_facts()
    monkeypatch.setattr(credentials, "open_secret", None)
    with CaptureQueriesContext(connection) as queries:
        assert credential_facts() == first
    assert len(queries) == 2


@pytest.mark.parametrize("how", ["off", "removed"])
def test_one_that_is_switched_off_or_removed_is_gone_from_the_next_snapshot(provider, team, how):
    made = add(provider, team)
    before = load_snapshot(None)
    if how == "off":
        change_credential(credential=made, is_enabled=False)
    else:
        remove_credential(credential=made)
    assert load_snapshot(before).credentials_of(team.pk, provider.pk) == ()


def test_a_replaced_secret_is_another_one_and_its_failure_is_over(provider, team):
    made = add(provider, team)
    note_refusal(made.pk, "No.", at=timezone.now())
    made.refresh_from_db()
    replace_secret(credential=made, secret=OTHER)
    assert (found(provider, team)[0].secret, made.hint, made.failure) == (OTHER, "c3d4", "")


def test_a_new_origin_forgets_every_one_and_says_so(provider, team):
    add(provider, team)
    add(provider, None, "backup")
    provider.base_url = "https://elsewhere.example/v1"
    services.save_provider(provider=provider)
    assert set(ProviderCredential.objects.values_list("ciphertext", "hint")) == {("", "")}
    assert found(provider, team) == found(provider, None) == ()
    told = AuditEntry.objects.filter(changes__has_key="ciphertext", action=AuditEntry.Action.UPDATE)
    assert [entry.changes["ciphertext"] for entry in told] == [["•••", ""]] * 2


def test_an_address_that_was_moved_past_the_service_opens_nothing(provider, team):
    add(provider, team)
    type(provider).objects.update(base_url="https://elsewhere.example/v1")
    assert found(provider, team) == ()


def test_a_path_of_the_same_origin_keeps_them(provider, team):
    add(provider, team)
    provider.base_url += "/beta"
    services.save_provider(provider=provider)
    assert found(provider, team)[0].secret == SECRET


def test_new_encryption_keys_take_them_over(provider, team, settings):
    made = add(provider, team)
    old = settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *old]
    assert services.rotate_secrets() == []
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    made.refresh_from_db()
    assert decrypt(made.ciphertext, provider=provider, team_id=team.pk) == SECRET


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"secret": "two words and more"}, "secret"),
        ({"secret": "1234567"}, "secret"),
        ({"label": " "}, "label"),
        ({"label": "two\nlines"}, "label"),
        ({"model_patterns": []}, "model_patterns"),
        ({"model_patterns": ["a b"]}, "model_patterns"),
        ({"keys": []}, "keys"),
    ],
)
def test_what_could_not_work_is_refused_by_its_field_and_never_quoted(provider, team, terms, field):
    with pytest.raises(InvalidField) as refused:
        add(provider, team, **terms)
    assert refused.value.field == field
    assert terms.get("secret", SECRET) not in refused.value.message
    assert not ProviderCredential.objects.exists()


def test_eight_characters_are_a_secret(provider, team):
    assert add(provider, team, secret="12345678")


def test_one_label_stands_for_one_at_each_provider(provider, team):
    add(provider, team)
    add(make.make_provider(), team)
    add(provider, make.make_team())
    add(provider, None)
    for whose in (team, None):
        with pytest.raises(InvalidField, match="already"):
            add(provider, whose)


def test_the_operators_stands_beside_the_main_one_and_not_in_its_place(provider):
    with pytest.raises(InvalidField, match="before or after"):
        add(provider, None, place="only")


def test_there_are_twenty_at_most(provider, team):
    for number in range(credentials.MOST):
        add(provider, team, f"number {number}")
    with pytest.raises(InvalidField, match="20 at Vendor already"):
        add(provider, team, "one more")


def test_the_audit_tells_of_it_on_the_teams_page_without_the_secret(provider, team):
    made = add(provider, team)
    replace_secret(credential=made, secret=OTHER)
    remove_credential(credential=made)
    entries = list(AuditEntry.objects.order_by("pk").filter(object_repr__startswith="research account"))
    assert [entry.action for entry in entries] == [
        AuditEntry.Action.CREATE,
        AuditEntry.Action.UPDATE,
        AuditEntry.Action.DELETE,
    ]
    assert {entry.page for entry in entries} == {f"accounts.team/{team.pk}"}
    told = json.dumps([entry.changes for entry in entries])
    assert SECRET not in told
    assert made.ciphertext not in told


def test_a_refusal_is_noted_and_its_team_told_once_a_day(provider, team):
    made, at = add(provider, team), timezone.now()
    for hours in (1, 2, 30):
        note_refusal(made.pk, "Key revoked.", at=at.replace(hour=1) + timedelta(days=1, hours=hours))
    made.refresh_from_db()
    assert made.failure == "Key revoked."
    told = Alert.objects.order_by("pk")
    assert [(alert.kind, alert.team) for alert in told] == [("credential.refused", team)] * 2
    assert "Vendor refuses your team's own credential research account" in told[0].title
    assert SECRET not in told[0].text


def test_a_refusal_of_a_secret_that_was_replaced_since_is_nobodys(provider, team):
    made = add(provider, team)
    note_refusal(made.pk, "Key revoked.", at=timezone.now() - timedelta(minutes=1))
    note_refusal(made.pk + 1, "Key revoked.", at=timezone.now())
    made.refresh_from_db()
    assert (made.failed_at, Alert.objects.count()) == (None, 0)


def test_of_a_further_one_of_the_operator_staff_are_told(provider):
    made = add(provider, None, "backup")
    note_refusal(made.pk, "Key revoked.", at=timezone.now())
    alert = Alert.objects.get()
    assert (alert.kind, alert.team) == ("provider.alarm", None)
    assert "backup (…a1b2): Key revoked." in alert.text

"""The pages of a team's provider keys: for its owners, tested before they are kept, and never shown again."""

import re
from html import unescape

import pytest
from cryptography.fernet import Fernet

from accounts.models import Membership
from accounts.rights import Role
from providers.credentials import add_credential, note_refusal
from providers.models import ProviderCredential
from tests.make import NOW, make_entry, make_key, make_provider, make_team, make_user
from tests.vendor import selling

pytestmark = pytest.mark.django_db
SECRET, OTHER = "own-secret-of-the-team-a1b2", "another-secret-of-theirs-c3d4"
PAGE = "/team/credentials"


@pytest.fixture
def vendor(settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with selling(SECRET, OTHER) as vendor:
        settings.PRIVATE_ADDRESSES_ALLOWED = [vendor.address]
        yield vendor


@pytest.fixture
def provider(vendor):
    return make_provider("vendor", name="Vendor", base_url=vendor.base_url)


@pytest.fixture
def team():
    return make_team("atlas", name="Atlas")


@pytest.fixture
def owner(client, team):
    client.force_login(make_user("mary", teams=[team]))
    Membership.objects.update(role=Role.OWNER)
    return client


@pytest.fixture
def kept(provider, team):
    return add_credential(
        provider=provider, team=team, label="research account", secret=SECRET, tested_at=NOW
    )


def typed(provider, **changes):
    return {
        "provider": provider.pk,
        "label": "research account",
        "secret": SECRET,
        "place": "before",
        "model_patterns": "",
        **changes,
    }


def words(page):
    """The text that people see of it, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_an_owner_comes_there_from_the_teams_page_and_adds_the_first(owner, provider):
    assert f'href="{PAGE}?team=atlas"' in owner.get("/team").text
    assert "No provider keys yet" in owner.get(PAGE).text
    page = owner.post(PAGE, typed(provider, model_patterns="acme/*\nbest/one"), follow=True).text
    assert "“research account” is tested and saved. Calls of Atlas use it within a second." in page
    its_id = ProviderCredential.objects.get().pk
    assert (
        f"research account …a1b2 id {its_id} Vendor works before the gateway's acme/* best/one all never"
        in words(page)
    )
    row = ProviderCredential.objects.get()
    assert (row.model_patterns, row.lineages, row.set_by) == (["acme/*", "best/one"], None, "mary")


def test_what_the_provider_refuses_is_said_at_its_field_and_not_kept_nor_shown(owner, provider):
    page = owner.post(PAGE, typed(provider, secret="wrong-secret-of-nobody")).text
    assert "Vendor refuses this key (401)." in page
    assert "Nothing was saved." in page
    assert "wrong-secret" not in page
    assert not ProviderCredential.objects.exists()


def test_a_provider_that_does_not_answer_is_said_at_the_provider(owner, provider, vendor):
    vendor.known.clear()
    vendor.status = 500
    page = owner.post(PAGE, typed(provider)).text
    assert "Vendor cannot be asked whether it takes this key: it answers with an error of its own." in page
    assert not ProviderCredential.objects.exists()


def test_it_may_be_for_some_keys_of_the_team_alone(owner, provider, team, kept):
    key, _ = make_key(team, "nightly")
    make_key(make_team(), "strangers")
    page = owner.get(PAGE).text
    assert "nightly" in page
    assert "strangers" not in page
    owner.post(PAGE, typed(provider, label="second", keys=[key.public_id]))
    assert ProviderCredential.objects.get(label="second").lineages == [key.pk]
    assert "nightly" in words(owner.get(PAGE).text.partition("<tbody>")[2])


def test_its_page_changes_its_terms_and_leaves_the_secret(owner, kept):
    address = f"{PAGE}/{kept.pk}"
    page = owner.get(address).text
    assert SECRET not in page
    assert kept.ciphertext not in page
    sent = {"form": "terms", "label": "new name", "place": "only", "model_patterns": "", "position": "4"}
    assert "“new name” is changed." in owner.post(address, sent, follow=True).text
    changed = ProviderCredential.objects.get()
    assert (changed.label, changed.place, changed.position, changed.is_enabled) == (
        "new name",
        "only",
        4,
        False,
    )
    assert changed.ciphertext == kept.ciphertext


def test_a_label_that_is_taken_is_said_at_its_field(owner, kept, provider, team):
    add_credential(provider=provider, team=team, label="second", secret=OTHER)
    sent = {"form": "terms", "label": "second", "place": "before", "position": "0", "is_enabled": "on"}
    page = owner.post(f"{PAGE}/{kept.pk}", sent).text
    assert "There is one called 'second' at Vendor already." in unescape(page)
    assert "research account" in page


def test_a_secret_is_replaced_by_one_that_works_and_kept_otherwise(owner, kept):
    address = f"{PAGE}/{kept.pk}"
    page = owner.post(address, {"form": "secret", "secret": "wrong-secret-of-nobody"}).text
    assert "Vendor refuses this key (401)." in page
    assert ProviderCredential.objects.get().hint == "a1b2"
    owner.post(address, {"form": "secret", "secret": OTHER})
    assert ProviderCredential.objects.get().hint == "c3d4"


def test_it_is_tested_when_somebody_presses_the_button(owner, kept, vendor):
    assert "Vendor takes it." in owner.post(f"{PAGE}/{kept.pk}/test", follow=True).text
    vendor.known.clear()
    assert "Vendor refuses this key (401)." in owner.post(f"{PAGE}/{kept.pk}/test", follow=True).text


def test_what_was_forgotten_or_refused_says_so(owner, kept):
    note_refusal(kept.pk, "Key revoked.", at=kept.rotated_at)
    assert "refused" in words(owner.get(PAGE).text)
    assert "Key revoked." in owner.get(f"{PAGE}/{kept.pk}").text
    ProviderCredential.objects.update(ciphertext="", hint="")
    assert "forgotten" in words(owner.get(PAGE).text)
    page = owner.post(f"{PAGE}/{kept.pk}/test", follow=True).text
    assert "The key was forgotten when Vendor moved." in page


def test_page_of_limits_says_that_none_of_them_counts_its_calls(owner, kept):
    assert "own credentials at Vendor count for none of these" in words(owner.get("/team/limits").text)
    ProviderCredential.objects.update(is_enabled=False)
    assert "own credentials at" not in owner.get("/team/limits").text


def test_it_is_removed_after_what_would_stop_is_said(owner, kept, team):
    make_entry(make_key(team)[0], own_credential_id=kept.pk)
    page = words(owner.get(f"{PAGE}/{kept.pk}/remove").text)
    assert (
        "Attempts with it in the last day 1 In the last 7 days 1 Keys that may use it all of the team" in page
    )
    assert f"curl -X DELETE http://testserver/v1/credentials/{kept.pk}" in page
    page = owner.post(f"{PAGE}/{kept.pk}/remove", follow=True).text
    assert "“research account” is removed. Within a second no call uses it." in page
    assert not ProviderCredential.objects.exists()


@pytest.mark.parametrize("what", ["", "/{}", "/{}/test", "/{}/remove"])
def test_members_see_nothing_of_it(client, team, kept, what):
    client.force_login(make_user("tom", teams=[team]))
    address = PAGE + what.format(kept.pk)
    assert client.post(address, {}).status_code == 403
    assert client.get(PAGE).status_code == 403
    assert "Provider keys" not in client.get("/team").text


@pytest.mark.parametrize("what", ["/{}", "/{}/test", "/{}/remove"])
def test_other_teams_owners_find_nothing(client, kept, what):
    client.force_login(make_user("tom", teams=[make_team()]))
    Membership.objects.update(role=Role.OWNER)
    assert client.post(PAGE + what.format(kept.pk), {}).status_code == 404
    assert client.get(f"{PAGE}?team=atlas").status_code == 404


def test_it_may_have_an_address_and_a_region_of_its_own(owner, provider, vendor):
    address = f"{vendor.base_url}/eu"
    page = owner.post(PAGE, typed(provider, base_url="http://10.0.0.1/v1")).text
    assert "private" in page
    assert "lower case" in owner.post(PAGE, typed(provider, region="EU")).text
    assert not ProviderCredential.objects.exists()
    owner.post(PAGE, typed(provider, base_url=address, region="eu"))
    row = ProviderCredential.objects.get()
    assert (row.base_url, row.region) == (address, "eu")
    path = f"{PAGE}/{row.pk}"
    page = owner.get(path).text
    assert address in page
    assert "<dt>Region</dt><dd>eu</dd>" in page
    owner.post(path, {"form": "secret", "secret": OTHER, "base_url": ""})
    row = ProviderCredential.objects.get()
    assert (row.base_url, row.hint, row.region) == ("", "c3d4", "eu")

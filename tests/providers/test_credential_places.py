"""Addresses and regions of further credentials: checked, and the secret bound to where it was typed for."""

import pytest

from gateway.core.refusals import InvalidField
from providers import services
from providers.credential_places import checked_address
from providers.credentials import (
    add_credential,
    change_credential,
    credential_facts,
    encrypt_anew,
    open_secret,
    replace_secret,
)
from providers.facts import OPERATOR
from providers.models import ProviderCredential
from tests import make
from tests.vendor import selling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credential_key")]
SECRET, OTHER = "main-secret-of-us-a1b2", "another-secret-of-us-c3d4"
EU = "https://eu.vendor.example/v1"


@pytest.fixture
def provider():
    return make.make_provider("vendor", base_url="https://api.vendor.example/v1")


@pytest.fixture
def kept(provider):
    return add_credential(
        provider=provider, team=None, label="eu", place="after", secret=SECRET, base_url=EU, region="eu"
    )


def facts():
    (found,) = next(iter(credential_facts()[OPERATOR].values()))
    return found


def test_both_are_in_the_snapshot(kept):
    assert (facts().base_url, facts().region, facts().secret) == (EU, "eu", SECRET)


def test_a_row_that_somebody_points_elsewhere_opens_nothing(kept):
    ProviderCredential.objects.update(base_url="https://evil.example/v1")
    assert credential_facts() == {}
    ProviderCredential.objects.update(base_url="")
    assert credential_facts() == {}
    # Another path is the same place.
    ProviderCredential.objects.update(base_url="https://eu.vendor.example/v2")
    assert facts().secret == SECRET


def test_another_address_asks_for_the_secret_again(kept):
    with pytest.raises(InvalidField, match="asks for the secret again"):
        change_credential(credential=kept, base_url="https://us.vendor.example/v1")
    changed = change_credential(credential=ProviderCredential.objects.get(), base_url=EU, region="eu-west-1")
    assert (changed.region, open_secret(changed)) == ("eu-west-1", SECRET)
    replace_secret(credential=changed, secret=OTHER, base_url="")
    assert (facts().base_url, facts().secret) == ("", OTHER)


@pytest.mark.parametrize(
    ("base_url", "is_kept"),
    [("", False), ("https://api.vendor.example/eu/v1", False), (EU, True)],
)
def test_a_provider_that_moves_takes_those_at_its_origin_along(provider, base_url, is_kept):
    add_credential(provider=provider, team=None, label="x", place="after", secret=SECRET, base_url=base_url)
    provider.base_url = "https://api.new.example/v1"
    services.save_provider(provider=provider)
    assert bool(ProviderCredential.objects.get().ciphertext) is is_kept
    assert bool(credential_facts()) is is_kept


def test_it_is_encrypted_anew_for_the_same_address(kept):
    encrypt_anew(kept)
    assert facts().secret == SECRET


@pytest.mark.parametrize("region", ["EU", "eu west", "-eu", "e" * 41])
def test_a_region_is_one_lower_case_word(provider, region):
    with pytest.raises(InvalidField, match="lower case") as refused:
        add_credential(provider=provider, team=None, label="x", place="after", secret=SECRET, region=region)
    assert refused.value.field == "region"


@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://eu.vendor.example/v1", "https://"),
        ("https://user@eu.vendor.example/v1", ""),
        ("https://169.254.169.254/v1", ""),
        ("https://10.0.0.1/v1", ""),
        ("https://localhost/v1", ""),
        ("vendor", ""),
        (f"{EU}/{'x' * 300}", "characters"),
    ],
)
def test_an_address_is_checked_as_a_providers_is(provider, url, told, is_own):
    with pytest.raises(InvalidField) as refused:
        checked_address(url, provider=provider, is_own=is_own)
    assert refused.value.field == "base_url"
    assert told in refused.value.message


def test_a_teams_own_reaches_nothing_that_settings_let_in_for_providers(settings):
    with selling(SECRET) as inner, selling(SECRET) as other:
        settings.PRIVATE_ADDRESSES_ALLOWED = [inner.address, other.address]
        provider = make.make_provider("inner", base_url=inner.base_url)
        assert checked_address(other.base_url, provider=provider, is_own=False) == other.base_url
        with pytest.raises(InvalidField):
            checked_address(other.base_url, provider=provider, is_own=True)
        # Where its provider is, it may be at another path.
        assert checked_address(f"{inner.base_url}/eu/", provider=provider, is_own=True).endswith("/eu")
        assert checked_address(f"{inner.base_url}/", provider=provider, is_own=True) == ""

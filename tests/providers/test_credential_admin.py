"""Further credentials in the admin: the operator's are staff's to add and change, teams' own to look at and remove."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from providers.credentials import add_credential, credential_facts
from providers.facts import OPERATOR
from providers.models import ProviderCredential
from tests import make
from tests.vendor import selling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credential_key")]
SECRET, OTHER = "main-secret-of-us-a1b2", "another-secret-of-us-c3d4"
LIST = "/admin/providers/providercredential/"
ADD = f"{LIST}add/"


@pytest.fixture
def staff(client):
    client.force_login(make.make_staff("curator"))
    return client


@pytest.fixture
def vendor(settings):
    with selling(SECRET, OTHER) as vendor:
        settings.PRIVATE_ADDRESSES_ALLOWED = [vendor.address]
        yield vendor


@pytest.fixture
def provider(vendor):
    return make.make_provider("vendor", name="Vendor", base_url=vendor.base_url)


@pytest.fixture
def own(provider):
    return add_credential(provider=provider, team=make.make_team("atlas"), label="of atlas", secret=SECRET)


def typed(provider=None, **changes):
    given = {"label": "backup", "secret": SECRET, "place": "after", "position": "0", "model_patterns": ""}
    given |= {"quotas-TOTAL_FORMS": "0", "quotas-INITIAL_FORMS": "0"}
    return given | {"is_enabled": "on"} | ({"provider": provider.pk} if provider else {}) | changes


def page_of(credential):
    return f"{LIST}{credential.pk}/change/"


def test_one_more_of_the_operator_is_tested_and_kept(staff, provider):
    assert staff.post(ADD, typed(provider)).status_code == 302
    kept = ProviderCredential.objects.get()
    assert (kept.team, kept.label, kept.masked, kept.place) == (None, "backup", "…a1b2", "after")
    assert kept.tested_at
    page = staff.get(page_of(kept)).text
    assert SECRET not in page
    assert kept.ciphertext not in page
    assert "…a1b2" in page


def test_one_that_its_provider_refuses_is_not_kept(staff, provider):
    page = staff.post(ADD, typed(provider, secret="wrong-secret-of-nobody")).text
    assert "Vendor refuses this key (401)." in page
    assert "wrong-secret" not in page
    assert not ProviderCredential.objects.exists()
    assert "Type the provider&#x27;s key." in staff.post(ADD, typed(provider, secret="")).text


def test_its_terms_change_without_its_secret_and_its_secret_is_replaced(staff, provider):
    staff.post(ADD, typed(provider))
    kept = ProviderCredential.objects.get()
    assert staff.post(page_of(kept), typed(secret="", place="before")).status_code == 302
    changed = ProviderCredential.objects.get()
    assert (changed.place, changed.ciphertext) == ("before", kept.ciphertext)
    assert staff.post(page_of(kept), typed(secret=OTHER)).status_code == 302
    assert ProviderCredential.objects.get().hint == "c3d4"


def test_one_of_the_operators_is_held_to_the_quotas_that_staff_give_it(staff, provider):
    staff.post(ADD, typed(provider))
    kept = ProviderCredential.objects.get()
    row = {"unit": "requests", "window": "minute", "amount": "60", "credential": kept.pk, "id": ""}
    quotas = {f"quotas-0-{name}": value for name, value in row.items()} | {"quotas-TOTAL_FORMS": "1"}
    assert staff.post(page_of(kept), typed(secret="", **quotas)).status_code == 302
    (facts,) = credential_facts()[OPERATOR][provider.pk]
    assert [(quota.subject, quota.unit, quota.amount, quota.window_s) for quota in facts.quotas] == [
        (f"credential:{kept.pk}", "requests", 60, 60)
    ]
    assert "quotas" in staff.get(page_of(kept)).text


def test_a_teams_own_has_no_quotas_of_ours(staff, own):
    assert "quotas-TOTAL_FORMS" not in staff.get(page_of(own)).text


def test_of_a_teams_own_staff_see_that_it_is_there_and_nothing_of_its_secret(staff, own):
    listed = staff.get(LIST).text
    assert "of atlas" in listed
    assert "…a1b2" in listed
    page = staff.get(page_of(own)).text
    assert own.ciphertext not in page
    assert 'name="secret"' not in page
    assert staff.post(page_of(own), typed(secret=OTHER)).status_code == 403
    assert ProviderCredential.objects.get().hint == "a1b2"


def test_staff_may_remove_a_teams_own(staff, own):
    assert staff.post(f"{LIST}{own.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ProviderCredential.objects.exists()


def test_a_providers_page_leads_to_its_further_ones(staff, provider, own):
    address = f"{LIST}?provider__id__exact={provider.pk}"
    assert f'href="{address}"' in staff.get(f"/admin/providers/provider/{provider.pk}/change/").text
    assert "of atlas" in staff.get(address).text


def test_who_may_only_look_changes_nothing(client, provider):
    kept = add_credential(provider=provider, team=None, label="backup", secret=SECRET)
    viewer = User.objects.create(username="viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_providercredential"))
    client.force_login(viewer)
    assert client.get(page_of(kept)).status_code == 200
    assert 'name="secret"' not in client.get(page_of(kept)).text
    assert client.post(page_of(kept), typed(secret=OTHER)).status_code == 403
    assert client.get(ADD).status_code == 403


def test_its_own_address_is_tested_and_another_one_asks_for_the_secret_again(staff, provider, settings):
    with selling(OTHER) as elsewhere:
        page = staff.post(ADD, typed(provider, base_url=elsewhere.base_url, secret=OTHER)).text
        assert "private" in page
        settings.PRIVATE_ADDRESSES_ALLOWED = [*settings.PRIVATE_ADDRESSES_ALLOWED, elsewhere.address]
        page = staff.post(ADD, typed(provider, base_url=elsewhere.base_url, region="EU")).text
        assert "lower case" in page
        assert (
            "Vendor refuses this key (401)."
            in staff.post(ADD, typed(provider, base_url=elsewhere.base_url)).text
        )
        assert not ProviderCredential.objects.exists()
        own = typed(provider, base_url=f"{elsewhere.base_url}/", region="eu", secret=OTHER)
        assert staff.post(ADD, own).status_code == 302
        kept = ProviderCredential.objects.get()
        assert (kept.base_url, kept.region) == (elsewhere.base_url, "eu")
        assert kept.tested_at
        page = staff.post(page_of(kept), typed(secret="", region="eu")).text
        assert "A new address asks for the secret again" in page
        same = typed(secret="", base_url=elsewhere.base_url, region="us")
        assert staff.post(page_of(kept), same).status_code == 302
        (facts,) = credential_facts()[OPERATOR][provider.pk]
        assert (facts.base_url, facts.region, facts.secret) == (elsewhere.base_url, "us", OTHER)

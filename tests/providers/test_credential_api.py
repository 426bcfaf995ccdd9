"""`/v1/credentials`: tested before they are kept, the owners' to change, and never shown."""

import orjson
import pytest
from django.test import Client

from accounts.models import Membership
from accounts.services import OVERLAP, issue_key, rotate_key
from providers import services
from providers.credentials import add_credential
from providers.models import ProviderCredential
from tests import make
from tests.providers.test_connection_check import speaking_tls
from tests.services import free_port
from tests.vendor import selling

pytestmark = pytest.mark.django_db

SECRET, OTHER = "own-secret-of-the-team-a1b2", "another-secret-of-theirs-c3d4"


class Person:
    def __init__(self, team, role):
        self.client = Client()
        self.user = make.make_user(f"the-{role}" if team.slug == "research" else team.slug, teams=[team])
        self.client.force_login(self.user)
        Membership.objects.filter(user=self.user).update(role=role)

    def call(self, method, path, body=None, **headers):
        content = b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, path, content, "application/json", **headers)


@pytest.fixture(autouse=True)
def _key(credential_key):
    """Every test has a key of its own."""


@pytest.fixture
def team():
    return make.make_team("research")


@pytest.fixture
def vendor(settings):
    with selling(SECRET, OTHER) as vendor:
        settings.PRIVATE_ADDRESSES_ALLOWED = [vendor.address]
        yield vendor


@pytest.fixture
def provider(vendor):
    return make.make_provider("vendor", base_url=vendor.base_url)


@pytest.fixture
def boss(team):
    return Person(team, "owner")


@pytest.fixture
def made(boss, provider):
    answer = boss.call("POST", "/v1/credentials", asked())
    assert answer.status_code == 201, answer.content
    return answer.json()


def asked(**changes):
    return {"provider": "vendor", "label": "research account", "secret": SECRET, **changes}


def test_a_credential_is_tested_kept_told_changed_and_removed(boss, made):
    assert (made["object"], made["team"], made["provider"]) == ("credential", "research", "vendor")
    assert (made["masked"], made["place"], made["position"]) == ("…a1b2", "before", 0)
    assert (made["model_patterns"], made["keys"], made["set_by"]) == (None, None, "the-owner")
    assert made["tested_at"] is not None
    path = f"/v1/credentials/{made['id']}"
    assert boss.call("GET", path).json() == made
    listed = boss.call("GET", "/v1/credentials?provider=vendor").json()
    assert (listed["total"], listed["data"]) == (1, [made])
    assert boss.call("GET", "/v1/credentials?provider=other").json()["total"] == 0
    changed = boss.call("PATCH", path, {"place": "only", "position": 3}).json()
    assert (changed["place"], changed["position"], changed["masked"]) == ("only", 3, "…a1b2")
    assert boss.call("DELETE", path).status_code == 204
    assert boss.call("GET", path).status_code == 404


def test_the_secret_is_in_no_answer(boss, made, vendor):
    path = f"/v1/credentials/{made['id']}"
    told = [
        boss.call("GET", path),
        boss.call("GET", "/v1/credentials"),
        boss.call("PATCH", path, {"secret": OTHER}),
        boss.call("POST", f"{path}/test"),
        boss.call("POST", "/v1/credentials", asked(label="wrong", secret="wrong-secret-of-nobody")),
    ]
    texts = "".join(answer.content.decode() for answer in told)
    assert not [secret for secret in (SECRET, OTHER, "wrong-secret-of-nobody") if secret in texts]


def test_made_again_it_is_the_same_and_another_one_of_its_name_is_refused(boss, made):
    again = boss.call("POST", "/v1/credentials", asked())
    assert (again.status_code, again.json()) == (200, made)
    for change, field in (
        ({"secret": OTHER}, "secret"),
        ({"place": "after"}, "place"),
        ({"keys": None, "model_patterns": ["acme/*"]}, "model_patterns"),
    ):
        refused = boss.call("POST", "/v1/credentials", asked(**change))
        assert (refused.status_code, refused.json()["error"]["param"]) == (409, field)
    assert ProviderCredential.objects.count() == 1


def test_a_replaced_secret_is_tested_first_and_its_terms_stay(boss, made, vendor):
    path = f"/v1/credentials/{made['id']}"
    refused = boss.call("PATCH", path, {"secret": "a-secret-that-nobody-knows", "place": "after"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "credential_refused")
    assert boss.call("GET", path).json() == made
    replaced = boss.call("PATCH", path, {"secret": OTHER, "place": "after"}).json()
    assert (replaced["masked"], replaced["place"]) == ("…c3d4", "after")


@pytest.mark.parametrize("field", ["model_patterns", "keys"])
def test_null_means_all_an_empty_list_is_refused_and_what_is_left_out_stays(boss, made, team, field):
    key, _ = make.make_key(team)
    path, value = (
        f"/v1/credentials/{made['id']}",
        {"model_patterns": ["acme/*"], "keys": [key.public_id]}[field],
    )
    assert boss.call("PATCH", path, {field: value}).json()[field] == value
    refused = boss.call("PATCH", path, {field: []})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, field)
    assert boss.call("PATCH", path, {"place": "after"}).json()[field] == value
    assert boss.call("PATCH", path, {field: None}).json()[field] is None


@pytest.mark.parametrize("number", [100, 101])
def test_there_are_a_hundred_patterns_at_most(boss, made, number):
    patterns = [f"acme/{each}" for each in range(number)]
    answer = boss.call("PATCH", f"/v1/credentials/{made['id']}", {"model_patterns": patterns})
    assert answer.status_code == (200 if number == 100 else 400)


def test_a_key_that_was_rotated_is_named_by_the_first_of_its_lineage(boss, made, team):
    first, _ = make.make_key(team)
    new, _ = rotate_key(key=first, overlap=OVERLAP)
    changed = boss.call("PATCH", f"/v1/credentials/{made['id']}", {"keys": [new.public_id]}).json()
    assert changed["keys"] == [first.public_id]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"provider": "nobody"}, "provider", "invalid_value"),
        ({"provider": "off"}, "provider", "invalid_value"),
        ({"secret": "two words"}, "secret", "invalid_value"),
        ({"secret": "short"}, "secret", "invalid_value"),
        ({"place": "beside"}, "place", None),
        ({"position": -1}, "position", None),
        ({"keys": ["aaaaaaaaaaaa"]}, "keys", "invalid_value"),
        ({"keys": ["\0"]}, "keys", None),
        ({"model_patterns": ["a b"]}, "model_patterns", "invalid_value"),
        ({"region": "EU"}, "region", "invalid_value"),
        ({"region": 7.5}, "region", "invalid_value"),
        ({"base_url": "http://10.0.0.1/v1"}, "base_url", "invalid_value"),
        ({"base_url": "somewhere"}, "base_url", "invalid_value"),
        ({"team_id": 3}, "team_id", "unknown_parameter"),
        ({"label": ""}, "label", None),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(boss, provider, changes, field, code):
    make.make_provider("off", is_enabled=False)
    refused = boss.call("POST", "/v1/credentials", asked(**changes))
    error = refused.json()["error"]
    assert (refused.status_code, error["param"].partition(".")[0]) == (400, field), error
    assert code in {None, error["code"]}
    assert not ProviderCredential.objects.exists()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, (400, "credential_refused", "secret")),
        (400, (400, "credential_refused", "secret")),
        (402, (400, "account_without_credit", "secret")),
        (403, (400, "permission_lacking", "secret")),
        (500, (502, "provider_failed", "provider")),
        (302, (502, "provider_redirects", "provider")),
    ],
)
def test_what_the_provider_says_is_told_apart(boss, provider, vendor, status, code):
    vendor.known.clear()
    vendor.status = status
    refused = boss.call("POST", "/v1/credentials", asked())
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == code
    assert not ProviderCredential.objects.exists()


def test_so_is_whatever_keeps_it_from_being_asked_without_saying_where_it_is(
    boss, provider, vendor, settings, tmp_path
):
    closed = free_port()
    with speaking_tls(tmp_path) as secured:
        places = {
            f"http://127.0.0.1:{closed}/v1": "provider_refuses_connections",
            f"https://127.0.0.1:{secured}/v1": "provider_certificate_invalid",
            f"https://{vendor.address}/v1": "provider_tls_failed",
            "https://nobody.invalid/v1": "provider_name_unknown",
            "http://127.0.0.1:1/v1": "provider_address_forbidden",
        }
        settings.PRIVATE_ADDRESSES_ALLOWED = [f"127.0.0.1:{port}" for port in (closed, secured)] + [
            vendor.address
        ]
        for base_url, code in places.items():
            type(provider).objects.update(base_url=base_url)
            refused = boss.call("POST", "/v1/credentials", asked())
            assert (refused.status_code, refused.json()["error"]["code"]) == (502, code)
            assert "127.0.0.1" not in refused.content.decode()


def test_where_a_list_is_open_to_everybody_it_is_kept_and_not_called_tested(boss, provider, vendor):
    vendor.is_open = True
    made = boss.call("POST", "/v1/credentials", asked(secret="whatever-secret-it-is")).json()
    assert (made["tested_at"], made["masked"]) == (None, "…t-is")


def test_a_kept_one_is_tested_again(boss, made, vendor):
    path = f"/v1/credentials/{made['id']}/test"
    assert boss.call("POST", path).json()["tested_at"] > made["tested_at"]
    vendor.known.clear()
    assert boss.call("POST", path).json()["error"]["code"] == "credential_refused"


def test_one_that_was_forgotten_says_so(boss, made, provider):
    provider.base_url = "https://elsewhere.example/v1"
    services.save_provider(provider=provider)
    told = boss.call("GET", f"/v1/credentials/{made['id']}").json()
    assert (told["masked"], told["tested_at"]) == ("forgotten", None)
    refused = boss.call("POST", f"/v1/credentials/{made['id']}/test")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "credential_forgotten")


class TestWhoMay:
    def everything(self, call, made):
        path = f"/v1/credentials/{made['id']}"
        return [
            call("POST", "/v1/credentials", asked(label="second")).status_code,
            call("PATCH", path, {"place": "after"}).status_code,
            call("POST", f"{path}/test").status_code,
            call("DELETE", path).status_code,
        ]

    def reading(self, call, made):
        path = f"/v1/credentials/{made['id']}"
        return [call("GET", "/v1/credentials").status_code, call("GET", path).status_code]

    def test_owners_may(self, boss, made):
        assert self.reading(boss.call, made) == [200, 200]
        assert self.everything(boss.call, made) == [201, 200, 200, 204]

    def test_members_look(self, team, made):
        member = Person(team, "member")
        assert self.reading(member.call, made) == [200, 200]
        assert self.everything(member.call, made) == [403] * 4

    @pytest.mark.parametrize(("owner", "may"), [("owner", True), ("member", False), (None, False)])
    def test_of_management_keys_only_an_owners_own_may(self, team, boss, made, owner, may):
        people = {"owner": boss.user, "member": Person(team, "member").user, None: None}
        _, text = issue_key(team=team, name="programs", scope="management", owner=people[owner])

        def call(method, path, body=None):
            content = b"" if body is None else orjson.dumps(body)
            headers = {"Authorization": f"Bearer {text}"}
            return Client().generic(method, path, content, "application/json", headers=headers)

        assert self.reading(call, made) == [200, 200]
        assert self.everything(call, made) == ([201, 200, 200, 204] if may else [403] * 4)

    def test_nobody_elses_owner_finds_it(self, made):
        stranger = Person(make.make_team("others"), "owner")
        path = f"/v1/credentials/{made['id']}"
        found = [
            stranger.call("GET", path),
            stranger.call("PATCH", path, {"place": "after"}),
            stranger.call("POST", f"{path}/test"),
            stranger.call("DELETE", path),
            stranger.call("GET", "/v1/credentials/9223372036854775808000"),
        ]
        assert [answer.status_code for answer in found] == [404] * 5
        assert stranger.call("GET", "/v1/credentials").json()["total"] == 0

    def test_the_operators_further_ones_are_no_teams(self, boss, provider):
        kept = add_credential(provider=provider, team=None, label="backup", secret=SECRET)
        assert boss.call("GET", "/v1/credentials").json()["total"] == 0
        assert boss.call("GET", f"/v1/credentials/{kept.pk}").status_code == 404

    def test_a_key_that_only_calls_models_may_not_look(self, team, made):
        _, text = make.make_key(team)
        answer = Client().get("/v1/credentials", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 403


def test_it_may_have_an_address_and_a_region_of_its_own(boss, made, vendor, provider):
    path, address = f"/v1/credentials/{made['id']}", f"{vendor.base_url}/eu"
    assert (made["base_url"], made["region"]) == (None, None)
    refused = boss.call("PATCH", path, {"base_url": address})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "secret")
    changed = boss.call("PATCH", path, {"base_url": address, "region": "eu", "secret": OTHER}).json()
    assert (changed["base_url"], changed["region"], changed["masked"]) == (address, "eu", "…c3d4")
    assert boss.call("POST", f"{path}/test").json()["tested_at"]
    assert boss.call("PATCH", path, {"place": "after"}).json()["base_url"] == address
    back = boss.call("PATCH", path, {"base_url": None, "region": None, "secret": OTHER}).json()
    assert (back["base_url"], back["region"]) == (None, None)
    second = asked(label="second", base_url=address, region="eu-west-1")
    assert boss.call("POST", "/v1/credentials", second).json()["base_url"] == address
    assert boss.call("POST", "/v1/credentials", second).status_code == 200
    other = boss.call("POST", "/v1/credentials", second | {"region": "us"})
    assert (other.status_code, other.json()["error"]["param"]) == (409, "region")

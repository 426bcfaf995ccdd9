"""Alert channels over the management API: made, tried, rotated, read; by owners, and of their own team only."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from openai import OpenAI

from accounts.alerts.channels import MOST, make_channel
from accounts.alerts.raising import make_alert
from accounts.models import AlertChannel, AlertDelivery, AuditEntry, Membership, Team
from accounts.rights import Role
from tests.accounts.alerts.conftest import deliver
from tests.accounts.alerts.receiver import Receiver, running
from tests.accounts.conftest import Caller
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/services/T0/secret-abcd"
NEW = {"kind": "webhook", "name": "on-call", "address": URL}
ROUTES = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/test"),
    ("POST", "/rotate-secret"),
    ("GET", "/deliveries"),
    ("POST", "/deliveries/{delivery}/replay"),
]


class Owner:
    """Somebody who is signed in, and speaks JSON."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __call__(self, method: str, path: str = "", body: Any = "") -> Any:
        address = f"/v1/alert-channels{path}"
        return self._client.generic(
            method, address, self._client._encode_json(body, "application/json"), "application/json"
        )


@pytest.fixture
def owner(member: Client) -> Owner:
    Membership.objects.update(role=Role.OWNER)
    return Owner(member)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with running() as found:
        settings.ALERT_PRIVATE_ADDRESSES_ALLOWED = [found.address]
        yield found


def test_channel_is_made_tried_and_read_and_what_it_got_is_sent_again(
    owner: Owner, receiver: Receiver
) -> None:
    made = owner("POST", "", NEW | {"address": receiver.url, "kinds": ["key.leaked"]})
    assert made.status_code == 201
    channel, secret = made.json(), made.json()["secret"]
    assert (channel["object"], channel["team"], channel["kinds"]) == (
        "alert_channel",
        "research",
        ["key.leaked"],
    )
    assert owner("GET", f"/{channel['id']}").json() == {k: v for k, v in channel.items() if k != "secret"}
    test = owner("POST", f"/{channel['id']}/test")
    assert (test.status_code, test.json()["state"]) == (202, "waiting")
    deliver(timezone.now())
    [row] = owner("GET", f"/{channel['id']}/deliveries").json()["data"]
    assert (row["type"], row["state"], row["next_try_at"], row["tries"][0]["status"]) == (
        "channel.test",
        "delivered",
        None,
        204,
    )
    again = owner("POST", f"/{channel['id']}/deliveries/{row['id']}/replay")
    assert again.status_code == 202
    deliver(timezone.now())
    for got in receiver.received:
        OpenAI(api_key="x").webhooks.unwrap(got.body.decode(), got.headers, secret=secret)
    assert [got.headers["webhook-id"] for got in receiver.received] == [row["event"]] * 2


def test_secret_and_address_are_told_once_and_rest_encrypted(owner: Owner) -> None:
    made = owner("POST", "", NEW).json()
    assert made["address"] == "https://hooks.example.com/…abcd"
    rotated = owner("POST", f"/{made['id']}/rotate-secret").json()
    assert rotated["secret"] != made["secret"]
    assert rotated["former_secret_until"] is not None
    kept = str(AlertChannel.objects.values().get()) + str(list(AuditEntry.objects.values()))
    for hidden in (URL, "secret-abcd", made["secret"], rotated["secret"]):
        assert hidden not in kept
        assert hidden not in owner("GET").text


def test_channel_is_changed_switched_off_and_removed(owner: Owner) -> None:
    path = f"/{owner('POST', '', NEW).json()['id']}"
    changed = owner("PATCH", path, {"name": "night", "is_active": False, "kinds": []}).json()
    assert (changed["name"], changed["is_active"], changed["kinds"]) == ("night", False, [])
    assert owner("POST", f"{path}/test").status_code == 400
    assert owner("DELETE", path).status_code == 204
    assert owner("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"kinds": ["provider.alarm"]}, "kinds"),
        ({"kinds": ["channel.test"]}, "kinds"),
        ({"address": "http://hooks.example.com/"}, "address"),
        ({"address": "https://10.0.0.7/"}, "address"),
        ({"address": "https://hooks.example.com/#x"}, "address"),
        ({"address": "https://me:secret@hooks.example.com/"}, "address"),
        ({"address": "https://hooks.example.com/?q=a b"}, "address"),
        ({"address": "https://hooks.example.com/" + "x" * 1000}, "address"),
        ({"kind": "mail", "address": "nobody"}, "address"),
        ({"kind": "mail", "address": ", ".join(["a@example.com"] * 11)}, "address"),
        ({"kind": "pager"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"hears_teams": True}, "hears_teams"),
    ],
)
def test_channel_that_cannot_be_is_refused_by_name(owner: Owner, changes: dict[str, Any], param: str) -> None:
    answer = owner("POST", "", NEW | changes)
    assert answer.status_code == 400
    assert (answer.json()["error"]["param"] or "").partition(".")[0].partition("[")[0] == param
    assert not AlertChannel.objects.exists()


def test_unknown_field_of_a_change_is_refused(owner: Owner) -> None:
    made = owner("POST", "", NEW).json()
    assert owner("PATCH", f"/{made['id']}", {"kind": "slack"}).json()["error"]["param"] == "kind"


def test_mail_leaves_to_the_domains_that_the_operator_allows(owner: Owner, settings: Any) -> None:
    settings.ALERT_MAIL_DOMAINS = ["example.com"]
    told = [
        owner("POST", "", NEW | {"kind": "mail", "address": each}).status_code
        for each in ("a@Example.com", "a@evil.example")
    ]
    assert told == [201, 400]


def test_only_a_webhook_has_a_secret(owner: Owner) -> None:
    made = owner("POST", "", NEW | {"kind": "slack"}).json()
    assert made["secret"] is None
    assert owner("POST", f"/{made['id']}/rotate-secret").status_code == 400


def test_team_has_so_many_channels_and_no_more(owner: Owner, team: Team) -> None:
    for number in range(MOST):
        make_channel(team=team, kind="webhook", name=str(number), address=URL)
    assert owner("POST", "", NEW).json()["error"]["param"] == "team"


def test_members_and_management_keys_read_and_do_not_change(
    member: Client, call: Caller, manager: str, team: Team
) -> None:
    channel, _ = make_channel(team=team, kind="webhook", name="x", address=URL)
    delivery = AlertDelivery.objects.create(
        alert=_alert(team), channel=channel, state=AlertDelivery.State.FAILED
    )
    for method, rest in ROUTES:
        path = f"/v1/alert-channels/{channel.public_id}{rest.format(delivery=delivery.pk)}"
        expected = 200 if method == "GET" else 403
        assert call(method, path, manager, {}).status_code == expected
        assert member.generic(method, path, "{}", "application/json").status_code == expected
    assert call("POST", "/v1/alert-channels", manager, NEW).status_code == 403
    assert AlertDelivery.objects.get().state == "failed"


def test_channel_of_another_team_and_of_the_operator_are_not_there(owner: Owner) -> None:
    other = make_team("other")
    make_user("else", teams=[other])
    for team in (other, None):
        channel, _ = make_channel(team=team, kind="webhook", name="secret plans", address=URL)
        delivery = AlertDelivery.objects.create(alert=_alert(team), channel=channel)
        for method, rest in ROUTES:
            answer = owner(method, f"/{channel.public_id}{rest.format(delivery=delivery.pk)}", {})
            assert answer.status_code == 404
            assert "secret plans" not in answer.text
    assert owner("GET").json()["total"] == 0
    assert AlertChannel.objects.count() == 2


def test_delivery_of_another_channel_is_not_there(owner: Owner, team: Team) -> None:
    first, second = (
        make_channel(team=team, kind="webhook", name=name, address=URL)[0] for name in ("a", "b")
    )
    row = AlertDelivery.objects.create(alert=_alert(team), channel=second, state="failed")
    for delivery in (row.pk, "x", "9" * 30, "-1"):
        path = f"/{first.public_id}/deliveries/{delivery}/replay"
        assert owner("POST", path).status_code == 404


def _alert(team: Team | None) -> Any:
    return make_alert("key.leaked", cause="x", team=team, data={})

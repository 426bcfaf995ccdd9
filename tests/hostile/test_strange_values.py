"""No value makes an address fail: numbers, dates, NUL, directions of writing and length, on whatever database."""

import base64
import json
import logging
from collections.abc import Iterator
from random import Random
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client

from tests.hostile.addresses import Address, addresses
from tests.make import make_key, make_published, make_staff, make_team

pytestmark = pytest.mark.django_db

SEED = 20261128
TRIES = 10
PARTS = ("first", "second", "third")
"""Of all addresses, since one part is minutes of work."""
IN_PARTS = pytest.mark.parametrize("part", range(len(PARTS)), ids=PARTS)
NINES = 30 * "9"
CURSOR = base64.urlsafe_b64encode(f"{NINES} acme/one".encode()).decode().rstrip("=")
VALUES = [
    NINES,
    5_000 * "9",
    "99999999999",
    "10000",
    "-1",
    "-9223372036854775809",
    "1e400",
    "NaN",
    "9999-12-31",
    "0001-01-01",
    "9999-12-31T23:59:59.999999-23:59",
    "2026-02-30",
    CURSOR,
    "\x00",
    "a\x00b",
    "acme/one",
    "active\x00",
    "\u202eeno/emca\u202c",
    "\ud83d",
    "%",
    "",
    "[]",
    " ".join(f"w{number}" for number in range(3_000)),
    ",".join(f"w{number}" for number in range(3_000)),
    3_000 * "x",
    "('' OR 1=1)--",
    "../../etc/passwd",
]

MEMBERS = (
    "name",
    "models",
    "at",
    "within_days",
    "expires_at",
    "requests_per_minute",
    "concurrency",
    "scope",
    "lane",
)


@pytest.fixture
def key() -> str:
    make_published("acme/one")
    return make_key(make_team("crew"), scope="management")[1]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    # Else each call would be the session's first, which is written down, and forgotten with what the call did.
    client.get("/account")
    client.raise_request_exception = False
    return client


def encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def ask(client: Client, address: Address, key: str, value: str, names: list[str]) -> int:
    part = encoded(value[:2_000]) if value else "x"
    query = urlencode([(name, value) for name in names], errors="surrogatepass")
    return status(client, f"{address.with_part(part)}?{query}", key)


def status(client: Client, url: str, key: str, **more: object) -> int:
    headers = {"authorization": f"Bearer {key}"} if url.startswith("/v1/") else {}
    method = client.post if more else client.get
    path, _, query = url.partition("?")
    # What SQL refuses would fail all that comes after it in the one transaction of a test.
    before = transaction.savepoint()
    try:
        return method(path, headers=headers, QUERY_STRING=query, **more).status_code  # type: ignore[arg-type]
    finally:
        transaction.savepoint_rollback(before)


def faults(answers: Iterator[tuple[int, str]]) -> list[tuple[int, str]]:
    """501 is a refusal, and a process without a data plane is not ready."""
    return [
        (answered, url[:200])
        for answered, url in answers
        if answered >= 500 and answered != 501 and not url.startswith("/readyz")
    ]


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()[:200]
        for record in caplog.records
        if record.levelno >= logging.ERROR and "/readyz" not in record.getMessage()
    ]


@pytest.mark.drill
@pytest.mark.apart
@IN_PARTS
def test_every_address_bears_every_value(
    staff: Client, key: str, caplog: pytest.LogCaptureFixture, part: int
) -> None:
    random = Random(SEED)

    def answers() -> Iterator[tuple[int, str]]:
        for number, address in enumerate(addresses()):
            for value in random.sample(VALUES, TRIES):
                names = random.sample(address.names, min(1, len(address.names)))
                if number % len(PARTS) == part:
                    yield ask(staff, address, key, value, names), f"{address.path} {names} {value}"

    assert faults(answers()) == []
    assert errors_in(caplog) == []


@pytest.mark.drill
@pytest.mark.apart
@IN_PARTS
def test_every_address_bears_every_body(
    staff: Client, key: str, caplog: pytest.LogCaptureFixture, part: int
) -> None:
    random = Random(SEED)

    def answers() -> Iterator[tuple[int, str]]:
        for number, address in enumerate(addresses()):
            path = address.with_part("acme%2Fone")
            for value in random.sample(VALUES, 2) if "out" not in path else ():
                names = random.sample((*address.names, *MEMBERS), 4)
                if number % len(PARTS) == part:
                    yield send(staff, path, key, dict.fromkeys(names, value)), f"{path} {names} {value}"

    assert faults(answers()) == []
    assert errors_in(caplog) == []


def send(client: Client, path: str, key: str, values: dict[str, str]) -> int:
    """As JSON to the API, halves of surrogate pairs included, and as a form to pages."""
    if not path.startswith("/v1/"):
        form = {name: value.encode(errors="surrogatepass") for name, value in values.items()}
        return client.post(path, form).status_code
    return client.post(
        path, json.dumps(values), "application/json", headers={"authorization": f"Bearer {key}"}
    ).status_code


NAMED = [
    (f"/v1/gateway/models?cursor={CURSOR}", 200),
    (f"/v1/gateway/models?cursor={NINES}", 400),
    ("/v1/gateway/lifecycle?within_days=3650&as_of=9999-12-31", 400),
    ("/v1/gateway/lifecycle?within_days=3650&as_of=9899-12-31", 200),
    (f"/v1/gateway/models?params={'+'.join(f'w{number}' for number in range(3_000))}", 400),
    (f"/v1/gateway/models?all_params={'+'.join(f'w{number}' for number in range(101))}", 400),
    (f"/v1/gateway/models?params={'+'.join(f'w{number}' for number in range(100))}", 200),
    ("/v1/gateway/models?status=active%00", 400),
    ("/v1/gateway/models?privacy_scope=team", 501),
    ("/v1/gateway/models?privacy=team", 501),
    ("/v1/responses/a%00b", 404),
    (f"/v1/keys?limit={5_000 * '9'}", 400),
    (f"/admin/catalogue/model/?q={'+'.join(f'w{number}' for number in range(3_000))}", 400),
    (f"/admin/catalogue/model/?q={'+'.join(500 * 'w')}", 200),
    ("/admin/accounts/ledgerentry/?started_at__year=99999999999", 400),
    ("/admin/accounts/ledgerentry/?started_at__year=-1", 400),
    ("/admin/accounts/ledgerentry/?started_at__year=10000", 400),
    ("/admin/accounts/ledgerentry/?started_at__iso_year__gte=0", 400),
    ("/admin/accounts/ledgerentry/?started_at__year__in=2026,0", 400),
    ("/admin/accounts/ledgerentry/?started_at__year=2026", 200),
    ("/admin/catalogue/model/?status__exact=active%00", 400),
    (f"/admin/catalogue/model/{5_000 * '9'}/change/", 302),
    (f"/admin/catalogue/edition/{5_000 * '9'}/change/", 302),
    ("/admin/catalogue/edition/x/change/", 302),
    ("/admin/catalogue/offering/add/?provider=0001-01-01&model=x", 200),
    ("/admin/catalogue/offering/add/?provider=7", 200),
    ("/admin/accounts/auditentry/?remote_addr=-1", 400),
    *((f"/admin/{kind}/0/change/?_to_field=", 302) for kind in ("catalogue/edition", "accounts/team")),
    (f"/admin/catalogue/offering/?provider__id__exact={NINES}", 200),
    ("/admin/catalogue/offering/export/?is_enabled__year=1", 400),
    (f"/models?q={'+'.join(500 * 'w')}", 400),
]


@pytest.mark.parametrize(("url", "expected"), NAMED, ids=[f"{url[:70]} {status}" for url, status in NAMED])
def test_what_failed_once_has_the_right_status(
    staff: Client, key: str, caplog: pytest.LogCaptureFixture, url: str, expected: int
) -> None:
    assert status(staff, url, key) == expected
    assert errors_in(caplog) == []
    assert not any(record.exc_info for record in caplog.records if record.levelno >= logging.ERROR)


@pytest.mark.parametrize("url", ["/v1/gateway/models?params=", "/v1/gateway/lifecycle?provider="])
def test_too_many_words_are_told_by_the_parameters_name(staff: Client, key: str, url: str) -> None:
    words = "+".join(f"w{number}" for number in range(3_000))
    answer = staff.get(url + words, headers={"authorization": f"Bearer {key}"})

    assert (answer.status_code, answer.json()["param"]) == (400, url.partition("?")[2].rstrip("="))
    assert "100" in answer.json()["message"]


def test_a_search_of_the_admin_has_a_bound_that_the_page_tells(staff: Client) -> None:
    """In words, since each of them is a condition inside another."""
    for count, is_told in ((100, False), (101, True)):
        answer = staff.get("/admin/catalogue/model/", {"q": "w " * count})
        assert answer.status_code == 200
        assert ("A search takes at most 100 words." in answer.content.decode()) is is_told


def test_a_page_tells_which_parameter_is_too_long(staff: Client) -> None:
    answer = staff.get("/admin/catalogue/model/", {"q": 3_000 * "w "})

    assert "&#x27;q&#x27; is longer than 1000 characters." in answer.content.decode()

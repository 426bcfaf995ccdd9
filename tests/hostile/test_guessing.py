"""Guessed keys and passwords wait, by whoever guesses them; valid keys and sessions of the same address do not."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client

from accounts.guesses import WRONG_KEYS, WRONG_PASSWORDS, here, passwords_of
from accounts.keys import mint_key
from accounts.models import User
from accounts.passwords import AT_ONCE, BoundedHasher
from gateway.core.client_address import read_trusted_proxies
from gateway.core.store.memory import MemoryStore
from gateway.core.store.tries import Tries
from gateway.identity.guessing import Busy, Turns
from gateway.plane.runtime import SharedTries
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_provider
from tests.make import make_key, make_staff, make_team, make_user
from tests.upstream import ScriptedProvider

SURFACES = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1beta/models/acme/one:generateContent",
]
LISTS = ["/v1/models", "/v1/gateway/models", "/v1/keys"]


@contextmanager
def serving(**options: Any) -> Iterator[RunningEdge]:
    with ScriptedProvider() as provider:
        providers = [a_provider(base_url=provider.base_url)]
        with running_edge([a_model()], providers, **options) as edge:
            yield edge


@pytest.fixture
def edge() -> Iterator[RunningEdge]:
    with serving() as edge:
        yield edge


def guess(edge: RunningEdge, path: str = SURFACES[0], **headers: str) -> httpx.Response:
    """A well-formed key that nobody has."""
    with edge.client(mint_key().text, **headers) as client:
        return client.post(path, json={})


def exhaust(edge: RunningEdge, **headers: str) -> None:
    """The last of these is heard, and makes the next one wait."""
    with edge.client(mint_key().text, **headers) as client:
        answers = [client.post(SURFACES[0], json={}).status_code for _ in range(WRONG_KEYS.free + 1)]
    assert set(answers) == {401}


def until_refused(send: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """On a slow machine a wait may be over before the next try comes; but waits grow."""
    for _ in range(20):
        answer = send(*given, **named)
        if answer.status_code == 429:
            return answer
    raise AssertionError("Nobody was asked to wait.")


@pytest.mark.parametrize("path", SURFACES)
def test_too_many_wrong_keys_of_an_address_are_429_in_the_words_of_each_surface(
    edge: RunningEdge, path: str
) -> None:
    exhaust(edge)
    answer = until_refused(guess, edge, path)
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["x-should-retry"] == "false"
    body = answer.json()
    assert "too many that are not came from your address" in body["error"]["message"]
    kinds = {"messages": ("type", "rate_limit_error"), "v1beta": ("status", "RESOURCE_EXHAUSTED")}
    field, value = next((kind for name, kind in kinds.items() if name in path), ("code", "too_many_guesses"))
    assert body["error"][field] == value


def test_a_valid_key_of_the_same_address_is_served(edge: RunningEdge) -> None:
    exhaust(edge)
    until_refused(guess, edge)
    assert edge.chat().status_code == 200


def test_malformed_and_missing_keys_count_too(edge: RunningEdge) -> None:
    with edge.client("nonsense") as client:
        for _ in range(WRONG_KEYS.free + 1):
            assert client.post(SURFACES[0], json={}).status_code == 401
    until_refused(guess, edge)


def test_headers_of_strangers_do_not_make_another_address(edge: RunningEdge) -> None:
    for number in range(WRONG_KEYS.free + 1):
        guess(edge, **{"x-forwarded-for": f"203.0.113.{number}"})
    until_refused(guess, edge, **{"x-forwarded-for": "203.0.113.200"})


def test_behind_a_trusted_proxy_each_client_is_counted_for_itself() -> None:
    with serving(proxies=read_trusted_proxies(["127.0.0.1"])) as edge:
        exhaust(edge, **{"x-forwarded-for": "198.51.100.9, 203.0.113.7"})
        until_refused(guess, edge, **{"x-forwarded-for": "203.0.113.7"})
        assert guess(edge, **{"x-forwarded-for": "203.0.113.8"}).status_code == 401


# The control plane


@pytest.mark.django_db
@pytest.mark.parametrize("path", LISTS)
def test_wrong_keys_at_the_api_are_429_with_the_time_to_wait(client: Client, path: str) -> None:
    key = make_key(make_team(), scope="management")[1]
    wrong = {"Authorization": f"Bearer {mint_key().text}"}
    heard = {client.get(path, headers=wrong).status_code for _ in range(WRONG_KEYS.free + 1)}
    assert heard == {401}
    answer = until_refused(client.get, path, headers=wrong)
    assert int(answer.headers["retry-after"]) >= 1
    assert "too_many_guesses" in answer.text
    assert client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 200


@pytest.mark.django_db
def test_wrong_feed_tokens_count_as_wrong_keys(client: Client) -> None:
    for _ in range(WRONG_KEYS.free + 1):
        client.get("/v1/gateway/changes", {"format": "atom", "token": mint_key().text})
    until_refused(client.get, "/v1/models", headers={"x-api-key": mint_key().text})


@pytest.mark.django_db
def test_a_session_of_the_same_address_is_served(client: Client) -> None:
    team = make_team()
    client.force_login(make_user("mary", teams=[team]))
    for _ in range(WRONG_KEYS.free + 2):
        client.get("/v1/models", headers={"x-api-key": mint_key().text})
    assert client.get("/keys").status_code == 200
    assert client.get("/v1/keys").status_code == 200


def test_django_counts_in_the_store_that_the_edge_counts_in() -> None:
    async def story() -> list[float]:
        store = MemoryStore()
        tries = SharedTries(store, asyncio.get_running_loop())
        for _ in range(WRONG_KEYS.free + 1):
            await store.take_try("keys:a", WRONG_KEYS)
        while not (refused := await asyncio.to_thread(tries.take, "keys:a", WRONG_KEYS)):
            pass
        await asyncio.to_thread(tries.forgive, "keys:a")
        await asyncio.sleep(0)
        return [refused, await store.take_try("keys:a", WRONG_KEYS)]

    refused, heard = asyncio.run(story())
    assert (0 < refused <= WRONG_KEYS.longest_s, heard) == (True, 0)


# Signing in

PAGES = ["/sign-in", "/sign-in?next=/admin/"]


def sign_in(
    client: Client, page: str = "/sign-in", name: str = "mary", password: str = "wrong", **meta: Any
) -> Any:
    return client.post(page, {"username": name, "password": password}, **meta)


def exhaust_passwords(client: Client, page: str, name: str = "mary", **meta: Any) -> None:
    answers = {sign_in(client, page, name, **meta).status_code for _ in range(WRONG_PASSWORDS.free + 1)}
    assert answers == {200}


@pytest.fixture
def mary(db: None) -> User:
    return make_staff("mary")


@pytest.mark.parametrize("page", PAGES)
def test_guessed_passwords_wait_and_the_right_one_among_them_too(
    client: Client, mary: User, page: str
) -> None:
    exhaust_passwords(client, page)
    answer = until_refused(sign_in, client, page, password="wrong again")
    assert int(answer.headers["retry-after"]) >= 1
    assert "Too many wrong passwords came for this name from your address" in answer.text
    assert client.get("/keys").status_code == 302


def test_a_right_password_is_not_looked_at_before_its_time(client: Client, mary: User) -> None:
    subject = passwords_of("mary", "127.0.0.1")
    here.counter = Tries(clock=lambda: 1000.0)
    for _ in range(WRONG_PASSWORDS.free + 1):
        here.counter.take(subject, WRONG_PASSWORDS)
    assert sign_in(client, password="password").status_code == 429
    assert client.get("/keys").status_code == 302


def test_the_admin_has_no_door_of_its_own(client: Client, mary: User) -> None:
    answer = sign_in(client, "/admin/login/?next=/admin/catalogue/model/", password="password")
    assert answer.headers["Location"] == "/sign-in?next=%2Fadmin%2Fcatalogue%2Fmodel%2F"
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_nobody_locks_another_out(client: Client, mary: User, page: str) -> None:
    exhaust_passwords(client, page, REMOTE_ADDR="203.0.113.7")
    until_refused(sign_in, client, page, REMOTE_ADDR="203.0.113.7")
    assert sign_in(client, page, password="password", REMOTE_ADDR="203.0.113.8").status_code == 302


def test_another_name_from_the_same_address_is_heard(client: Client, mary: User) -> None:
    exhaust_passwords(client, "/sign-in", "nobody")
    assert sign_in(client, password="password").status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_names_that_nobody_has_wait_in_the_same_words(client: Client, mary: User, page: str) -> None:
    exhaust_passwords(client, page, "mary")
    exhaust_passwords(client, page, "nobody")
    answers = [until_refused(sign_in, client, page, name) for name in ("mary", "nobody")]
    told = {str(answer.context["form"].non_field_errors()) for answer in answers}
    assert len({re.sub(r"\d+ s", "", words) for words in told}) == 1


def test_the_right_password_ends_the_counting(client: Client, mary: User) -> None:
    for _ in range(3):
        for _ in range(WRONG_PASSWORDS.free):
            sign_in(client)
        assert sign_in(client, password="password").status_code == 302
        client.logout()


def test_a_signed_in_person_goes_on_while_their_name_is_guessed(client: Client, mary: User) -> None:
    client.force_login(mary)
    exhaust_passwords(Client(), "/sign-in")
    assert client.get("/admin/").status_code == 200


def test_a_hash_is_computed_for_names_that_nobody_has_too(
    client: Client, mary: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    counted = []
    original = PBKDF2PasswordHasher.encode
    monkeypatch.setattr(
        PBKDF2PasswordHasher,
        "encode",
        lambda *given: counted.append(1) or original(*given),  # type: ignore[func-returns-value]
    )
    User.objects.filter(pk=make_user("gone").pk).update(is_active=False)
    work = []
    for name in ("mary", "nobody", "gone"):
        counted.clear()
        sign_in(client, name=name)
        work.append(len(counted))
    assert work == [1, 1, 1]


def test_only_a_few_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = 0, 0
    lock, all_came = threading.Lock(), threading.Event()

    def encode(*_: Any) -> str:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        all_came.wait(0.05)
        with lock:
            inside -= 1
        return ""

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", encode)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda number: BoundedHasher().encode("word", f"salt{number}"), range(12)))
    assert most <= AT_ONCE


def test_hashes_of_django_itself_stay_good() -> None:
    made = PBKDF2PasswordHasher().encode("password", "salt", 1000)
    assert BoundedHasher().verify("password", made)


def test_one_address_does_not_take_every_turn() -> None:
    turns = Turns(most=3, of_one=2)
    with turns.taken("a"), turns.taken("a"):
        with pytest.raises(Busy), turns.taken("a"):
            pass
        with turns.taken("b"), pytest.raises(Busy), turns.taken("c"):
            pass
    with turns.taken("a"), turns.taken("b"), turns.taken("c"):
        pass


# Counting tokens


@pytest.mark.parametrize(
    "path",
    ["/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1beta/models/acme/one:countTokens"],
)
def test_counting_tokens_has_a_limit_of_its_own(path: str) -> None:
    turns = [{"role": "user", "content": "hello", "parts": [{"text": "hello"}]}]
    body = {"model": "acme/one", "messages": turns, "input": "hello"}
    body = {"contents": turns} if "v1beta" in path else body
    with serving(counts_per_minute=3) as edge:
        key = edge.keys.issue(name="limited")
        edge.process.limited.set(("key", 2), "requests", 1)
        with edge.client(key) as client:
            statuses = [client.post(path, json=body).status_code for _ in range(4)]
            refused = client.post(path, json=body)
    assert statuses == [200, 200, 200, 429]
    assert "3 times a minute" in refused.json()["error"]["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 60

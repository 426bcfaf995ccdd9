"""Answers of the catalogue that are kept at the edge."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounts.floors import Floor
from catalogue.published.snapshot import Snapshot
from gateway.server.http_cache import ResponseCache, is_cacheable
from providers.facts import CredentialFacts
from tests.gateway.proxy.edge import Keys, Snapshots


@dataclass
class Catalogue:
    """Stands behind: answers with what it knows at its own edition, and counts how often it was asked."""

    edition: int = 1
    asked: int = 0
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    day: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        tag = f'W/"{self.edition}-0-none{self.day}-seal"'.encode()
        # Spelt as Django does.
        headers = [(b"ETag", tag), (b"Last-Modified", b"Wed, 25 Nov 2026 00:00:00 GMT"), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"answer ", "more_body": True})
        await send({"type": "http.response.body", "body": str(self.asked).encode()})


class Scene:
    """A response_cache in front of a catalogue, and a client with a key."""

    def __init__(self, **options: Any) -> None:
        self.keys, self.catalogue = Keys(), Catalogue()
        self.snapshots = Snapshots(Snapshot.of([], {}, revision=1, edition=1))
        self.response_cache = ResponseCache(self.keys, self.snapshots, self.catalogue, **options)
        self.key = self.keys.issue()

    def publish(self) -> None:
        self.catalogue.edition += 1
        self.snapshots.current = Snapshot.of([], {}, revision=2, edition=self.catalogue.edition)

    def get(
        self, path: str = "/v1/models", *, query: bytes = b"", key: str = "", **headers: str
    ) -> tuple[int, str]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers["authorization"] = f"Bearer {key or self.key}"
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": pairs}
        asyncio.run(self.response_cache.answer(scope, None, send))  # type: ignore[arg-type]
        self.told = {name.lower(): value for name, value in sent[0]["headers"]}
        return sent[0]["status"], b"".join(message["body"] for message in sent[1:]).decode()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_second_answer_is_the_first_one(scene: Scene) -> None:
    assert [scene.get(), scene.get()] == [(200, "answer 1"), (200, "answer 1")]


def test_every_repetition_has_a_request_id_of_its_own(scene: Scene) -> None:
    scene.get()
    first = scene.told[b"x-request-id"]
    scene.get()
    assert first != scene.told[b"x-request-id"]


def test_what_was_published_since_is_asked_for(scene: Scene) -> None:
    scene.get()
    scene.publish()
    assert [scene.get()[1], scene.get()[1]] == ["answer 2", "answer 2"]


@pytest.mark.parametrize(("day", "asked"), [(lambda: datetime.now(UTC), 1), (lambda: date(2026, 1, 1), 2)])
def test_answer_that_counts_days_is_kept_on_its_day_only(scene: Scene, day: Any, asked: int) -> None:
    scene.catalogue.day = f"d{day():%Y%m%d}"
    assert [scene.get()[0], scene.get()[0]] == [200, 200]
    assert scene.catalogue.asked == asked


@pytest.mark.parametrize("said", ["gzip;q=0", "br, gzip; q=0.0", "identity"])
def test_client_that_takes_no_gzip_shares_no_packed_answer(scene: Scene, said: str) -> None:
    scene.get(accept_encoding="gzip, br;q=0.5")
    assert scene.get(accept_encoding=said) == (200, "answer 2")


def test_answer_of_another_state_than_ours_is_not_repeated(scene: Scene) -> None:
    scene.catalogue.edition = 7
    assert [scene.get()[1], scene.get()[1]] == ["answer 1", "answer 2"]


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/v1/models/acme/one"},
        {"query": b"limit=1"},
        {"accept_encoding": "gzip"},
        {"anthropic_version": "2023-06-01"},
        {"x_goog_api_client": "genai"},
        {"host": "elsewhere.example"},
        {"x_forwarded_proto": "https"},
    ],
)
def test_what_is_asked_otherwise_is_answered_by_itself(scene: Scene, other: dict[str, Any]) -> None:
    scene.get()
    assert scene.get(**other)[1] == "answer 2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"anthropic_version": "2023-06-01"}, {"anthropic_version": "x" * 10_000}),
        ({}, {"x_forwarded_proto": "x" * 10_000}),
        ({"x_forwarded_proto": "https"}, {"x_forwarded_proto": "https, http"}),
        ({}, {"x_api_key": "another", "accept_language": "de", "x_forwarded_host": "elsewhere.example"}),
    ],
)
def test_only_known_values_tell_answers_apart(
    scene: Scene, first: dict[str, str], second: dict[str, str]
) -> None:
    scene.get(**first)
    assert scene.get(**second)[1] == "answer 1"


def test_name_that_no_host_can_have_is_not_kept(scene: Scene) -> None:
    assert [scene.get(host="x" * 300)[1] for _ in range(2)] == ["answer 1", "answer 2"]


@pytest.mark.parametrize("query", [b"token=a", b"format=atom&token=a", b"%74oken=a"])
def test_key_in_the_address_is_left_to_the_catalogue(scene: Scene, query: bytes) -> None:
    assert [scene.get("/v1/gateway/feed", query=query)[1] for _ in range(2)] == ["answer 1", "answer 2"]


@pytest.mark.parametrize("many", ["query", "host", "headers"])
def test_all_that_is_kept_counts_and_not_only_bodies(many: str) -> None:
    scene = Scene(kept_bytes=200_000)
    if many == "headers":
        scene.catalogue.headers.append((b"x", b"v" * 10_000))

    def ask(number: int) -> str:
        long = f"q={number:0200}" if many == "host" else f"q={number:010000}"
        query = long.encode() if many == "query" else f"q={number}".encode()
        host = f"h{number:0250}" if many == "host" else "h"
        return scene.get(query=query, host=host)[1]

    answers = [ask(number) for number in range(200)]
    assert ask(199) == answers[-1]
    assert ask(0) != answers[0]


def test_keys_that_may_see_the_same_share_an_answer(scene: Scene) -> None:
    scene.get()
    assert scene.get(key=scene.keys.issue())[1] == "answer 1"
    assert scene.get(key=scene.keys.issue(model_patterns=("acme/*",)))[1] == "answer 2"
    assert scene.get(key=scene.keys.issue(lifecycle_policy="block"))[1] == "answer 3"
    assert scene.get(key=scene.keys.issue(lifecycle_policy="warn"))[1] == "answer 1"


def test_keys_share_no_answer_where_a_floor_shows_them_others_models(scene: Scene) -> None:
    scene.get()
    eu, us = (Floor(regions=((region,),)) for region in ("eu", "us"))
    for number, terms in enumerate([{"floor": eu}, {"floor": us}, {"floor": eu, "lineage_id": 77}], 2):
        assert scene.get(key=scene.keys.issue(**terms))[1] == f"answer {number}"
    assert scene.get(key=scene.keys.issue())[1] == "answer 1"


def test_keys_share_no_answer_where_their_team_has_credentials_of_its_own(scene: Scene) -> None:
    scene.get()
    credential = CredentialFacts(7, 5, "ours", "before", "secret", lineage_ids=frozenset({1}))
    scene.snapshots.current = replace(scene.snapshots.current, credentials={5: {3: (credential,)}})
    for number, lineage_id in enumerate((1, 2), 2):
        assert scene.get(key=scene.keys.issue(team_id=5, lineage_id=lineage_id))[1] == f"answer {number}"
    assert scene.get()[1] == "answer 1"


def test_stranger_is_left_to_the_catalogue_and_nothing_is_kept_for_him(scene: Scene) -> None:
    scene.get()
    assert [scene.get(key="sk-gw-none")[1], scene.get(key="sk-gw-none")[1]] == ["answer 2", "answer 3"]


def test_refusal_is_not_repeated(scene: Scene) -> None:
    scene.catalogue.status = 400
    assert [scene.get()[0], scene.get()[1]] == [400, "answer 2"]


@pytest.mark.parametrize(
    "known", ['W/"1-0-none-seal"', '"1-0-none-seal"', 'W/"other", W/"1-0-none-seal"', "*"]
)
def test_client_that_has_it_already_is_told_so(scene: Scene, known: str) -> None:
    scene.get()
    assert scene.get(if_none_match=known) == (304, "")
    assert scene.told[b"etag"] == b'W/"1-0-none-seal"'


def test_client_that_goes_by_time_is_told_so_too(scene: Scene) -> None:
    scene.get()
    assert scene.get(if_modified_since="Wed, 25 Nov 2026 00:00:00 GMT")[0] == 304
    assert scene.get(if_modified_since="Wed, 25 Nov 2026 10:00:00 GMT")[0] == 304
    assert scene.get(if_modified_since="yesterday")[0] == 200
    assert scene.get(if_modified_since="Tue, 24 Nov 2026 00:00:00 GMT")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/models", True),
        ("GET", "/v1/gateway/models/acme/one", True),
        ("HEAD", "/v1/models", False),
        ("GET", "/v1/keys", False),
        ("POST", "/v1/gateway/lifecycle/check", False),
    ],
)
def test_only_reading_the_catalogue_is_repeatable(method: str, path: str, expected: bool) -> None:
    assert is_cacheable({"type": "http", "method": method, "path": path}) is expected

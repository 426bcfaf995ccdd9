"""Keys as texts, and what they open."""

import pytest

from accounts.floors import Floor
from accounts.keys import KeyFacts, credential_of, mint_key, opens, read_key
from accounts.restrictions import Restrictions
from accounts.scopes import MEANT


def facts(**fields: object) -> KeyFacts:
    minted = mint_key()
    given = {"id": 1, "public_id": minted.public_id, "digest": minted.digest, "name": "test", "team_id": 1}
    own = {"scopes": MEANT["inference"], "subjects": (("key", 1), ("team", 1)), "lineage_id": 1}
    return KeyFacts(**{**given, **own, "team_slug": "t", "scope": "inference", "is_active": True, **fields})  # type: ignore[arg-type]


def test_minted_key_is_read_back() -> None:
    minted = mint_key()
    shown = read_key(minted.text)
    assert shown is not None
    assert shown.public_id == minted.public_id


def test_minted_key_opens_its_own_facts_only() -> None:
    minted = mint_key()
    shown = read_key(minted.text)
    assert shown is not None
    assert opens(shown, facts(digest=minted.digest))
    assert not opens(shown, facts())


@pytest.mark.parametrize("position", [8, 20, 40, 54])
def test_mistyped_key_is_not_well_formed(position: int) -> None:
    text = mint_key().text
    other = "a" if text[position] != "a" else "b"
    assert read_key(text[:position] + other + text[position + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-gw-",
        "sk-gw--",
        "Bearer",
        "sk-gw-" + "a" * 51,
        "sk-gw-é",
        "sk-gw-\0-\0",
    ],
)
def test_malformed_key_is_refused_without_an_error(text: str) -> None:
    assert read_key(text) is None


@pytest.mark.parametrize("position", [8, 30, -1])
def test_key_with_a_letter_that_none_has_is_not_well_formed(position: int) -> None:
    letters = list(mint_key().text)
    letters[position] = "é"
    assert read_key("".join(letters)) is None


def test_key_is_invalid_from_its_expiry_on() -> None:
    key = facts(expires_at=100.0)
    assert key.is_valid(99.9)
    assert not key.is_valid(100.0)


def test_patterns_limit_the_models_of_a_key() -> None:
    key = facts(model_patterns=("anthropic/*",))
    assert key.may_call("anthropic/one")
    assert not key.may_call("openai/one")


def test_what_is_closed_to_a_key_is_closed_whatever_its_patterns_say() -> None:
    closed = Restrictions(denied_models=("acme/two",), team_models=("acme/*",))
    key = facts(restrictions=closed, model_patterns=("acme/*", "other/*"))
    called = [name for name in ("acme/one", "acme/two", "other/one") if key.may_call(name)]
    assert called == ["acme/one"]


def test_keys_that_may_see_the_same_have_the_same_sight() -> None:
    keys = [
        facts(),
        facts(model_patterns=("acme/*",)),
        facts(restrictions=Restrictions(is_closed=True)),
        facts(restrictions=Restrictions(denied_models=("acme/*",))),
        facts(lifecycle_policy="block"),
        facts(floor=Floor(regions=(("eu",),))),
        facts(floor=Floor(regions=(("eu",),)), lineage_id=7),
    ]
    assert len({key.sight for key in keys}) == len(keys)
    assert facts(id=2, name="other", lifecycle_policy="warn").sight == facts().sight


def test_secret_is_in_no_repr() -> None:
    minted = mint_key()
    shown = read_key(minted.text)
    assert shown is not None
    assert shown.secret not in f"{minted!r} {shown!r}"


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        (("Bearer a", "b", "c"), "a"),
        (("bearer  a ", "", ""), "a"),
        (("BEARER a", "", ""), "a"),
        (("Bearer a", "", ""), "a"),
        (("Bearer", "b", "c"), "b"),
        (("Bearer ", "b", "c"), "b"),
        (("Bearera", "b", "c"), "b"),
        (("Basic a", "b", "c"), "b"),
        (("", " b ", "c"), "b"),
        (("", "", " c "), "c"),
        (("", " ", ""), ""),
    ],
)
def test_the_first_header_that_says_anything_shows_the_key(headers: tuple[str, str, str], shown: str) -> None:
    assert credential_of(*headers) == shown


def test_a_key_needs_its_prefix_and_its_dash() -> None:
    minted = mint_key().text
    assert read_key(minted.removeprefix("sk-gw-")) is None
    assert read_key(minted.replace("-", "_")) is None

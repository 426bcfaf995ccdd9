"""Which key a request shows: read once, and recognised from then on, by all of its headers."""

import asyncio

import pytest

from gateway.proxy import authenticate as stop
from gateway.proxy.authenticate import authenticate
from gateway.proxy.errors import Unauthorised
from tests.gateway.proxy.edge import Keys

AT = 1_790_000_000.0


def ask(keys: Keys, **headers: str) -> int:
    """The id of the key that they open."""
    shown = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return asyncio.run(authenticate(shown, keys, AT)).id


def test_what_opened_a_key_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys()
    text = keys.issue()
    assert ask(keys, authorization=f"Bearer {text}") == 1
    monkeypatch.setattr(stop, "read_key", None)
    assert ask(keys, authorization=f"Bearer {text}") == 1


def test_one_header_that_opened_a_key_together_with_another_does_not_open_it_alone() -> None:
    keys = Keys()
    text = keys.issue()
    for _ in range(2):
        assert ask(keys, authorization="Basic Zm9vOmJhcg==", x_api_key=text) == 1
    with pytest.raises(Unauthorised):
        ask(keys, authorization="Basic Zm9vOmJhcg==")
    with pytest.raises(Unauthorised):
        ask(keys, authorization="Basic Zm9vOmJhcg==", x_api_key=f"{text[:-1]}!")


@pytest.mark.parametrize("change", [{"is_active": False}, {"expires_at": AT}, {"digest": "another"}])
def test_what_opened_a_key_opens_it_no_more_once_that_is_over(change: dict[str, object]) -> None:
    keys = Keys()
    text = keys.issue()
    assert ask(keys, authorization=f"Bearer {text}") == 1
    keys.change(text, **change)
    with pytest.raises(Unauthorised):
        ask(keys, authorization=f"Bearer {text}")


def test_a_key_that_memory_has_forgotten_is_looked_up_again() -> None:
    keys = Keys()
    text = keys.issue()
    assert ask(keys, x_api_key=text) == 1
    keys.known_keys.clear()
    with pytest.raises(Unauthorised):
        ask(keys, x_api_key=text)

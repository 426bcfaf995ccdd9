"""Stop 3: bearer → key facts. No I/O when the key is in memory."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from accounts.guesses import WRONG_KEYS, keys_from
from accounts.keys import REFUSAL, KeyFacts, credential_of, opens, read_key
from gateway.core.store.interface import Store
from gateway.proxy.errors import GatewayError, TooManyGuesses, Unauthorised, Unavailable
from gateway.proxy.ports import KeyDirectory, KeysUnavailable

_Shown = tuple[bytes, bytes, bytes]
"""The three headers that may show a key."""
_NOTHING = b""
_KEPT = 100_000


async def authenticate(headers: Mapping[bytes, bytes], keys: KeyDirectory, at: float) -> KeyFacts:
    """The facts of the key that the request shows; `at` in Unix seconds.

    Raises Unauthorised, or Unavailable where SQL is away and memory cannot be believed. What the key may do is
    another question: see accounts.permits.
    """
    shown_by = headers.get
    shown = (
        shown_by(b"authorization", _NOTHING),
        shown_by(b"x-api-key", _NOTHING),
        shown_by(b"x-goog-api-key", _NOTHING),
    )
    mark = sha256(b"\n".join(shown)).digest()
    try:
        # Most headers opened a key before.
        opened = keys.opened.get(mark)
        facts = keys.known(opened[0]) if opened is not None else None
        if facts is None or opened is None or facts.digest != opened[1]:
            facts = await _read(shown, mark, keys)
    except KeysUnavailable:
        raise Unavailable(
            "Keys cannot be checked at the moment.", code="keys_unavailable", retry_after_s=5
        ) from None
    if facts is None or not facts.is_valid(at):
        raise Unauthorised(REFUSAL)
    keys.touched(facts.id, at)
    return facts


async def _read(shown: _Shown, mark: bytes, keys: KeyDirectory) -> KeyFacts | None:
    """Raises KeysUnavailable."""
    key = read_key(credential_of(*(value.decode("latin-1") for value in shown)))
    if key is None:
        return None
    facts = keys.known(key.public_id) or await keys.look_up(key)
    if facts is None or not opens(key, facts):
        return None
    if len(keys.opened) >= _KEPT:
        keys.opened.clear()
    keys.opened[mark] = facts.public_id, facts.digest
    return facts


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """By name; several of one name joined with commas, as Django has them."""
    pairs = list(pairs)
    headers = dict(pairs)
    if len(headers) < len(pairs):
        for name in headers:
            headers[name] = b",".join(value for each, value in pairs if each == name)
    return headers


async def judge_guess(refusal: Unauthorised, address: str, store: Store) -> GatewayError:
    """The refusal, or what is answered in its place. Calls with a valid key never come here."""
    wait_s = await store.take_try(keys_from(address), WRONG_KEYS)
    return TooManyGuesses(wait_s) if wait_s else refusal

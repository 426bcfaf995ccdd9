"""Stop 3: bearer → key facts. No I/O when the key is in memory."""

from collections.abc import Iterable, Mapping

from accounts.guesses import WRONG_KEYS, keys_from
from accounts.keys import REFUSAL, KeyFacts, credential_of, opens, read_key
from gateway.core.store.interface import Store
from gateway.proxy.errors import GatewayError, TooManyGuesses, Unauthorised, Unavailable
from gateway.proxy.ports import KeyDirectory, KeysUnavailable


async def authenticate(headers: Mapping[bytes, bytes], keys: KeyDirectory, at: float) -> KeyFacts:
    """The facts of the key that the request shows; `at` in Unix seconds.

    Raises Unauthorised, or Unavailable where SQL is away and memory cannot be believed. What the key may do is
    another question: see accounts.permits.
    """
    shown = read_key(_shown_text(headers))
    if shown is None:
        raise Unauthorised(REFUSAL)
    try:
        facts = keys.known(shown.public_id) or await keys.look_up(shown)
    except KeysUnavailable:
        raise Unavailable(
            "Keys cannot be checked at the moment.", code="keys_unavailable", retry_after_s=5
        ) from None
    if facts is None or not opens(shown, facts) or not facts.is_valid(at):
        raise Unauthorised(REFUSAL)
    keys.touched(facts.id, at)
    return facts


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """By name; several of one name joined with commas, as Django has them."""
    pairs = list(pairs)
    headers = dict(pairs)
    if len(headers) < len(pairs):
        for name in headers:
            headers[name] = b",".join(value for each, value in pairs if each == name)
    return headers


def _shown_text(headers: Mapping[bytes, bytes]) -> str:
    return credential_of(
        headers.get(b"authorization", b"").decode("latin-1"),
        headers.get(b"x-api-key", b"").decode("latin-1"),
        headers.get(b"x-goog-api-key", b"").decode("latin-1"),
    )


async def judge_guess(refusal: Unauthorised, address: str, store: Store) -> GatewayError:
    """The refusal, or what is answered in its place. Calls with a valid key never come here."""
    wait_s = await store.take_try(keys_from(address), WRONG_KEYS)
    return TooManyGuesses(wait_s) if wait_s else refusal

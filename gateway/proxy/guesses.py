"""Wrong keys at the edge: so many of one address are answered plainly, the next ones have to wait."""

from accounts.guesses import WRONG_KEYS, keys_from
from gateway.core.store.interface import Store
from gateway.proxy.errors import GatewayError, TooManyGuesses, Unauthorised


async def judge_guess(refusal: Unauthorised, address: str, store: Store) -> GatewayError:
    """The refusal, or what is answered in its place. Calls with a valid key never come here."""
    wait_s = await store.take_try(keys_from(address), WRONG_KEYS)
    return TooManyGuesses(wait_s) if wait_s else refusal

"""Lets calls in, and puts right what they took once it is known. One for each process, on its loop."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from accounts.attempts import OWNERS
from accounts.keys import KeyFacts, Subject
from accounts.rules import Rules
from catalogue.facts import OfferingFacts
from catalogue.published.snapshot import Snapshot
from gateway.core.store.interface import Ask, Limit, Store, Tokens, Verdict
from gateway.proxy.routing.plan import Candidate
from providers.facts import ProviderFacts
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.estimate import estimate_input_tokens

Quotas = tuple[Limit, ...]

ADMITTED = Verdict(is_admitted=True)
MOST_ASKED = 64
"""Candidates that are asked whether they have room: no call comes so far down its plan."""
_UNTOLD_OUTPUT = 1_024
"""Tokens that are reserved for an answer of which the client does not say how long it may be."""


class Rulebook(Protocol):
    """The limits in force, changed as a whole."""

    @property
    def current(self) -> Rules: ...


class Admission:
    def __init__(self, store: Store, rules: Rulebook, *, counts_cached_input: bool = True) -> None:
        """`counts_cached_input`: tokens that a provider read from its cache count as others do."""
        self._store = store
        self._rules = rules
        self._counts_cached_input = counts_cached_input

    async def admit(
        self, call: Call, key: KeyFacts, candidates: Sequence[Candidate], snapshot: Snapshot
    ) -> Verdict:
        """Take all that the call needs, or nothing. What is admitted knows what was reserved, and where it has room."""
        rules = self._rules.current.for_key(key, call.owners["project_id"])
        quotas = _quotas_of_all(candidates[:MOST_ASKED], snapshot.providers) if snapshot.has_quotas else ()
        if not (rules.limits or quotas):
            return ADMITTED
        if not (rules.counts_tokens or quotas):
            return await self._store.admit(Ask(call.id, rules.limits))
        tokens = expected_tokens(call)
        verdict = await self._store.admit(
            Ask(call.id, rules.limits, tokens.input_tokens, tokens.output_tokens, tokens.is_capped, quotas)
        )
        if verdict.is_admitted:
            call.reserved_at = time.time()
            if quotas:
                call.has_room_at = candidates[verdict.candidate].offering.id
        return verdict

    async def make_room(self, call: Call, quotas: Quotas) -> bool:
        """Take what a later attempt needs of an offering's and its provider's quotas."""
        tokens = expected_tokens(call)
        ask = Ask(call.id, (), tokens.input_tokens, tokens.output_tokens, tokens.is_capped, (quotas,))
        return (await self._store.admit(ask)).is_admitted

    def correct(self, call: Call, used: Mapping[str, int]) -> None:
        """Put what the call used, by the names of providers.wire.usage, in place of what its owners had reserved."""
        if call.reserved_at:
            rules = self._rules.current
            limits = [limit for subject in _subjects_of(call) for limit in rules.limits_of(subject)]
            self._put_right(limits, call, used, call.reserved_at)

    def correct_quotas(self, call: Call, quotas: Quotas, used: Mapping[str, int], reserved_at: float) -> None:
        """The same of one attempt and its provider."""
        self._put_right(quotas, call, used, reserved_at)

    def release(self, call: Call) -> None:
        """Give back the slots that this process took for the call. Safe to repeat."""
        self._store.release(call.id)

    def _put_right(
        self, limits: Iterable[Limit], call: Call, used: Mapping[str, int], reserved_at: float
    ) -> None:
        counted = [limit for limit in limits if limit.counts_tokens]
        if counted:
            self._store.correct(counted, expected_tokens(call), self._tokens_of(used), reserved_at)

    def _tokens_of(self, used: Mapping[str, int]) -> Tokens:
        read = used.get("input_tokens", 0)
        if not self._counts_cached_input:
            read -= min(read, used.get("cached_read_tokens", 0))
        return Tokens(read, used.get("output_tokens", 0))


def expected_tokens(call: Call) -> Tokens:
    """What is reserved for a call: the same whoever asks, so that what was reserved can be put right."""
    read = call.input_tokens or estimate_input_tokens(call.body)
    most = operation_of(call.endpoint).most_output_tokens(call)
    return Tokens(read, _UNTOLD_OUTPUT, is_capped=True) if most is None else Tokens(read, most)


def quotas_of(offering: OfferingFacts, provider: ProviderFacts) -> Quotas:
    """The operator's own limits there."""
    return (*provider.quotas, *offering.quotas) if provider.quotas or offering.quotas else ()


def _quotas_of_all(
    candidates: Sequence[Candidate], providers: Mapping[int, ProviderFacts]
) -> tuple[Quotas, ...]:
    """Empty where none of them has any, as is common."""
    quotas = [quotas_of(each.offering, providers[each.offering.provider_id]) for each in candidates]
    return tuple(quotas) if any(quotas) else ()


def _subjects_of(call: Call) -> Iterable[Subject]:
    """Whom it counts for, by what travels with it."""
    for kind, name in OWNERS.items():
        if owner := call.owners.get(name):
            yield kind, owner
    yield "team", call.team_id

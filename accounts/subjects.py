"""Whose a call is: everybody for whom it counts, by one rule wherever that is asked. Pure.

A subject is named in one text by sums and by the store: `key:7`, `team:2`, `provider:acme` or `deployment`. With
`:own` behind it, what calls on a team's own credentials would have cost counts, too, as some budgets want it.
"""

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from accounts.attempts import OPERATOR, OWNERS, clean
from accounts.keys import DEPLOYMENT, KeyFacts, Subject

PROVIDER = "provider:"
"""How names of providers begin; their slug follows."""
OWN = ":own"
_SLUG_LENGTH = 60
_read_owners = attrgetter(*OWNERS.values())
Owners = tuple[int, ...]
"""The values of accounts.attempts.OWNERS, in its order; 0 where there is none."""


def subjects_of(key: KeyFacts, project_id: int = 0) -> tuple[Subject, ...]:
    """Whom one call counts for: the key's own, and the project that the call names."""
    if not project_id or any(kind == "project" for kind, _ in key.subjects):
        return key.subjects
    *nearer, team = key.subjects
    return (*nearer, ("project", project_id), team)


def owners_of(facts: Any) -> Owners:
    """By what is told of a call: the record of an attempt, or its row of the ledger."""
    owners: Owners = _read_owners(facts)
    return tuple(pk or 0 for pk in owners) if None in owners else owners


def subjects_told(owners: Owners, team_id: int) -> tuple[Subject, ...]:
    """The same whom `subjects_of` names, by the ids that travel with a call. Nobody where the operator asked."""
    if team_id == OPERATOR:
        return ()
    own = [(kind, pk) for kind, pk in zip(OWNERS, owners, strict=True) if pk]
    return (*own, ("team", team_id))


def store_name(subject: Subject) -> str:
    kind, pk = subject
    return f"{kind}:{pk}"


@lru_cache(1024)
def provider_name(slug: str) -> str:
    return f"{PROVIDER}{clean(slug, _SLUG_LENGTH)}"


def payers(owners: Owners, team_id: int) -> Iterable[str]:
    """Whose budgets may hold something for a call, by name: what its provider has is not known before."""
    yield from map(store_name, subjects_told(owners, team_id))
    yield DEPLOYMENT


def own_payers(owners: Owners, team_id: int) -> Iterable[str]:
    """In whose sums it counts what a call on the team's own credential would have cost; nobody of the operator's."""
    return with_own(map(store_name, subjects_told(owners, team_id)))


def everybody(owners: Owners, team_id: int, provider: str) -> Iterable[str]:
    """Whose sums and budgets an attempt counts in, by name."""
    yield from payers(owners, team_id)
    yield provider_name(provider)


def with_own(names: Iterable[str]) -> Iterable[str]:
    """As they are named where own credentials' calls count."""
    return (name + OWN for name in names)


def counts_own(name: str) -> bool:
    return name.endswith(OWN)


def columns_named(name: str) -> dict[str, Any]:
    """Of accounts.models.Budget: those that say whose it is, by how sums and the store name it."""
    kind, _, which = name.removesuffix(OWN).partition(":")
    if kind == DEPLOYMENT:
        return {"is_deployment": True}
    return {"provider": which} if f"{kind}:" == PROVIDER else {f"{kind}_id": int(which)}


def summed_as(name: str) -> tuple[str, ...]:
    """The subjects of sums that make it up: those with own credentials' calls are kept apart from all others."""
    return (name.removesuffix(OWN), name) if counts_own(name) else (name,)


def bears_losses(name: str) -> bool:
    """Teams are charged; what the operator loses besides counts where it is the operator's money."""
    return name == DEPLOYMENT or name.startswith(PROVIDER)

"""Which models a key may call now, and where the catalogue lists the same ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from accounts.key_facts import facts_of
from accounts.models import Key
from accounts.patterns import warn_of
from accounts.policies import LifecyclePolicy
from accounts.scopes import INFERENCE
from catalogue.endpoints import answered
from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.published.reading import Reading, names_in, slugs_in
from catalogue.published.record import serving_offerings

SHOWN = 300
ANY_MODEL = "auto"
_OF_ORGANISATION = re.compile(r"([^/*?\[\]]+)/\*")
_POLICIES = {
    LifecyclePolicy.ADVISE: "Deprecated models answer, with their dates and successor in headers; retired ones are "
    "refused, with their successor named.",
    LifecyclePolicy.WARN: "Deprecated models answer, with a warning in a header; retired ones are refused, with their "
    "successor named.",
    LifecyclePolicy.REDIRECT: "Calls of a retired model go to its declared successor, where this key may call that.",
    LifecyclePolicy.BLOCK: "Deprecated models are refused as if they were retired, and so they are not among these.",
}


@dataclass(frozen=True, slots=True)
class Permitted:
    """Newest first. `listed_by` is the query of the catalogue's list that shows the same; None where none can."""

    models: Sequence[ModelFacts]
    listed_by: str | None
    policy: str
    """What the team's lifecycle policy means for its calls, in a sentence."""
    unmatched: Sequence[str]
    """Of each pattern that no model, or no provider, has now, a sentence."""
    example: str
    """What a sample asks for: a name that this key can call, where there is one."""
    example_endpoints: frozenset[str]
    keeps_to: Sequence[str] = ()
    """What its calls keep to, by its own terms and its team's, in words."""

    @property
    def total(self) -> int:
        return len(self.models)

    @property
    def shown(self) -> Sequence[ModelFacts]:
        return self.models[:SHOWN]

    @property
    def rest(self) -> int:
        return max(0, self.total - SHOWN)


def permitted_to(key: Key, reading: Reading) -> Permitted:
    """Of a key read with its team."""
    policy = LifecyclePolicy(key.team.lifecycle_policy)
    facts = facts_of(key)
    models = reading.callable_by(facts) if INFERENCE in key.scope_set else []
    example, endpoints = _example(models, reading)
    if facts.restrictions and facts.restrictions.surfaces is not None:
        endpoints = endpoints.intersection(facts.restrictions.surfaces)
    return Permitted(
        models,
        None if facts.restrictions or facts.floor else _listed_by(key, models),
        _POLICIES[policy],
        warn_of(
            key.model_patterns,
            key.provider_patterns,
            names=names_in(reading.snapshot),
            slugs=slugs_in(reading.snapshot),
        ),
        example,
        endpoints,
        tuple(facts.floor.in_words()) if facts.floor else (),
    )


def _example(models: Sequence[ModelFacts], reading: Reading) -> tuple[str, frozenset[str]]:
    """`auto` finds whatever can chat; where nothing can, the first model with what it can do."""
    offered = [(model, _endpoints(model, reading)) for model in models]
    if not offered or any("chat.completions" in endpoints for _model, endpoints in offered):
        return ANY_MODEL, frozenset({"chat.completions"})
    first, endpoints = offered[0]
    return first.id, endpoints


def _endpoints(model: ModelFacts, reading: Reading) -> frozenset[str]:
    serving = serving_offerings(model, reading.snapshot, reading.at)
    return answered(endpoint for offering in serving for endpoint in offering.endpoints)


def _listed_by(key: Key, models: Sequence[ModelFacts]) -> str | None:
    """Where every pattern is a whole organisation's."""
    matches = map(_OF_ORGANISATION.fullmatch, key.model_patterns)
    named = [match[1] for match in matches if match]
    # The list refuses an organisation that it does not know.
    known = {model.organisation_id for model in models}.intersection(named)
    if len(named) < len(key.model_patterns) or (named and not known):
        return None
    asked = [*(("organisation", name) for name in sorted(known)), ("availability", "active")]
    blocks = key.team.lifecycle_policy == LifecyclePolicy.BLOCK
    return urlencode([*asked, ("status", Status.ACTIVE.value)] if blocks else asked)

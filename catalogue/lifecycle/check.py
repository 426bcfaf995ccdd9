"""Whether names that a client uses will go on working: one verdict a name. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from accounts.policies import LifecyclePolicy
from catalogue.facts import ModelFacts
from catalogue.instants import date_text
from catalogue.lifecycle.message import tell_life
from catalogue.lifecycle.status import Status
from catalogue.published.snapshot import Snapshot
from providers.operations.registry import must_be_named


class Verdict(StrEnum):
    OK = "ok"
    ANNOUNCED = "announced"
    DEPRECATED = "deprecated"
    RETIRING = "retiring"
    """The day is near from which on calls of this team are refused."""
    RETIRED = "retired"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What a call meets, as far as the model's life decides it."""

    ANSWER = "answer"
    ADVISE = "advise"
    WARN = "warn"
    REDIRECT = "redirect"
    BLOCK = "block"


_LASTING: Mapping[Status, Verdict] = {
    Status.ACTIVE: Verdict.OK,
    Status.ANNOUNCED: Verdict.ANNOUNCED,
    Status.DEPRECATED: Verdict.DEPRECATED,
    Status.RETIRED: Verdict.RETIRED,
}


@dataclass(frozen=True, slots=True)
class Check:
    """The question: how the catalogue is `at` an instant, and which retirements are near then."""

    snapshot: Snapshot
    at: datetime
    near: timedelta
    team_policy: str

    def judge(self, name: str, model: ModelFacts) -> dict[str, Any]:
        """The row for a name that leads to that model. Unknown is None."""
        policy = model.alias_policies.get(name, self.team_policy)
        ends = _end_for(policy, model)
        verdict, outcome = self._verdict(model, ends), self._outcome(model, policy, model.status(self.at))
        at_the_end = None
        if model.retirement_at is not None:
            at_the_end = self._outcome(model, policy, Status.RETIRED)
        successor = self.snapshot.successor(model, self.at)
        return {
            "requested": name,
            "ok": verdict in {Verdict.OK, Verdict.DEPRECATED} and outcome is not Outcome.BLOCK,
            "verdict": verdict.value,
            "id": model.id,
            "release_date": date_text(model.release_at),
            "deprecation_date": date_text(model.deprecation_at),
            "retirement_date": date_text(model.retirement_at),
            "days_left": None if ends is None else max(0, (ends - self.at).days),
            "replacement_model_id": successor.id if successor else None,
            "message": tell_life(model, successor, self.at),
            "policy": policy,
            "outcome": outcome.value,
            "outcome_once_retired": at_the_end and at_the_end.value,
            "nearest": [],
        }

    def _verdict(self, model: ModelFacts, ends: datetime | None) -> Verdict:
        is_near = ends is not None and self.at < ends <= self.at + self.near
        return Verdict.RETIRING if is_near and model.is_listed(self.at) else _LASTING[model.status(self.at)]

    def _outcome(self, model: ModelFacts, policy: str, status: Status) -> Outcome:
        match status:
            case Status.ACTIVE:
                return Outcome.ANSWER
            case Status.ANNOUNCED:
                return Outcome.BLOCK
            case Status.RETIRED:
                can_redirect = policy == LifecyclePolicy.REDIRECT and self._can_redirect(model)
                return Outcome.REDIRECT if can_redirect else Outcome.BLOCK
        is_redirecting = policy == LifecyclePolicy.REDIRECT
        return Outcome.ADVISE if is_redirecting else Outcome(policy)

    def _can_redirect(self, model: ModelFacts) -> bool:
        """Calls go to nothing but what curators named, and not where no other model may answer."""
        endpoints = {endpoint for offering in model.offerings for endpoint in offering.endpoints}
        if endpoints and all(map(must_be_named, endpoints)):
            return False
        return self.snapshot.successor(model, self.at, declared=True) is not None


def _end_for(policy: str, model: ModelFacts) -> datetime | None:
    """From when on calls of the model itself are refused, or sent elsewhere. None: no such day is known."""
    if policy == LifecyclePolicy.BLOCK and model.deprecation_at is not None:
        return model.deprecation_at
    return model.retirement_at


def unknown_name(name: str, nearest: list[str], team_policy: str) -> dict[str, Any]:
    """The row for a name that leads to no model."""
    near = f" Near it: {', '.join(map(repr, nearest))}." if nearest else ""
    nothing = ("id", "release_date", "deprecation_date", "retirement_date", "days_left")
    return {
        "requested": name,
        "ok": False,
        "verdict": Verdict.UNKNOWN.value,
        **dict.fromkeys(nothing),
        "replacement_model_id": None,
        "message": f"There is no model {name!r}.{near}",
        "policy": team_policy,
        "outcome": Outcome.BLOCK.value,
        "outcome_once_retired": None,
        "nearest": nearest,
    }

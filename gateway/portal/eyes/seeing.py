"""The catalogue's pages with a team's eyes: what it, or one of its keys, may call, what it used, what it is charged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.acting import Acting
from accounts.key_facts import facts_of, facts_of_team, find_key
from accounts.measures import write_sum
from accounts.models import Key
from accounts.money import usd_of
from accounts.policies import LifecyclePolicy
from accounts.rights import Right
from accounts.usage.question import Question
from accounts.usage.reader import read_usage
from accounts.windows import DAY_S, QUARTER_S
from catalogue.facts import ModelFacts
from catalogue.published.headline import headline
from catalogue.published.reading import read_now
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.portal.acting import act_as, acted_everywhere
from gateway.portal.eyes.verdicts import Verdict, Viewer, judge
from gateway.portal.listing import why_stopped
from gateway.public.access import SEEN_BY
from gateway.public.amounts import MILLION, Amount, money

DAYS = 30
_KEYS_OFFERED = 200
_POLICIES: Mapping[str, str] = {
    LifecyclePolicy.ADVISE: "",
    LifecyclePolicy.WARN: "Deprecated models answer with a warning in a header.",
    LifecyclePolicy.REDIRECT: "Calls of a retired model go to its declared successor.",
    LifecyclePolicy.BLOCK: "Deprecated models are refused as if they were retired.",
}


@dataclass(frozen=True, slots=True)
class Used:
    """What the team used of a model in DAYS."""

    calls: int
    usd: Decimal

    @property
    def words(self) -> str:
        calls = write_number(self.calls, current().locale)
        return f"{calls} {'call' if self.calls == 1 else 'calls'}, {write_sum(self.usd)}"


NOTHING = Used(0, Decimal(0))


@dataclass(frozen=True, slots=True)
class Seen:
    """A model with a team's eyes. `asking` and `playing` are addresses, or empty."""

    verdict: Verdict
    used: Used
    asking: str
    playing: str


class Eyes:
    """Of one page. `key` is the chosen one, None for the team as a whole."""

    def __init__(self, acting: Acting, key: Key | None, *, is_first: bool) -> None:
        self.team, self.key = acting.team, key
        self._acting, self._is_first = acting, is_first
        self._reading = read_now()
        facts = facts_of(key) if key else facts_of_team(acting.team)
        self._viewer = Viewer(facts, acting.team, key)
        self._verdicts: dict[str, Verdict] = {}

    @property
    def name(self) -> str:
        return f"the key {self.key.name}" if self.key else self.team.name

    @cached_property
    def keys(self) -> Sequence[Key]:
        """That may be chosen: live ones of the team, the newest first."""
        live = Key.objects.for_team(self.team).filter(revoked_at__isnull=True, is_playground=False)
        return list(live.order_by("-pk")[:_KEYS_OFFERED])

    @property
    def stopped(self) -> str:
        """Why nothing can be called whatever is open; empty where it can."""
        if why := why_stopped(self.team):
            return why
        is_over = not self._viewer.facts.is_valid(timezone.now().timestamp())
        return (
            "This key is over, or whoever owns it may not call: calls with it are refused." if is_over else ""
        )

    @property
    def policy(self) -> str:
        """What the team wants done about models near their ends; empty where nothing but advice."""
        return _POLICIES[LifecyclePolicy(self.team.lifecycle_policy)]

    @property
    def keeps_to(self) -> Sequence[str]:
        floor = self._viewer.facts.floor
        return list(floor.in_words()) if floor else []

    @property
    def factor(self) -> str:
        """By which list prices are multiplied to what the team is charged; empty where it is charged the same."""
        return "" if self._viewer.facts.charge_factor == "1" else self._viewer.facts.charge_factor

    @property
    def may_play(self) -> bool:
        """Whether the playground is open to whoever looks."""
        return self._acting.may(Right.CALL)

    @property
    def suffix(self) -> str:
        """Of addresses that keep these eyes; empty where the page has them by itself."""
        chosen = {} if self._is_first else {"team": self.team.slug}
        chosen |= {"key": self.key.public_id} if self.key else {}
        return f"?{urlencode(chosen)}" if chosen else ""

    def of(self, model: ModelFacts) -> "Seen":
        verdict = self._verdicts.get(model.id)
        if verdict is None:
            verdict = self._verdicts[model.id] = judge(self._viewer, model, self._reading)
        return Seen(verdict, self._used.get(model.id, NOTHING), *self._leads(model, verdict))

    def prices(self, model: ModelFacts) -> Sequence[tuple[str, Amount]]:
        """Of a million tokens, from the lowest on, as the team is charged; nothing where that is the list price."""
        if not self.factor:
            return []
        line = headline(model, self._reading.snapshot, self._reading.at)
        million, exact = Decimal(self.factor) * MILLION, f"{self.factor} times the list price"
        spans = [("Input", line.prompt), ("Output", line.completion)]
        return [
            (name, Amount(f"from {money(span.low.usd * million)}", exact)) for name, span in spans if span
        ]

    def _leads(self, model: ModelFacts, verdict: Verdict) -> tuple[str, str]:
        """Where access is asked for, filled in, and where the model is tried; empty where that would be in vain."""
        asking = playing = ""
        if verdict.asked and self._acting.may(Right.ASK):
            asking = f"{reverse('portal:ask')}?{urlencode({'team': self.team.slug, **verdict.asked})}"
        if verdict.may_call and self._acting.may(Right.CALL):
            query = urlencode({"team": self.team.slug, "model": model.id})
            playing = f"{reverse('portal:playground')}?{query}"
        return asking, playing

    @cached_property
    def _used(self) -> Mapping[str, Used]:
        high = int(timezone.now().timestamp()) // QUARTER_S * QUARTER_S + QUARTER_S
        low = (high - DAYS * DAY_S) // DAY_S * DAY_S
        of_key = {"lineage_id": [self._viewer.facts.lineage_id]} if self.key else {}
        question = Question(low, high, groups=("model",), filters=of_key, team_id=self.team.pk)
        return {
            row.key[1]: Used(row.sums["calls"], usd_of(row.sums["charge"])) for row in read_usage(question)
        }


def eyes_of(request: HttpRequest) -> Eyes | None:
    """By `?team=` and `?key=`, which is of that team; else of the person's first team. None: nobody's."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    everywhere = acted_everywhere(request)
    if not everywhere:
        return None
    slug, public_id = (request.GET.get(name, "") for name in SEEN_BY)
    acting = next((each for each in everywhere if each.team.slug == slug), everywhere[0])
    key = find_key(public_id) if public_id.isalnum() else None
    is_of_team = key is not None and key.team_id == acting.team.pk and not key.is_playground
    act_as(request, acting)
    return Eyes(acting, key if is_of_team else None, is_first=acting is everywhere[0])


def seeing(request: HttpRequest) -> dict[str, Any]:
    """For the catalogue's templates. Asked only where one asks."""
    return {"eyes": SimpleLazyObject(lambda: eyes_of(request))}

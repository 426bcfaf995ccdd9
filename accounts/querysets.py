"""Reading keys, limits and the ledger: everything that a team may see of keys starts at `for_team`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Self, TypeVar
from uuid import UUID

from django.db.models import Count, Model, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from accounts.models import Budget, Key, LedgerEntry, Limit, Team  # noqa: F401  # named in base classes, as text

_Row = TypeVar("_Row", bound=Model)
_KEY = re.compile(r"(?:sk-gw-)?([0-9A-Za-z]{12})(?:-.*)?")
_BEGINNING = re.compile(r"(?:sk-gw-)?([0-9A-Za-z]{4,11})")
_REQUEST = "req_"
CHARGED = Coalesce("charge_usd", "cost_usd")
"""What a row of the ledger has charged its team: `LedgerEntry.charged_usd` in SQL."""


class KeyQuerySet(QuerySet["Key"]):
    def for_team(self, team: "Team | int") -> "KeyQuerySet":
        return self.filter(team=team)

    def shown_as(self, text: str) -> "KeyQuerySet":
        """The key of that id, alone or as keys are shown: `sk-gw-<id>-…`."""
        shown = _KEY.fullmatch(text.strip())
        return self.filter(public_id=shown[1]) if shown else self.none()

    def begun_as(self, text: str) -> "KeyQuerySet":
        """Those whose ids begin so, of at least four letters; `sk-gw-` before them says nothing."""
        begun = _BEGINNING.fullmatch(text.strip())
        return self.filter(public_id__startswith=begun[1]) if begun else self.none()

    def with_limits(self) -> "KeyQuerySet":
        """With the limits of their lineages."""
        return self.select_related("first").prefetch_related("limits", "first__limits")

    def lasting(self, at: datetime) -> "KeyQuerySet":
        """Without those of the playground that are over: of each visit there one was made."""
        return self.exclude(is_playground=True, expires_at__lte=at)

    def of_past_visits(self, at: datetime) -> "KeyQuerySet":
        """Those of the playground that a later visit replaced, or that are over."""
        is_past = Q(expires_at__lte=at) | Q(revoked_at__isnull=False) | Q(successor__isnull=False)
        return self.filter(is_past, is_playground=True)

    def usable(self, at: datetime) -> "KeyQuerySet":
        """Neither revoked nor expired, of teams that are open."""
        unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=at)
        return self.filter(
            unexpired,
            revoked_at__isnull=True,
            team__is_active=True,
            team__frozen_at__isnull=True,
            team__archived_at__isnull=True,
        )


class SubjectQuerySet(QuerySet[_Row]):
    """Of rows that are for one subject: limits, budgets."""

    def for_team(self, team: "Team") -> Self:
        """Of the team and of all that belongs to it."""
        its = Q(team=team)
        for kind in ("key", "member", "service_account", "project"):
            its |= Q(**{f"{kind}__team": team})
        return self.filter(its).order_by("pk")

    def for_subjects(self, subjects: Mapping[str, int | None]) -> Self:
        """By kind the id of each; None where there is none."""
        its = Q(pk__in=[])
        for kind, id_ in subjects.items():
            if id_ is not None:
                its |= Q(**{f"{kind}_id": id_})
        return self.filter(its).order_by("pk")

    def with_subjects(self) -> Self:
        return self.select_related(
            "key__team", "member__team", "member__user", "service_account__team", "project__team", "team"
        )


class LimitQuerySet(SubjectQuerySet["Limit"]):
    pass


class BudgetQuerySet(SubjectQuerySet["Budget"]):
    pass


@dataclass(frozen=True, slots=True)
class Totals:
    """Of entries. A call has one attempt more than it was failed over; what corrects them counts as money only."""

    attempts: int
    calls: int
    input_tokens: int
    output_tokens: int
    charged_usd: Decimal
    loss_usd: Decimal
    is_whole: bool
    """False: only the latest entries were added up."""


class LedgerQuerySet(QuerySet["LedgerEntry"]):
    """Of any number of rows: nothing here reads all of them."""

    def found_by(self, text: str) -> "LedgerQuerySet":
        """Those of exactly that request, call, attempt or project."""
        text = text.strip()
        if text.startswith(_REQUEST) or read_uuid(text) is not None:
            return self.found_by_id(text)
        # Said twice for the index of those that have a project.
        return self.filter(project=text).exclude(project="")

    def attempts(self) -> "LedgerQuerySet":
        """Without what corrects them."""
        return self.filter(kind="attempt")

    def found_by_id(self, text: str) -> "LedgerQuerySet":
        """Those of exactly that request, call or attempt; of anything else none."""
        if text.startswith(_REQUEST) and text.isprintable():
            return self.filter(request_id=text)
        id_ = read_uuid(text)
        return self.none() if id_ is None else self.filter(Q(call_id=id_) | Q(attempt_id=id_))

    def total(self, most: int) -> Totals:
        """Of the latest `most` rows."""
        latest = self.order_by("-started_at").values(
            "kind", "outcome", "input_tokens", "output_tokens", "cost_usd", "charge_usd", "loss_usd"
        )
        is_attempt = Q(kind="attempt")
        sums = latest[:most].aggregate(
            rows=Count("kind"),
            attempts=Count("outcome", filter=is_attempt),
            calls=Count("outcome", filter=is_attempt & ~Q(outcome="failed_over")),
            input=Sum("input_tokens"),
            output=Sum("output_tokens"),
            charged=Sum(CHARGED),
            loss=Sum("loss_usd"),
        )
        return Totals(
            sums["attempts"],
            sums["calls"],
            sums["input"] or 0,
            sums["output"] or 0,
            sums["charged"] or Decimal(0),
            sums["loss"] or Decimal(0),
            is_whole=sums["rows"] < most or not latest[most : most + 1],
        )

    def after(self, started_at: datetime, attempt_id: UUID) -> "LedgerQuerySet":
        """What follows that row, of rows in the order of time, newest first, and of attempts."""
        return self.filter(started_at__lte=started_at).exclude(
            started_at=started_at, attempt_id__gte=attempt_id
        )

    def ahead_of(self, started_at: datetime, attempt_id: UUID) -> "LedgerQuerySet":
        """What is newer than that row, in the same order."""
        return self.filter(started_at__gte=started_at).exclude(
            started_at=started_at, attempt_id__lte=attempt_id
        )

    def calls(self) -> "LedgerQuerySet":
        """One row a call: the attempt that ended it."""
        return self.attempts().exclude(outcome="failed_over")


def read_uuid(text: str) -> UUID | None:
    """None where it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None

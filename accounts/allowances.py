"""Changes to what each key and member of a team gets and may have at most, and handing it out.

What holds is in rows of limits and budgets: so calls meet no other rule, and owners change each as far as `most` goes.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Least
from django.utils import timezone

from accounts import allowance_terms
from accounts.models import Allowance, Budget, Key, Limit, Membership, Team
from accounts.revision import Part, take_revision
from gateway.core.refusals import InvalidField


@transaction.atomic
def save_allowance(allowance: Allowance) -> Allowance:
    """As staff say, who may say all of it. In force for old and new ones within a second. Raises InvalidField."""
    _check(allowance)
    take_revision(Part.RULES)
    before = Allowance.objects.filter(pk=allowance.pk).values_list("most", flat=True).first()
    allowance.save()
    if allowance.most != before:
        _hold_to(allowance, before)
    return allowance


@transaction.atomic
def set_allowance(
    *, team: Team, whose: str, unit: str, window: str, amount: Decimal
) -> tuple[Allowance, bool]:
    """What new ones get, as the team's owners say; and whether it is new. Raises InvalidField."""
    measure = {"whose": whose, "unit": unit, "window": window}
    take_revision(Part.RULES)
    found = team.allowances.filter(**measure).first()
    allowance = found or Allowance(team=team, **measure)
    allowance.amount = amount
    _check(allowance)
    allowance.save()
    return allowance, found is None


@transaction.atomic
def remove_allowance(*, allowance: Allowance, is_staff: bool = False) -> None:
    """Limits and budgets that were made from it stay, and are the team's own. Raises InvalidField."""
    if allowance.most is not None and not is_staff:
        raise InvalidField("most", "Staff set this ceiling: the team cannot remove it.")
    take_revision(Part.RULES)
    before, allowance.most = allowance.most, None
    _hold_to(allowance, before)
    allowance.delete()


@transaction.atomic
def grant(subject: Key | Membership) -> None:
    """To a new key, or to somebody who joins. What they have already stays, within what they may have at most."""
    whose = Allowance.Whose.KEY if isinstance(subject, Key) else Allowance.Whose.MEMBER
    allowances = list(subject.team.allowances.filter(whose=whose))
    if allowances:
        take_revision(Part.RULES)
    for allowance in allowances:
        _give(allowance, [subject.pk])


def _check(allowance: Allowance) -> None:
    allowance_terms.check(allowance.whose, allowance.unit, allowance.window, allowance.amount, allowance.most)


def _hold_to(allowance: Allowance, before: Decimal | None) -> None:
    """Those that there are: none has more than the ceiling, and none is without it. `before` is the one that was."""
    rows = _rows(allowance)
    amount, most = _columns(allowance)
    if allowance.most is None:
        rows.filter(**{most: before}).update(**{most: None})
        return
    ceiling = _value(allowance, allowance.most)
    # A row's own ceiling, which staff set lower for that one, stays.
    theirs = Q(**{f"{most}__isnull": True}) | Q(**{f"{most}__gt": ceiling})
    theirs |= Q(**{most: before}) if before is not None else Q()
    held = rows.filter(theirs)
    pks = list(held.values_list("pk", flat=True))
    held.update(**{amount: Least(F(amount), ceiling), most: ceiling})
    if allowance.is_money:
        raised = Budget.objects.filter(pk__in=pks, raise_usd__gt=ceiling - F("amount_usd"))
        raised.update(raise_usd=None, raise_until=None)
    whose = Key.objects.filter(first__isnull=True) if _is_of_keys(allowance) else Membership.objects.active()
    without = whose.filter(team=allowance.team_id).exclude(pk__in=rows.values(allowance.whose))
    _give(allowance, without.values_list("pk", flat=True))


def _give(allowance: Allowance, subjects: Iterable[int]) -> None:
    amount, most = _columns(allowance)
    column = f"{allowance.whose}_id"
    given = allowance.amount if allowance.amount is not None else allowance.most
    ceiling = None if allowance.most is None else _value(allowance, allowance.most)
    terms: dict[str, Any] = {amount: _value(allowance, given), most: ceiling, "window": allowance.window}
    if allowance.is_money:
        terms["zone"] = allowance.team.time_zone
    else:
        terms["unit"] = allowance.unit
    pks = list(subjects)
    kind: Any = Budget if allowance.is_money else Limit
    there = set(_rows(allowance).filter(**{f"{column}__in": pks}).values_list(column, flat=True))
    kind.objects.bulk_create(
        [kind(**terms, **{column: pk}, set_at=timezone.now()) for pk in pks if pk not in there],
        batch_size=1_000,
    )


def _rows(allowance: Allowance) -> Any:
    of_team = {f"{allowance.whose}__team": allowance.team_id, "window": allowance.window}
    if allowance.is_money:
        return Budget.objects.filter(**of_team)
    return Limit.objects.filter(**of_team, unit=allowance.unit)


def _columns(allowance: Allowance) -> tuple[str, str]:
    return ("amount_usd", "most_usd") if allowance.is_money else ("amount", "most")


def _value(allowance: Allowance, value: Any) -> Any:
    return value if allowance.is_money else int(value)


def _is_of_keys(allowance: Allowance) -> bool:
    return allowance.whose == Allowance.Whose.KEY

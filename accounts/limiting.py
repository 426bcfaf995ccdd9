"""Changes to limits: made, changed and removed, in force in every process within a second.

Staff say with a limit whether it is the team's own, to change as it likes, or how much the team may set at most.
"""

from collections.abc import Mapping
from typing import Any, cast

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import limits
from accounts.models import Key, Limit
from accounts.revision import Part, take_revision
from accounts.subject_rows import Owner, subject_columns
from accounts.width import check_ceilings
from gateway.core import audit_context
from gateway.core.refusals import InvalidField


@transaction.atomic
def set_limit(
    *, subject: Owner, unit: str, window: str, amount: int, most: int | None = None, is_staff: bool = False
) -> Limit:
    """The subject's limit of that unit in that window, made or changed. `most` counts where staff set it.

    Raises InvalidField.
    """
    limits.check_measure(unit, window)
    limits.check_amount(unit, window, amount)
    revision = _take_revision(subject)
    of_subject = subject_columns(subject)
    limit = Limit.objects.filter(**of_subject, unit=unit, window=window).first()
    limit = limit or Limit(**of_subject, unit=unit, window=window)
    if is_staff:
        limit.most = most
        if most is not None and amount > most:
            raise InvalidField(
                "most", f"most is {most}; it must be {amount} or more, as the limit itself is."
            )
    _check_allowed(limit, amount)
    _check_ceiling(subject, unit, window, amount)
    limit.amount, limit.set_by = amount, actor()
    limit.save()
    _tell_former(subject, limit, amount, revision)
    return limit


@transaction.atomic
def remove_limit(*, limit: Limit, is_staff: bool = False) -> None:
    """Raises InvalidField where staff or the team's ceiling want one."""
    subject = cast("Owner", limit.subject_row)
    revision = _take_revision(subject)
    if not is_staff:
        _check_allowed(limit, None)
    _check_ceiling(subject, limit.unit, limit.window, None)
    limit.delete()
    _tell_former(subject, limit, None, revision)


def set_published(key: Key, terms: Mapping[str, Any]) -> None:
    """Set those limits of a key that are fields of it, as far as they are given; None removes. Raises InvalidField."""
    lineage = key.lineage
    for field, (unit, window) in limits.PUBLISHED.items():
        if field not in terms:
            continue
        try:
            if terms[field] is not None:
                set_limit(subject=key, unit=unit, window=window, amount=terms[field])
            elif (limit := lineage.limits.filter(unit=unit, window=window).first()) is not None:
                remove_limit(limit=limit)
        except InvalidField as fault:
            raise InvalidField(field, fault.message) from None
        setattr(key, f"former_{field}", terms[field])
    vars(lineage).get("_prefetched_objects_cache", {}).pop("limits", None)


def _take_revision(subject: Owner) -> int:
    """That of keys where a key's own limits change, 0 elsewhere."""
    number = take_revision(Part.KEYS) if isinstance(subject, Key) else 0
    take_revision(Part.RULES)
    return number


def _check_allowed(limit: Limit, amount: int | None) -> None:
    if limit.most is None or (amount is not None and amount <= limit.most):
        return
    said = "null" if amount is None else f"{amount}"
    raise InvalidField("amount", f"amount is {said}; staff allow this limit to be {limit.most} at most.")


def _check_ceiling(subject: Owner, unit: str, window: str, amount: int | None) -> None:
    """No key has more than its team's keys may have."""
    field = _field_of(subject, unit, window)
    if field and isinstance(subject, Key):
        check_ceilings({field: amount}, subject.team, timezone.now())


def _tell_former(subject: Owner, limit: Limit, amount: int | None, revision: int) -> None:
    """Processes of the version before this one read it in each key of the lineage."""
    field = _field_of(subject, limit.unit, limit.window)
    if field and isinstance(subject, Key):
        of_lineage = Q(pk=subject.lineage_id) | Q(first=subject.lineage_id)
        Key.objects.filter(of_lineage).update(revision=revision, **{f"former_{field}": amount})


def _field_of(subject: Owner, unit: str, window: str) -> str:
    """By which a key tells that limit; empty where it does not."""
    if not isinstance(subject, Key):
        return ""
    return next((field for field, measure in limits.PUBLISHED.items() if measure == (unit, window)), "")


def actor() -> str:
    """Who acts now, as rows keep it."""
    person, key = audit_context.who()
    return str(person) if person is not None else f"key {key}" if key else ""

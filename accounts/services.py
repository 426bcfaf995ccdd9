"""Changes to keys and teams. Each takes the next revision first, so that every process notices it.

The revision's row lock, taken before anything else, also puts these changes into one order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from accounts import audit, limits
from accounts.keys import mint_key
from accounts.models import Key, Team, User
from accounts.patterns import check_patterns
from accounts.revision import Part, take_revision
from gateway.core.refusals import InvalidField


class KeyTerms(TypedDict, total=False):
    """What a key may do. None: no limit, or never; no patterns: every model."""

    scope: str
    requests_per_minute: int | None
    concurrency: int | None
    model_patterns: Sequence[str]
    expires_at: datetime | None
    lane: str
    may_search_elsewhere: bool


class KeyChanges(TypedDict, total=False):
    """What may change of a key after it was issued; its scope may not."""

    name: str
    requests_per_minute: int | None
    concurrency: int | None
    model_patterns: Sequence[str]
    expires_at: datetime | None
    lane: str
    may_search_elsewhere: bool


@transaction.atomic
def issue_key(
    *, team: Team, name: str, created_by: User | None = None, **terms: Unpack[KeyTerms]
) -> tuple[Key, str]:
    """A new key of the team, with the text that is shown once and kept nowhere.

    Raises InvalidField.
    """
    limits.check_name(name)
    _check_terms(terms)
    minted = mint_key()
    key = Key(
        team=team, name=name.strip(), created_by=created_by, public_id=minted.public_id, digest=minted.digest
    )
    _set_terms(key, terms)
    key.revision = take_revision(Part.KEYS)
    key.save(force_insert=True)
    return key, minted.text


@transaction.atomic
def update_key(*, key: Key, **changes: Unpack[KeyChanges]) -> Key:
    """Change a key that is not revoked. Raises InvalidField."""
    revision = take_revision(Part.KEYS)
    key.refresh_from_db(fields=["revoked_at"])
    if key.revoked_at is not None:
        raise InvalidField("revoked_at", "This key is revoked; issue a new one instead.")
    if "name" in changes:
        limits.check_name(changes["name"])
    _check_terms(changes)
    _set_terms(key, changes)
    key.revision = revision
    key.save(update_fields=[*changes, "revision"])
    return key


@transaction.atomic
def revoke_key(*, key: Key) -> Key:
    """End a key for good, in every process within a second. Doing it again changes nothing."""
    revision = take_revision(Part.KEYS)
    live = Key.objects.filter(pk=key.pk, revoked_at__isnull=True)
    if live.update(revoked_at=timezone.now(), revision=revision):
        key.refresh_from_db(fields=["revoked_at"])
        audit.record_changes([key], {"revoked_at": (None, str(key.revoked_at))})
    key.refresh_from_db(fields=["revoked_at", "revision"])
    return key


@transaction.atomic
def switch_team(*, team: Team, is_active: bool) -> Team:
    """Turn all keys of a team off or on."""
    team.is_active = is_active
    return save_team(team=team, fields=["is_active"])


@transaction.atomic
def save_team(*, team: Team, fields: Sequence[str] | None = None) -> Team:
    """Save a team (all of it where `fields` is None). Its keys carry its slug and state: they change too."""
    revision = take_revision(Part.KEYS)
    team.save(update_fields=fields)
    Key.objects.for_team(team).update(revision=revision)
    return team


def _check_terms(terms: KeyTerms | KeyChanges) -> None:
    limits.check_limit("requests_per_minute", terms.get("requests_per_minute"))
    limits.check_limit("concurrency", terms.get("concurrency"))
    check_patterns(terms.get("model_patterns", ()))
    limits.check_expiry(terms.get("expires_at"), timezone.now())
    limits.check_choice("lane", terms.get("lane", Key.Lane.AUTO), Key.Lane.values)
    limits.check_choice("scope", str(terms.get("scope", Key.Scope.INFERENCE)), Key.Scope.values)


def _set_terms(key: Key, terms: KeyTerms | KeyChanges) -> None:
    for field, value in terms.items():
        setattr(key, field, list(terms["model_patterns"]) if field == "model_patterns" else value)

"""Changes to keys and teams. Each takes the next revision first, so that every process notices it.

The revision's row lock, taken before anything else, also puts these changes into one order.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Unpack, cast

from django.db import transaction
from django.utils import timezone

from accounts import audit, floors, limits
from accounts.allowances import grant
from accounts.budget_terms import check_zone
from accounts.key_news import tell_created, tell_rotated
from accounts.key_terms import KeyChanges, KeyTerms
from accounts.keys import mint_key
from accounts.limiting import set_published
from accounts.models import Key, Project, ServiceAccount, Team, User
from accounts.restrictions import LISTS, check_lists
from accounts.revision import Part, take_revision
from accounts.rights import Right
from accounts.scopes import MEANT, check_scopes, word_for
from accounts.width import check_ceilings, check_floor, check_not_wider, weaker
from gateway.core.refusals import InvalidField

OVERLAP = timedelta(days=1)
OVERLAP_MOST = timedelta(days=90)
PLAYGROUND_LIFE = timedelta(hours=1)


@transaction.atomic
def issue_key(
    *,
    team: Team,
    name: str,
    created_by: User | None = None,
    maker: Key | None = None,
    **terms: Unpack[KeyTerms],
) -> tuple[Key, str]:
    """A new key of the team, with the text that is shown once and kept nowhere.

    What is not said is as the team has it, and as the key `maker` has it, which makes none that is wider.
    Raises InvalidField.
    """
    at = timezone.now()
    given = _with_scopes(_inherited(maker) | _defaults(team, at) | dict(terms))
    if "expires_at" not in terms and maker and maker.expires_at:
        given["expires_at"] = min(filter(None, [given.get("expires_at"), maker.expires_at]))
    if team.archived_at is not None:
        raise InvalidField("team", f"{team.name} is archived; bring it back before it gets keys.")
    check_changes(team, {"name": name, **given})
    minted = mint_key()
    key = Key(
        team=team, name=name.strip(), created_by=created_by, public_id=minted.public_id, digest=minted.digest
    )
    _set_terms(key, given)
    _check_width(key, maker)
    key.revision = take_revision(Part.KEYS)
    key.save(force_insert=True)
    set_published(key, given)
    grant(key)
    if not key.is_playground:
        tell_created(key)
    return key, minted.text


@transaction.atomic
def update_key(*, key: Key, maker: Key | None = None, **changes: Unpack[KeyChanges]) -> Key:
    """Change a key that is not revoked. Raises InvalidField, also for what is wider than the key `maker`."""
    revision = take_revision(Part.KEYS)
    # A key that changes itself is measured by what it was.
    maker = copy(maker)
    _refresh_live(key)
    given = cast("dict[str, Any]", dict(changes))
    check_changes(key.team, given)
    _set_terms(key, given)
    if given.keys() - {"name", "lane"}:
        _check_width(key, maker)
    key.revision = revision
    key.save(update_fields=[*changes.keys() - limits.PUBLISHED.keys(), "revision"])
    set_published(key, given)
    return key


@transaction.atomic
def rotate_key(
    *, key: Key, overlap: timedelta, created_by: User | None = None, maker: Key | None = None
) -> tuple[Key, str]:
    """A key in the place of another one, with its terms, owner and lineage; the old one works on for `overlap`.

    A key that was to expire is followed by one that lives as long. Raises InvalidField.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MOST:
        seconds = int(OVERLAP_MOST.total_seconds())
        raise InvalidField("overlap_s", f"overlap_s is {int(overlap.total_seconds())}; use 0 to {seconds}.")
    revision, at = take_revision(Part.KEYS), timezone.now()
    _refresh_live(key)
    if Key.objects.filter(replaces=key).exists():
        raise InvalidField("replaces", "This key was rotated before: rotate the one that replaced it.")
    minted = mint_key()
    new = Key(team=key.team, name=key.name, created_by=created_by, replaces=key, first_id=key.lineage_id)
    _set_terms(new, {field: getattr(key, field) for field in _KEPT})
    new.public_id, new.digest, new.revision = minted.public_id, minted.digest, revision
    if key.expires_at is not None:
        new.expires_at = at + max(key.expires_at - key.created_at, timedelta(0))
        if key.team.key_days_most:
            new.expires_at = min(new.expires_at, at + timedelta(days=key.team.key_days_most))
    _check_width(new, maker)
    new.save(force_insert=True)
    key.expires_at = min(filter(None, [key.expires_at, at + overlap]))
    key.revision = revision
    key.save(update_fields=["expires_at", "revision"])
    if not key.is_playground:
        tell_rotated(new, key)
    return new, minted.text


@transaction.atomic
def issue_playground_key(*, team: Team, person: User) -> tuple[Key, str]:
    """A key of the person's own for the playground, which ends within PLAYGROUND_LIFE, with its text.

    All of one person in one team are of one lineage, so that limits, budgets and history go on. Raises InvalidField.
    """
    take_revision(Part.KEYS)
    former = Key.objects.filter(
        team=team, owner=person, is_playground=True, revoked_at__isnull=True, successor__isnull=True
    ).last()
    if former is not None:
        check_changes(team, {"owner": person})
        return rotate_key(key=former, overlap=PLAYGROUND_LIFE, created_by=person)
    return issue_key(
        team=team,
        name=f"Playground of {person}"[:100],
        created_by=person,
        owner=person,
        expires_at=timezone.now() + PLAYGROUND_LIFE,
        is_playground=True,
    )


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
    """Turn all keys of a team off or on: the operator's act."""
    team.is_active = is_active
    return save_team(team=team, fields=["is_active"])


@transaction.atomic
def freeze_team(*, team: Team, is_frozen: bool) -> Team:
    """Stop all keys of a team, or let them go on: its owners' act. Doing it again changes nothing."""
    if (team.frozen_at is not None) == is_frozen:
        return team
    team.frozen_at = timezone.now() if is_frozen else None
    return save_team(team=team, fields=["frozen_at"])


@transaction.atomic
def archive_team(*, team: Team, is_archived: bool) -> Team:
    """End a team and keep it for the ledger, or bring it back. Doing it again changes nothing."""
    if (team.archived_at is not None) == is_archived:
        return team
    team.archived_at = timezone.now() if is_archived else None
    return save_team(team=team, fields=["archived_at"])


@transaction.atomic
def save_team(*, team: Team, fields: Sequence[str] | None = None, is_owners: bool = False) -> Team:
    """Save a team (all of it where `fields` is None). Its keys carry its slug and state: they change too.

    Its owners may let its calls keep to more, and staff alone to less. Raises InvalidField.
    """
    limits.check_name(team.name)
    limits.check_line("cost_centre", team.cost_centre)
    check_zone(team.time_zone, "time_zone")
    check_lists({field: getattr(team, field) for field in LISTS})
    revision = take_revision(Part.KEYS)
    if is_owners and not set(floors.TERMS).isdisjoint(fields or ()):
        _check_not_loosened(team)
    team.save(update_fields=fields)
    Key.objects.for_team(team).update(revision=revision)
    return team


def _check_not_loosened(team: Team) -> None:
    if loosened := weaker(team, Team.objects.get(pk=team.pk)):
        field, why = loosened
        message = f"{field} would ask for less than it does now: {why}. Staff may change that."
        raise InvalidField(field, message)


@transaction.atomic
def save_service_account(account: ServiceAccount) -> ServiceAccount:
    """Make or change one; its keys obey its switch. Raises InvalidField."""
    limits.check_name(account.name)
    revision = take_revision(Part.KEYS)
    account.save()
    account.keys.update(revision=revision)
    return account


@transaction.atomic
def save_project(project: Project) -> Project:
    """Make or change one. All keys of the team know its projects: they change too. Raises InvalidField."""
    limits.check_name(project.name)
    limits.check_project(project.slug)
    revision = take_revision(Part.KEYS)
    project.save()
    Key.objects.for_team(project.team_id).update(revision=revision)
    return project


@transaction.atomic
def delete_owner(row: ServiceAccount | Project) -> None:
    """One that nothing refers to, with its limits and budgets: each is told in the audit while its subject is there."""
    Key.objects.for_team(row.team_id).update(revision=take_revision(Part.KEYS))
    take_revision(Part.RULES)
    for each in (*row.limits.with_subjects(), *row.budgets.with_subjects()):
        each.delete()
    row.delete()


@transaction.atomic
def tell_keys_of(*, users: Sequence[User]) -> None:
    """Let processes see that people were switched off or on, or have left or joined teams: their keys obey."""
    Key.objects.filter(owner__in=users).update(revision=take_revision(Part.KEYS))


_FORMER = ("former_requests_per_minute", "former_concurrency")
_KEPT = (*sorted(KeyTerms.__annotations__.keys() - {*limits.PUBLISHED, "expires_at"}), *_FORMER)
"""Of a key that is rotated: all terms but its limits, which are of its lineage, and how long it lives."""


def check_changes(team: Team, changes: Mapping[str, Any]) -> None:
    """Of a key of that team, before it is made or changed. Raises InvalidField."""
    if "name" in changes:
        limits.check_name(changes["name"])
    _check_terms(changes)
    _check_owner(team, changes)
    check_ceilings(changes, team, timezone.now())


def _refresh_live(key: Key) -> None:
    key.refresh_from_db(fields=["revoked_at"])
    if key.revoked_at is not None:
        raise InvalidField("revoked_at", "This key is revoked; issue a new one instead.")


def _inherited(maker: Key | None) -> dict[str, Any]:
    """Of a key that is older than scopes are nothing is but its floor: it makes what it always could."""
    if maker is None:
        return {}
    floor = {field: getattr(maker, field) for field in floors.TERMS}
    if not maker.scopes:
        return floor
    return floor | {field: getattr(maker, field) for field in LISTS} | {"project": maker.project}


def _defaults(team: Team, at: datetime) -> dict[str, Any]:
    """What the team gives a key of which nothing is said, within its ceilings."""
    days = _lower(team.key_days, team.key_days_most)
    return {
        "requests_per_minute": _lower(team.key_requests_per_minute, team.key_requests_per_minute_most),
        "concurrency": _lower(team.key_concurrency, team.key_concurrency_most),
        "expires_at": at + timedelta(days=days) if days else None,
    }


def _lower(default: int | None, most: int | None) -> int | None:
    return min((each for each in (default, most) if each is not None), default=None)


def _with_scopes(given: dict[str, Any]) -> dict[str, Any]:
    """The one word and the set, from whichever was said. Raises InvalidField."""
    if "scopes" not in given:
        scope = str(given.get("scope", Key.Scope.INFERENCE))
        limits.check_choice("scope", scope, Key.Scope.values)
        return given | {"scope": scope, "scopes": sorted(MEANT[scope])}
    scopes = sorted(set(given["scopes"]))
    check_scopes(scopes)
    if not scopes:
        raise InvalidField("scopes", "scopes is empty; a key may do something.")
    word = word_for(scopes)
    if given.get("scope", word) != word:
        raise InvalidField(
            "scope", f"scope is {given['scope']!r}, and scopes mean {word!r}; leave scope out."
        )
    return given | {"scope": word, "scopes": scopes}


def _check_terms(terms: Mapping[str, Any]) -> None:
    limits.check_limit("requests_per_minute", terms.get("requests_per_minute"))
    limits.check_limit("concurrency", terms.get("concurrency"))
    limits.check_timeout(terms.get("timeout_ms"))
    check_lists(terms)
    limits.check_expiry(terms.get("expires_at"), timezone.now())
    limits.check_choice("lane", terms.get("lane", Key.Lane.AUTO), Key.Lane.values)


def _check_owner(team: Team, terms: Mapping[str, Any]) -> None:
    """That whoever and whatever is named is the team's, and open."""
    owner, account, project = (terms.get(name) for name in ("owner", "service_account", "project"))
    if owner is not None and account is not None:
        raise InvalidField("service_account", "A key has one owner: a person or a service account.")
    if owner is not None and not team.memberships.with_right(Right.CALL).filter(user=owner).exists():
        raise InvalidField("owner", f"{owner} is no member of {team.name} whose role lets them have keys.")
    if account is not None and (account.team_id != team.pk or not account.is_active):
        raise InvalidField("service_account", "It is another team's, or switched off.")
    if project is not None and (project.team_id != team.pk or project.archived_at is not None):
        raise InvalidField("project", "It is another team's, or archived.")


def _check_width(key: Key, maker: Key | None) -> None:
    if maker is None:
        return
    check_floor(key, maker)
    if maker.scopes:
        check_not_wider(key, maker)


def _set_terms(key: Key, terms: Mapping[str, Any]) -> None:
    for field in terms.keys() - limits.PUBLISHED.keys():
        setattr(key, field, list(terms[field]) if field in LISTS else terms[field])

"""Keys, read from SQL with all that says what they may do, compiled to what the data plane asks."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.floors import Floor, join
from accounts.keys import KeyFacts, Subject
from accounts.measures import write_exactly
from accounts.models import Key, Membership, Project, Team
from accounts.querysets import KeyQuerySet
from accounts.restrictions import PLAIN, Restrictions, read_networks
from accounts.rights import Right
from accounts.scopes import CATALOGUE, FEED, INFERENCE, scopes_of

_COLUMNS = (
    "pk",
    "public_id",
    "digest",
    "name",
    "scope",
    "scopes",
    "revoked_at",
    "expires_at",
    "model_patterns",
    "denied_model_patterns",
    "provider_patterns",
    "denied_provider_patterns",
    "surfaces",
    "ip_ranges",
    "regions",
    "quantizations",
    "zero_retention",
    "no_data_collection",
    "lane",
    "may_search_elsewhere",
    "timeout_ms",
    "revision",
    "first_id",
    "owner_id",
    "owner__is_active",
    "service_account_id",
    "service_account__is_active",
    "project_id",
    "project__slug",
    "team_id",
    "team__slug",
    "team__is_active",
    "team__frozen_at",
    "team__archived_at",
    "team__lifecycle_policy",
    "team__keeps_responses",
    "team__charge_factor",
    "team__model_patterns",
    "team__denied_model_patterns",
    "team__provider_patterns",
    "team__denied_provider_patterns",
    "team__surfaces",
    "team__ip_ranges",
    "team__regions",
    "team__quantizations",
    "team__zero_retention",
    "team__no_data_collection",
    "team__new_models",
    "team__allows_free_projects",
    "team__key_requests_per_minute_most",
    "team__key_concurrency_most",
    "member_id",
    "has_projects",
)
_PLAIN_SCOPES = frozenset({INFERENCE, CATALOGUE})
_MEMBER = (
    Membership.objects.with_right(Right.CALL)
    .filter(team=OuterRef("team"), user=OuterRef("owner"))
    .values("pk")[:1]
)
Row = Mapping[str, Any]


def read_facts(**conditions: Any) -> Iterator[tuple[KeyFacts, int]]:
    """The facts of those keys, each with the revision of its last change. Another query where teams have projects."""
    rows = _annotated(Key.objects.filter(**conditions).order_by()).values_list(*_COLUMNS)
    read = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    projects = _read_projects({row["team_id"] for row in read if row["has_projects"]})
    for row in read:
        yield compile_facts(row, projects.get(row["team_id"], {})), row["revision"]


def find_key(public_id: str) -> Key | None:
    """With all that `facts_of` needs, in one query."""
    # In no order, which Django would hold against each of the many columns.
    found = with_facts(Key.objects.all()).filter(public_id=public_id).order_by()[:1]
    return next(iter(found), None)


def with_facts(keys: KeyQuerySet) -> KeyQuerySet:
    """With all that `facts_of` needs."""
    found: KeyQuerySet = _annotated(with_owners(keys))
    return found


def with_owners(keys: KeyQuerySet) -> KeyQuerySet:
    """With whose they are, and `member_id`: the membership of their owner, None where none lets them call."""
    rows = keys.select_related(
        "team", "owner", "service_account", "project", "replaces", "successor", "known_to"
    )
    return rows.annotate(member_id=Subquery(_MEMBER))


def facts_of(key: Key) -> KeyFacts:
    """Of a row, as the data plane has them, or will within a second."""
    if not hasattr(key, "has_projects"):
        extra = _annotated(Key.objects.filter(pk=key.pk)).values("member_id", "has_projects").get()
        vars(key).update(extra)
    row = {column: _follow(key, column) for column in _COLUMNS}
    its = key.team.projects.all() if row["has_projects"] else ()
    return compile_facts(row, {each.slug: each.pk for each in its if each.archived_at is None})


def facts_of_team(team: Team) -> KeyFacts:
    """Of a key of the team's without any terms of its own: what is open to the team at all."""
    key = Key(team=team)
    vars(key).update(member_id=None, has_projects=False)
    return facts_of(key)


def _annotated(keys: "QuerySet[Key]") -> Any:
    projects = Project.objects.filter(team=OuterRef("team"))
    return keys.annotate(member_id=Subquery(_MEMBER), has_projects=Exists(projects))


def _follow(key: Key, column: str) -> Any:
    first, _, rest = column.partition("__")
    value = getattr(key, first)
    return getattr(value, rest, None) if rest else value


def compile_facts(row: Row, projects: Mapping[str, int]) -> KeyFacts:
    """`row` by _COLUMNS; `projects` are the team's open ones."""
    scopes = scopes_of(row["scope"], row["scopes"])
    return KeyFacts(
        id=row["pk"],
        public_id=row["public_id"],
        digest=row["digest"],
        name=row["name"],
        team_id=row["team_id"],
        team_slug=row["team__slug"],
        scope=row["scope"],
        is_active=_is_active(row),
        scopes=scopes | {CATALOGUE} if FEED in scopes else scopes,
        subjects=_subjects(row),
        lineage_id=row["first_id"] or row["pk"],
        restrictions=_restrictions(row, scopes),
        floor=_floor(row),
        projects=projects,
        expires_at=_seconds(row["expires_at"]),
        requests_per_minute_most=row["team__key_requests_per_minute_most"],
        concurrency_most=row["team__key_concurrency_most"],
        model_patterns=tuple(row["model_patterns"]),
        lane=row["lane"],
        may_search_elsewhere=row["may_search_elsewhere"],
        deadline_s=(row["timeout_ms"] or 0) / 1000,
        lifecycle_policy=row["team__lifecycle_policy"],
        keeps_responses=row["team__keeps_responses"],
        charge_factor=write_exactly(row["team__charge_factor"]),
    )


def _is_active(row: Row) -> bool:
    is_team_open = (
        row["team__is_active"] and row["team__frozen_at"] is None and row["team__archived_at"] is None
    )
    has_owner = row["owner_id"] is None or (row["owner__is_active"] and row["member_id"] is not None)
    is_program_on = row["service_account_id"] is None or row["service_account__is_active"]
    return bool(row["revoked_at"] is None and is_team_open and has_owner and is_program_on)


def _subjects(row: Row) -> tuple[Subject, ...]:
    subjects = (
        ("key", row["first_id"] or row["pk"]),
        ("member", row["member_id"]),
        ("service_account", row["service_account_id"]),
        ("project", row["project_id"]),
        ("team", row["team_id"]),
    )
    return tuple((kind, id_) for kind, id_ in subjects if id_ is not None)


def _restrictions(row: Row, scopes: frozenset[str]) -> Restrictions | None:
    """None for a key to which nothing is closed: most of them."""
    open_to = [frozenset(each) for each in (row["surfaces"], row["team__surfaces"]) if each]
    ranges = (row["ip_ranges"], row["team__ip_ranges"])
    patterns = (row["provider_patterns"], row["team__provider_patterns"])
    restrictions = Restrictions(
        lacks_scopes=not scopes >= _PLAIN_SCOPES,
        is_closed=(row["team__new_models"] or settings.NEW_MODELS) == "closed",
        team_models=tuple(row["team__model_patterns"]),
        denied_models=(*row["denied_model_patterns"], *row["team__denied_model_patterns"]),
        providers=tuple(tuple(each) for each in patterns if each),
        denied_providers=(*row["denied_provider_patterns"], *row["team__denied_provider_patterns"]),
        surfaces=tuple(sorted(frozenset.intersection(*open_to))) if open_to else None,
        networks=tuple(read_networks(each) for each in ranges if each),
        project=row["project__slug"] or "",
        has_free_projects=row["team__allows_free_projects"],
    )
    return None if restrictions == PLAIN else restrictions


def _floor(row: Row) -> Floor | None:
    return join(
        (row["regions"], row["team__regions"]),
        (row["quantizations"], row["team__quantizations"]),
        [(row[f"{of}zero_retention"], row[f"{of}no_data_collection"]) for of in ("", "team__")],
    )


def _read_projects(teams: Collection[int]) -> Mapping[int, Mapping[str, int]]:
    found: dict[int, dict[str, int]] = {}
    if teams:
        rows = Project.objects.filter(team_id__in=teams, archived_at__isnull=True).order_by()
        for team_id, slug, pk in rows.values_list("team_id", "slug", "pk"):
            found.setdefault(team_id, {})[slug] = pk
    return found


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at else None

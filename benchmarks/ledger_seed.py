"""A ledger as a busy deployment has it, made by PostgreSQL alone: teams of very unequal size, months of their calls."""

import random
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection

TEAMS, KEYS, MODELS, PROVIDERS = 30, 500, 60, 20
_SLOTS, _BATCH, _DAYS_EACH, _NOTED_DAYS = 65_536, 250_000, 5, 30
_ZONES = ("UTC", "UTC", "Europe/Berlin", "UTC", "America/New_York")
_SURFACES = ("chat", "chat", "chat", "messages", "responses", "gemini")
_OVER_AT = 0.4
"""Of all rows: from there on some keys are not used any more."""


@dataclass(frozen=True, slots=True)
class Size:
    rows: int
    days: int
    end: datetime

    @property
    def begin(self) -> datetime:
        return self.end - timedelta(days=self.days)

    def spans(self) -> Iterator[tuple[int, int]]:
        """Some days each, in Unix seconds."""
        low, high, step = int(self.begin.timestamp()) // 86_400 * 86_400, int(self.end.timestamp()), 86_400
        for begin in range(low, high + 1, _DAYS_EACH * step):
            yield begin, min(begin + _DAYS_EACH * step, high // step * step + step)


def seed_deployment(size: Size, note: Callable[[str], None]) -> None:
    """Rows of the ledger, their usage, their sums and how they were routed, in a database that has none of them."""
    note("teams, people, keys")
    _fill_slots(_make_owners())
    _fill_ledger(size, note)
    note("usage")
    _add_usage(size)
    note("days closed")
    _close_days(size)
    note("sums of what was spent")
    _add_spend(size)
    note("notes of routing")
    _add_notes(size)
    note("statistics")
    _run("VACUUM ANALYZE")


@dataclass(frozen=True, slots=True)
class _User:
    """A key with all that its calls have in common."""

    key: int
    team: int
    project: str
    project_id: int | None
    member_id: int | None
    service_account_id: int | None
    models: Sequence[int]
    surface: str
    weight: float
    is_over: bool
    """It is of before."""
    end_users: int


def _make_owners() -> Sequence[_User]:
    from accounts.models import Project, ServiceAccount, Team

    chance = random.Random(1)  # the same each time
    shares = [number**-1.5 for number in range(1, TEAMS + 1)]
    teams = [
        Team.objects.create(
            slug=f"team-{number}",
            name=f"Team {number}",
            time_zone=_ZONES[number % len(_ZONES)],
            usage_zone=_ZONES[number % len(_ZONES)],
        )
        for number in range(1, TEAMS + 1)
    ]
    found = []
    for number, team in enumerate(teams):
        count = max(3, round(KEYS * shares[number] / sum(shares)))
        members = [_make_member(team, each) for each in range(min(count, 25))]
        programs = ServiceAccount.objects.bulk_create(
            ServiceAccount(team=team, slug=f"program-{each}", name=f"Program {each}") for each in range(3)
        )
        projects = Project.objects.bulk_create(
            Project(team=team, slug=f"project-{each}", name=f"Project {each}") for each in range(6)
        )
        for each in range(count):
            owner = (members[each % len(members)], programs[each % len(programs)], None)[each % 3]
            weight = shares[number] * chance.paretovariate(1.1) / count
            found.append(_make_user(team, each, owner, projects, weight, chance))
    return found


def _make_member(team: Any, number: int) -> Any:
    from accounts.models import Membership, User

    user = User.objects.create(
        username=f"{team.slug}-person-{number}", email=f"{team.slug}-{number}@example.org"
    )
    role = "owner" if number == 0 else "member"
    member = Membership.objects.create(team=team, user=user, role=role)
    member.grants.create(source="manual", role=role)
    return member


def _make_user(
    team: Any, number: int, owner: Any, projects: Sequence[Any], weight: float, chance: random.Random
) -> _User:
    from accounts.models import Key, Membership, ServiceAccount

    is_member = isinstance(owner, Membership)
    project = projects[number % len(projects)] if number % 4 else None
    key = Key.objects.create(
        team=team,
        name=f"key {number}",
        public_id=f"{team.pk:04d}key{number:05d}",
        digest="0" * 64,
        owner=owner.user if is_member else None,
        service_account=owner if isinstance(owner, ServiceAccount) else None,
    )
    return _User(
        key.pk,
        team.pk,
        project.slug if project else "",
        project.pk if project else None,
        owner.pk if is_member else None,
        key.service_account_id,
        chance.sample(range(MODELS), chance.randint(1, 6)),
        _SURFACES[number % len(_SURFACES)],
        weight * (0.0005 if number % 25 == 8 else 1),
        number % 25 == 7,
        chance.choice((0, 0, 30, 5_000)),
    )


def _fill_slots(users: Sequence[_User]) -> None:
    """Whose a call is stands by its chance in one of many slots, of which busy keys have many."""
    _run(
        "CREATE TEMPORARY TABLE slot (era INT, slot INT, key_id BIGINT, team_id BIGINT, project TEXT,"
        " project_id BIGINT, member_id BIGINT, service_account_id BIGINT, models INT[], surface TEXT, end_users INT,"
        " PRIMARY KEY (era, slot))"
    )
    with connection.cursor() as cursor, cursor.copy("COPY slot FROM STDIN") as copy:
        for era in (0, 1):
            its = [user for user in users if era == 0 or not user.is_over]
            ends = list(accumulate(user.weight for user in its))
            for slot in range(_SLOTS):
                # Everybody has one slot at least.
                user = its[slot if slot < len(its) else bisect(ends, (slot + 0.5) / _SLOTS * ends[-1])]
                models = f"{{{','.join(map(str, user.models))}}}"
                whose = (user.project_id, user.member_id, user.service_account_id)
                rest = (models, user.surface, user.end_users)
                copy.write_row((era, slot, user.key, user.team, user.project, *whose, *rest))
    _run("ANALYZE slot")


def _fill_ledger(size: Size, note: Callable[[str], None]) -> None:
    from accounts.models import LedgerEntry

    indexes = LedgerEntry._meta.indexes
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(LedgerEntry, index)
    values = ", ".join(_COLUMNS.values())
    for low in range(0, size.rows, _BATCH):
        high = min(low + _BATCH, size.rows)
        parts = _CALLS.format(low=low, high=high - 1, over_at=int(size.rows * _OVER_AT))
        step = (size.end - size.begin).total_seconds() / size.rows
        told = values.replace("BEGIN", f"{size.begin.timestamp():.6f}").replace("STEP", f"{step:.9f}")
        _run(f"{parts} INSERT INTO accounts_ledgerentry ({', '.join(_COLUMNS)}) SELECT {told} FROM call")
        if low % (4 * _BATCH) == 0:
            note(f"{high:,} rows")
    note("indexes")
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(LedgerEntry, index)


def _add_usage(size: Size) -> None:
    """As accounts.usage.repair does it, but all of it in the database."""
    from accounts.models import Team, UsageSeries
    from accounts.usage.measures import MEASURES, MEMBERS
    from accounts.usage.of_ledger import ledger_sums
    from accounts.usage.repair import make_days
    from accounts.usage.rollups import QUARTERS, id_of

    members, measures = ", ".join(MEMBERS), ", ".join(MEASURES)
    told = ", ".join(f"NULLIF({name}, 0)::bigint" for name in MEASURES)
    zones = {zone: set(Team.objects.filter(usage_zone=zone).values_list("pk", flat=True)) for zone in _ZONES}
    known: set[str] = set()
    for low, high in size.spans():
        bounds = [datetime.fromtimestamp(at, UTC) for at in (low, high)]
        _run(
            f"CREATE TEMPORARY TABLE told ON COMMIT PRESERVE ROWS AS SELECT * FROM ({ledger_sums()})"
            f" AS sums ({members}, starts_at, {measures})",
            bounds,
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT {members} FROM told")
            series = {id_of(row): row for row in cursor.fetchall()}
        new = [
            UsageSeries(pk=id_, **dict(zip(MEMBERS, series[id_], strict=True)))
            for id_ in series.keys() - known
        ]
        UsageSeries.objects.bulk_create(new, batch_size=1_000)
        known |= series.keys()
        # Else it joins as if there were no rows yet.
        _run("ANALYZE told, accounts_usageseries")
        alike = " AND ".join(f"series.{name} = told.{name}" for name in MEMBERS)
        _run(
            f"INSERT INTO {QUARTERS} (series_id, starts_at, {measures}) SELECT series.id, starts_at, {told}"
            f" FROM told JOIN accounts_usageseries AS series ON {alike}"
        )
        _run("DROP TABLE told")
    _run(f"ANALYZE {QUARTERS}")
    for low, high in size.spans():
        for zone, teams in zones.items():
            make_days(teams, zone, low, high)


def _close_days(size: Size) -> None:
    from accounts.usage.closing import close_days

    while close_days(at=size.end):
        pass


def _add_spend(size: Size) -> None:
    named = {
        "'key:' || lineage_id": "lineage_id > 0",
        "'member:' || member_id": "member_id > 0",
        "'service_account:' || service_account_id": "service_account_id > 0",
        "'project:' || project_id": "project_id > 0",
        "'team:' || team_id": "team_id > 0",
        "'provider:' || provider": "TRUE",
        "'deployment'": "TRUE",
    }
    for low, high in size.spans():
        for subject, where in named.items():
            money = "charge" if "provider" not in subject and "deployment" not in subject else "cost"
            _run(
                "INSERT INTO accounts_spend (subject, grain, starts_at, cost, loss)"
                f" SELECT {subject}, 'quarter', starts_at, SUM(COALESCE({money}, 0)), SUM(COALESCE(loss, 0))"
                " FROM accounts_usagequarter JOIN accounts_usageseries AS series ON series.id = series_id"
                f" WHERE starts_at >= {low} AND starts_at < {high} AND {where} GROUP BY 1, 3"
            )
    for grain, start in (("day", "starts_at / 86400 * 86400"), ("total", "0")):
        _run(
            "INSERT INTO accounts_spend (subject, grain, starts_at, cost, loss)"
            f" SELECT subject, '{grain}', {start}, SUM(cost), SUM(loss) FROM accounts_spend"
            " WHERE grain = 'quarter' GROUP BY 1, 3"
        )


def _add_notes(size: Size) -> None:
    plan = (
        '{{"order": [["acme/model-{0}", "provider-{1}", "model-{0}", 0, "nothing", 0, 0],'
        ' ["acme/model-{0}", "provider-{2}", "model-{0}", 0, "nothing", 1, 0]],'
        ' "dropped": {{"breaker_open": [["acme/model-{0}", "provider-{3}", "model-{0}"]]}}, "more": [0, 0]}}'
    )
    from accounts.models import RoutingPlan

    RoutingPlan.objects.bulk_create(
        RoutingPlan(
            pk=f"{model:032x}",
            content=plan.format(model, model % 20, (model * 7 + 3) % 20, (model + 9) % 20),
            used_at=size.end,
        )
        for model in range(MODELS)
    )
    _run(
        "INSERT INTO accounts_routingnote (call_id, plan_id, scores, noted_at)"
        " SELECT call_id, lpad(to_hex(substr(model, 12)::int), 32, '0')::uuid, '', started_at"
        " FROM accounts_ledgerentry WHERE number = 1 AND started_at >= %s",
        [size.end - timedelta(days=_NOTED_DAYS)],
    )


def _run(statement: str, values: Sequence[object] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# Chances are digests of the call's number: a call of each hundred failed over to the row after it.
_CALLS = """
WITH number AS (
    SELECT i, i - (i % 100 = 1)::int AS call, CASE WHEN i % 100 = 1 THEN 2 ELSE 1 END AS attempt
    FROM generate_series({low}::bigint, {high}) AS i
), drawn AS (
    SELECT *, hashint8extended(call, 1) & 1048575 AS whose, hashint8extended(call, 2) & 1048575 AS which,
        hashint8extended(i, 3) & 1048575 AS how, hashint8extended(i, 4) & 1048575 AS size FROM number
), call AS (
    SELECT drawn.*, slot.*, slot.models[1 + which % cardinality(slot.models)] AS model,
        CASE WHEN i % 100 = 0 THEN 'failed_over' WHEN how % 1000 < 12 THEN 'failed' WHEN how % 1000 < 15 THEN 'cut'
            WHEN how % 1000 < 23 THEN 'cancelled' WHEN how % 1000 < 24 THEN 'unknown' ELSE 'finished' END AS ending,
        (20 + 2000 * (size / 1048576.0) ^ 4)::int AS tokens_in, (5 + 900 * (how / 1048576.0) ^ 3)::int AS tokens_out
    FROM drawn JOIN slot ON slot.era = CASE WHEN i < {over_at} THEN 0 ELSE 1 END AND slot.slot = whose % 65536
)"""
_PRICE = ", ".join(
    f'{{"meter": "{meter}", "plan": "standard", "unit_size": 1000000, "amount": "{amount}", "currency": "USD"}}'
    for meter, amount in (("input_text_tokens", "0.25"), ("output_text_tokens", "1.25"))
)
_COST = "CASE WHEN ending IN ('finished', 'cut', 'cancelled') THEN (tokens_in + 5 * tokens_out) * 0.00000025 ELSE 0 END"
_IS_GOOD = "ending IN ('finished', 'cancelled')"
_COLUMNS = {
    "attempt_id": "lpad(to_hex(i), 32, '0')::uuid",
    "call_id": "lpad(to_hex(call), 32, '0')::uuid",
    "request_id": "'req_' || lpad(to_hex(call), 32, '0')",
    "number": "attempt",
    "lane": "CASE WHEN which % 3 = 0 THEN 'worker' ELSE 'direct' END",
    "endpoint": "CASE WHEN model < 3 THEN 'embeddings' ELSE 'chat.completions' END",
    "team_id": "team_id",
    "key_id": "key_id",
    "project": "project",
    "requested_model": "'acme/model-' || model",
    "redirected_from": "''",
    "model": "'acme/model-' || model",
    "provider": "'provider-' || CASE WHEN attempt = 2 OR which % 100 < 15"
    " THEN (model * 7 + 3) % 20 ELSE model % 20 END",
    "upstream_name": "'model-' || model",
    "is_streamed": "which % 10 < 7",
    "started_at": "to_timestamp(BEGIN + i * STEP)",
    "ended_at": "to_timestamp(BEGIN + i * STEP + 0.5 + size / 262144.0)",
    "outcome": "ending",
    "status": f"CASE WHEN {_IS_GOOD} THEN 200 WHEN how % 3 = 0 THEN 429 WHEN how % 3 = 1 THEN 503 END",
    "error_code": f"CASE WHEN {_IS_GOOD} THEN '' WHEN how % 3 = 0 THEN 'rate_limited' WHEN how % 3 = 1"
    " THEN 'provider_unavailable' ELSE 'timeout' END",
    "input_tokens": "tokens_in",
    "output_tokens": "tokens_out",
    "usage": "jsonb_build_object('input_tokens', tokens_in, 'output_tokens', tokens_out,"
    " 'cached_read_tokens', tokens_in / 3, 'reasoning_tokens', which % 7)",
    "is_estimated": "how % 1000 < 5",
    "prices": f"'[{_PRICE}]'::jsonb",
    "cost_usd": _COST,
    "loss_usd": "0",
    "charge_usd": _COST,
    "latency_ms": "500 + size / 262.144",
    "first_token_ms": "100 + how / 2621.44",
    "end_user": "CASE WHEN end_users > 0 THEN md5(team_id || ' ' || size % end_users) END",
    "lineage_id": "key_id",
    "member_id": "member_id",
    "service_account_id": "service_account_id",
    "project_id": "project_id",
    "own_credential_id": "CASE WHEN team_id % 9 = 2 AND which % 5000 = 0 THEN 1 END",
    "kind": "'attempt'",
    "charge_factor": "1",
    "surface": "surface",
    "note": "''",
}

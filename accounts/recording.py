"""Carrying attempts into SQL: rows of the ledger, what they add to what was spent, and how far the spool has come.

All of it in one transaction, so that each attempt is in the sums exactly if it is in the ledger, and a process' mark
tells what is in both. Whoever records waits at the version's row for whoever does so at the moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from accounts.attempts import OPERATOR, OWNERS, AttemptOpened, AttemptRecord
from accounts.ledger import insert_entries
from accounts.models import Key, LedgerEntry, Membership, Project
from accounts.money import charge_of, units_in, units_of
from accounts.subjects import Owners, bears_losses, everybody, own_payers, owners_of
from accounts.usage import measures, rollups
from accounts.windows import grains_of, quarter_of

OVER = 2**62
"""The mark of a process that has died, and of whose records nothing is left to carry over."""
_MISSED = 200
_LATE_S = 60.0
"""Recorders need seconds, unless their host was away."""
Asked = tuple[int, int, str]
"""Key, team and project's name, from which they can be found."""
Sums = dict[tuple[str, int], list[int]]
"""By subject and quarter of an hour: cost (what is charged, of a team and its own) and loss in 10^-10 USD."""
_OPERATORS = -1
"""The lineage of what the operator itself asked for, which has none, and is in the sums."""
Row = tuple[str, str, int, int, int]
"""Of the table: subject, grain, start, cost and loss."""


class Amounts(NamedTuple):
    """Of entries together, in 10^-10 USD."""

    cost: int
    charge: int
    loss: int

    def cost_of(self, subject: str) -> int:
        """What counts for it: teams and theirs are charged; the operator is by the price list."""
        return self.cost if bears_losses(subject) else self.charge


@dataclass(frozen=True, slots=True)
class Mark:
    """All closed attempts of `process` up to `seq` have been carried over, or never will be."""

    process: str
    seq: int


def record_attempts(
    records: Sequence[AttemptRecord], mark: Mark | None = None, *, at: float | None = None
) -> int:
    """All of them or none. The number of those that were not there yet: only they are added to what was spent.

    `at` is now, in Unix seconds: those that come late say so. Raises as accounts.ledger.insert_entries does.
    """
    told = _tell_owners(records)
    if at is not None:
        _tell_late(told, at)
    with transaction.atomic():
        new = insert_entries(told)
        _add(_sums(new), mark)
        # It holds the lock that writing usage needs.
        rollups.add(measures.add_up(new))
    return len(new)


def move_mark(mark: Mark) -> None:
    """Nothing more is to come of that process up to there."""
    with transaction.atomic():
        _add(_new_sums(), mark)


@transaction.atomic
def count_missed() -> int:
    """Add up some rows of processes of the version before this one, which know no sums. The number of them."""
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = LedgerEntry.objects.select_for_update(skip_locked=can_skip).filter(lineage_id__isnull=True)
    missed = list(rows.order_by()[:_MISSED])
    if not missed:
        return 0
    count_entries(missed)
    LedgerEntry.objects.bulk_update(missed, list(OWNERS.values()))
    return len(missed)


def count_entries(entries: Sequence[LedgerEntry]) -> None:
    """Add up rows that are in no sums yet, and tell them whose they are where they do not know; saves none of them."""
    unknown = [row for row in entries if not row.lineage_id]
    found = _find_owners({(row.key_id, row.team_id, row.project) for row in unknown})
    for row in unknown:
        for column, pk in zip(OWNERS.values(), found[row.key_id, row.team_id, row.project], strict=True):
            setattr(row, column, pk or None)
    sums = _new_sums()
    for row in entries:
        subjects = everybody(owners_of(row), row.team_id, row.provider)
        quarter = quarter_of(row.started_at.timestamp())
        amounts = Amounts(*map(units_of, (row.cost_usd, row.charged_usd, row.loss_usd)))
        _count(sums, subjects, quarter, amounts)
        if own := units_of(row.own_cost_usd):
            _count_own(sums, owners_of(row), row.team_id, quarter, own)
    _add(sums, None)
    rollups.add(measures.add_up_entries(entries))


def _tell_owners(records: Sequence[AttemptRecord]) -> Sequence[AttemptRecord]:
    """Each with whose it is: processes of the version before this one, which may have made a call, do not say."""
    unknown = {_asked(record.opened) for record in records if not record.opened.lineage_id}
    if not unknown:
        return records
    owners = _find_owners(unknown)
    return [
        record if record.opened.lineage_id else replace(record, opened=_told(record.opened, owners))
        for record in records
    ]


def _tell_late(records: Iterable[AttemptRecord], at: float) -> None:
    for record in records:
        ended_at = record.closed and record.closed.ended_at
        if at - (ended_at or record.opened.started_at) > _LATE_S:
            record.recorded_at = at


def _told(opened: AttemptOpened, owners: Mapping[Asked, Owners]) -> AttemptOpened:
    told = copy(opened)
    for column, pk in zip(OWNERS.values(), owners[_asked(opened)], strict=True):
        setattr(told, column, pk)
    return told


def _asked(opened: AttemptOpened) -> Asked:
    return opened.key_id, opened.team_id, opened.project


def _find_owners(asked: Set[Asked]) -> Mapping[Asked, Owners]:
    """As the rows say it now. Three queries."""
    keys = Key.objects.in_bulk({key for key, _, _ in asked})
    teams = {team for _, team, _ in asked}
    members = Membership.objects.filter(team__in=teams).values_list("team_id", "user_id", "pk")
    member_of = {(team, user): pk for team, user, pk in members}
    projects = Project.objects.filter(team__in=teams).values_list("team_id", "slug", "pk")
    project_of = {(team, slug): pk for team, slug, pk in projects}
    found = {}
    for key_id, team, project in asked:
        if team == OPERATOR:
            found[key_id, team, project] = (_OPERATORS, 0, 0, 0)
            continue
        key = keys.get(key_id)
        found[key_id, team, project] = (
            key.lineage_id if key else key_id,
            member_of.get((team, key.owner_id or 0), 0) if key else 0,
            (key.service_account_id or 0) if key else 0,
            project_of.get((team, project), 0),
        )
    return found


def _sums(records: Iterable[AttemptRecord]) -> Sums:
    """What each row of sums gains. First by those who share all of it, since most of a batch are a few keys'."""
    alike: dict[tuple[Owners, int, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    sums = _new_sums()
    for record in records:
        opened, closed = record.opened, record.closed
        assert closed is not None, "only what has ended is recorded"  # noqa: S101
        cost, loss = units_in(closed.cost_usd), units_in(closed.loss_usd)
        if cost or loss:
            quarter = quarter_of(opened.started_at)
            all_three = alike[owners_of(opened), opened.team_id, opened.provider, quarter]
            all_three[0] += cost
            all_three[1] += charge_of(cost, opened.charge_factor)
            all_three[2] += loss
        elif own := opened.own_credential_id and units_in(closed.own_cost_usd):
            _count_own(sums, owners_of(opened), opened.team_id, quarter_of(opened.started_at), own)
    for (owners, team_id, provider, quarter), amounts in alike.items():
        _count(sums, everybody(owners, team_id, provider), quarter, Amounts(*amounts))
    return sums


def _new_sums() -> Sums:
    return defaultdict(lambda: [0, 0])


def _count(sums: Sums, subjects: Iterable[str], quarter: int, amounts: Amounts) -> None:
    for subject in subjects:
        both = sums[subject, quarter]
        both[0] += amounts.cost_of(subject)
        both[1] += amounts.loss


def _count_own(sums: Sums, owners: Owners, team_id: int, quarter: int, own_cost: int) -> None:
    """What a call on a team's own credential would have cost: in rows of its own, so that others are no dearer."""
    for subject in own_payers(owners, team_id):
        sums[subject, quarter][0] += own_cost


def _rows(sums: Sums) -> list[Row]:
    """In the order of their keys, so that two who add never wait for each other in a ring."""
    rows: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for (subject, quarter), (cost, loss) in sums.items():
        for grain, starts_at in grains_of(quarter):
            both = rows[subject, grain, starts_at]
            both[0] += cost
            both[1] += loss
    return [(*key, rows[key][0], rows[key][1]) for key in sorted(rows)]


def _add(sums: Sums, mark: Mark | None) -> None:
    rows = _rows(sums)
    now = connection.ops.adapt_datetimefield_value(datetime.now(UTC))
    marks = [(mark.process, mark.seq, now)] if mark else []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Arrays take longer to write, and rows longer to read.
            cursor.execute(_AT_ONCE, [_as_json(_SPEND, rows), _as_json(_SPOOL_MARK, marks)])
            return
        cursor.execute(_NEXT_VERSION)
        cursor.executemany(_ADD.format(rows="VALUES (%s, %s, %s, %s, %s)"), rows)
        cursor.executemany(_MOVE.format(rows="VALUES (%s, %s, %s)"), marks)


def _as_json(columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> str:
    return orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows]).decode()


def _rows_of(columns: Mapping[str, str]) -> str:
    return f"SELECT * FROM json_to_recordset(%s) AS told ({', '.join(map(' '.join, columns.items()))})"  # noqa: S608


_SPEND = {"subject": "text", "grain": "text", "starts_at": "bigint", "cost": "bigint", "loss": "bigint"}
_SPOOL_MARK = {"process": "text", "seq": "bigint", "moved_at": "timestamptz"}
_NEXT_VERSION = (
    "INSERT INTO accounts_spendversion (id, number) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET number = accounts_spendversion.number + 1"
)
_ADD = (
    "INSERT INTO accounts_spend (subject, grain, starts_at, cost, loss) {rows}"
    " ON CONFLICT (subject, grain, starts_at) DO UPDATE"
    " SET cost = accounts_spend.cost + excluded.cost, loss = accounts_spend.loss + excluded.loss"
)
_MOVE = (
    "INSERT INTO accounts_spoolmark (process, seq, moved_at) {rows} ON CONFLICT (process) DO UPDATE"
    " SET seq = excluded.seq, moved_at = excluded.moved_at WHERE excluded.seq > accounts_spoolmark.seq"
)
_AT_ONCE = (
    f"WITH sums AS ({_ADD.format(rows=_rows_of(_SPEND))}),"
    f" marks AS ({_MOVE.format(rows=_rows_of(_SPOOL_MARK))}) {_NEXT_VERSION}"
)

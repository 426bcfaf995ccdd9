"""What was spent is what the ledger says, whatever happened on the way there."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError

from accounts.attempts import OPERATOR, AttemptRecord
from accounts.keys import DEPLOYMENT
from accounts.models import LedgerEntry, Project, Spend, SpoolMark
from accounts.money import UNITS_A_USD, charge_of, units_of, usd_of
from accounts.recording import OVER, Mark, count_missed, move_mark, record_attempts
from accounts.spending import read_bases, spent_in
from accounts.spending_proof import prove
from accounts.windows import DAY, KINDS, LIFETIME, MONTH, WEEK, Window, window_at
from gateway.plane.recorder import Recorder
from gateway.plane.spool import Spool
from tests.gateway.spooling import attempt, begun, record_call
from tests.make import make_entry, make_key, make_team, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/Santiago")
EVER = window_at(LIFETIME, "UTC", NOON)


def of(cost: str = "0.1", loss: str = "0", **opened: Any) -> AttemptRecord:
    return attempt(end={"cost_usd": cost, "loss_usd": loss}, **{"started_at": NOON, "lineage_id": 7} | opened)


def on_own(own_cost: str, **opened: Any) -> AttemptRecord:
    end = {"cost_usd": "0", "loss_usd": "0", "own_cost_usd": own_cost}
    return attempt(end=end, **{"started_at": NOON, "lineage_id": 7, "own_credential_id": 3} | opened)


def ever(subject: str) -> Decimal:
    return usd_of(spent_in(subject, EVER))


@pytest.mark.parametrize(
    ("amount", "units"),
    [("0", 0), ("1", UNITS_A_USD), ("0.0000000001", 1), ("900719.9254740993", 9_007_199_254_740_993)],
)
def test_money_is_counted_in_whole_units_and_read_back(amount: str, units: int) -> None:
    assert units_of(Decimal(amount)) == units
    assert usd_of(units) == Decimal(amount)


def test_call_counts_for_everybody_whose_it_is() -> None:
    record_attempts([of("0.1", member_id=3, service_account_id=4, project_id=5, team_id=2, provider="acme")])
    for subject in (
        "key:7",
        "member:3",
        "service_account:4",
        "project:5",
        "team:2",
        "provider:acme",
        DEPLOYMENT,
    ):
        assert ever(subject) == Decimal("0.1"), subject


def test_call_of_nobody_in_particular_counts_for_its_key_and_its_team() -> None:
    record_attempts([of(team_id=2)])
    subjects = set(Spend.objects.values_list("subject", flat=True))
    assert subjects == {"key:7", "team:2", "provider:acme", DEPLOYMENT}


def test_teams_are_charged_the_cost_and_the_operator_the_loss_besides() -> None:
    record_attempts([of("0.1", loss="0.02", team_id=2), of("0", loss="0.3", team_id=2)])
    assert (ever("key:7"), ever("team:2")) == (Decimal("0.1"), Decimal("0.1"))
    assert (ever("provider:acme"), ever(DEPLOYMENT)) == (Decimal("0.42"), Decimal("0.42"))


def test_calls_on_own_credentials_are_in_sums_of_their_own_which_count_where_they_are_asked_for() -> None:
    record_attempts([of("0.1"), on_own("2.5", charge_factor="1.2"), on_own("0.5", member_id=4)])
    assert [ever("team:1"), ever("team:1:own")] == [Decimal("0.1"), Decimal("3.1")]
    assert [ever("key:7"), ever("key:7:own")] == [Decimal("0.1"), Decimal("3.1")]
    assert [ever("member:4"), ever("member:4:own")] == [Decimal(0), Decimal("0.5")]
    assert ever(DEPLOYMENT) == Decimal("0.1"), "the operator pays nothing for them"
    assert not prove(at=datetime.fromtimestamp(NOON, UTC))
    Spend.objects.filter(subject="team:1:own", grain="day").update(cost=1)
    assert {each.subject for each in prove(at=datetime.fromtimestamp(NOON, UTC))} == {"team:1:own"}


def test_plain_calls_write_no_sums_of_own_credentials() -> None:
    record_attempts([of("0.1"), of("0")])
    assert not Spend.objects.filter(subject__endswith=":own").exists()


def test_team_is_charged_by_its_factor_and_the_operator_pays_the_list_price() -> None:
    record_attempts([of("0.1", loss="0.02", team_id=2, member_id=3, charge_factor="0.85")])
    assert {ever(subject) for subject in ("key:7", "member:3", "team:2")} == {Decimal("0.085")}
    assert {ever(subject) for subject in ("provider:acme", DEPLOYMENT)} == {Decimal("0.12")}


def test_sums_of_charges_agree_with_the_ledger_and_so_does_a_row_that_says_no_charge() -> None:
    at = datetime.fromtimestamp(NOON, UTC)
    record_attempts([of("0.0000000003", charge_factor="0.5"), of("0.1", charge_factor="2", team_id=2)])
    record_attempts([of("0.3")])
    LedgerEntry.objects.filter(cost_usd=Decimal("0.3")).update(charge_usd=None)
    assert prove(at=at) == []
    assert ever("team:1") == Decimal("0.3000000002")


def test_row_of_an_older_process_counts_its_charge_once_it_is_added_up() -> None:
    key, _ = make_key()
    make_entry(key, cost_usd=Decimal("0.1"), charge_usd=Decimal("0.2"), lineage_id=None)
    count_missed()
    assert (ever(f"team:{key.team_id}"), ever(DEPLOYMENT)) == (Decimal("0.2"), Decimal("0.1"))


def test_what_the_operator_asks_is_of_no_team_and_counts_for_the_operator_alone() -> None:
    probe = of("0", loss="0.02", team_id=OPERATOR, key_id=OPERATOR, lineage_id=0, surface="probe")
    record_attempts([probe])
    assert set(Spend.objects.values_list("subject", flat=True)) == {"provider:acme", DEPLOYMENT}
    assert count_missed() == 0
    assert prove(at=datetime.fromtimestamp(NOON, UTC)) == []
    assert ever("provider:acme") == Decimal("0.02")


@pytest.mark.parametrize(
    ("cost", "factor", "charge"),
    [
        (7, "1", 7),
        (7, "0", 0),
        (1, "0.5", 1),
        (1, "0.4999", 0),
        (3, "0.5", 2),
        (-1, "0.5", -1),
        (-1, "0.4999", 0),
        (-3, "0.5", -2),
        (10**19 + 1, "99.9999", 999_999 * 10**15 + 100),
        (10**10, "0.0001", 10**6),
    ],
)
def test_charge_is_the_cost_times_the_factor_rounded_half_away_from_nothing(
    cost: int, factor: str, charge: int
) -> None:
    assert charge_of(cost, factor) == charge


def test_large_sums_lose_no_digit() -> None:
    record_attempts([of("999999.9999999999"), of("0.0000000003")])
    assert ever("key:7") == Decimal("1000000.0000000002")


def test_record_that_is_repeated_is_counted_once() -> None:
    first, second = of("0.1"), of("0.2")
    assert record_attempts([first]) == 1
    assert record_attempts([first, second]) == 1
    assert record_attempts([first, second]) == 0
    assert ever("key:7") == Decimal("0.3")


def test_record_that_comes_twice_at_once_is_counted_once() -> None:
    twice = of("0.1")
    assert record_attempts([twice, twice]) == 1
    assert ever("key:7") == Decimal("0.1")


def test_window_that_is_added_to_an_old_key_counts_nothing_of_before() -> None:
    """Elsewhere a new window began with all that its key had ever spent, and refused at once."""
    earlier = window_at(DAY, "UTC", NOON).starts_at - 1
    record_attempts([of("50", started_at=earlier), of("0.1")])
    assert spent_in("key:7", window_at(DAY, "UTC", NOON)) == units_of(Decimal("0.1"))
    assert ever("key:7") == Decimal("50.1")


def test_window_that_is_over_counts_nothing_in_the_next_one() -> None:
    """Elsewhere a counter outlived its window. Here a window is a sum from its start on."""
    record_attempts([of("0.1")])
    tomorrow = window_at(DAY, "UTC", NOON + 86_400)
    assert spent_in("key:7", tomorrow) == 0


def test_call_counts_in_the_window_in_which_it_started() -> None:
    window = window_at(DAY, "Asia/Kathmandu", NOON)
    assert window.ends_at is not None
    last, next_ = of("0.1", started_at=window.ends_at - 0.001), of("0.2", started_at=window.ends_at)
    record_attempts([last, next_])
    assert spent_in("key:7", window) == units_of(Decimal("0.1"))


def test_zone_that_is_changed_is_right_at_once() -> None:
    record_attempts([of("0.1", started_at=NOON + hour * 3600) for hour in range(-36, 36)])
    for zone in ZONES:
        window = window_at(DAY, zone, NOON)
        entries = LedgerEntry.objects.filter(started_at__gte=_instant(window.starts_at))
        count = entries.filter(started_at__lt=_instant(window.ends_at or 0)).count()
        assert spent_in("key:7", window) == count * units_of(Decimal("0.1")), zone


def test_rotated_key_goes_on_with_the_money_of_its_lineage() -> None:
    record_attempts([of("0.1", key_id=7), of("0.2", key_id=8)])
    assert ever("key:7") == Decimal("0.3")
    assert ever("key:8") == 0


def test_bases_are_read_with_version_and_marks() -> None:
    before = read_bases({}).version
    record_attempts([of("0.1")], Mark("one", 4))
    record_attempts([of("0.2")], Mark("two", 9))
    move_mark(Mark("one", 5))
    day, month = window_at(DAY, "Europe/Berlin", NOON), window_at(MONTH, "UTC", NOON)
    bases = read_bases({"key:7": [day, month, EVER], "key:8": [day], "key:9": []})
    assert bases.version == before + 3
    assert bases.marks == {"one": 5, "two": 9}
    spent = units_of(Decimal("0.3"))
    assert bases.spent == {
        "key:7": {day.field: spent, month.field: spent, "lifetime:0": spent},
        "key:8": {day.field: 0},
        "key:9": {},
    }


def test_bases_are_read_in_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        read_bases(
            {f"key:{pk}": [window_at(kind, "Asia/Kolkata", NOON) for kind in KINDS] for pk in range(100)}
        )


def test_mark_never_goes_back() -> None:
    move_mark(Mark("one", 5))
    record_attempts([of()], Mark("one", 4))
    assert SpoolMark.objects.get().seq == 5


def test_batch_that_is_refused_changes_nothing() -> None:
    before = read_bases({}).version
    with pytest.raises((IntegrityError, DataError)):
        record_attempts([of("0.1"), of("-1")], Mark("one", 2))
    assert not LedgerEntry.objects.exists()
    assert not Spend.objects.exists()
    assert (read_bases({}).version, read_bases({}).marks) == (before, {})


def test_attempt_that_an_older_process_made_counts_for_whom_its_key_is() -> None:
    team = make_team()
    owner = make_user("ann", teams=[team])
    project = Project.objects.create(team=team, slug="search", name="Search")
    key, _ = make_key(team, owner=owner)
    told = of("0.1", lineage_id=0, key_id=key.pk, team_id=team.pk, project="search")
    record_attempts([told])
    member = team.memberships.get(user=owner)
    row = LedgerEntry.objects.get()
    assert (row.lineage_id, row.member_id, row.project_id) == (key.pk, member.pk, project.pk)
    for subject in (f"key:{key.pk}", f"member:{member.pk}", f"project:{project.pk}"):
        assert ever(subject) == Decimal("0.1"), subject


def test_attempt_whose_key_is_gone_counts_for_that_key() -> None:
    record_attempts([of("0.1", lineage_id=0, key_id=99)])
    assert ever("key:99") == Decimal("0.1")


def test_rows_of_an_older_recorder_are_added_up_once() -> None:
    key, _ = make_key()
    written = of("0.1", lineage_id=0, key_id=key.pk, team_id=key.team_id, project_id=0)
    record_attempts([written])
    LedgerEntry.objects.update(lineage_id=None)
    Spend.objects.all().delete()
    assert [count_missed(), count_missed()] == [1, 0]
    assert ever(f"key:{key.pk}") == ever(f"team:{key.team_id}") == Decimal("0.1")


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@dataclass
class Host:
    """Processes on one machine that share a spool folder, and all that they ever closed."""

    folder: Path
    chance: random.Random
    spools: list[Spool] = field(default_factory=list)
    settled: dict[tuple[str, int], AttemptRecord] = field(default_factory=dict)
    """As the store has it: by process and number, until a mark says that SQL has it."""

    def start(self) -> None:
        self.spools.append(Spool(self.folder, f"host-{uuid.uuid4().hex[:6]}", segment_bytes=3_000))

    def call(self) -> None:
        spool, chance = self.chance.choice(self.spools), self.chance
        for _ in range(chance.randrange(1, 12)):
            made = _random_attempt(chance)
            spool.attempt_opened(made)
            spool.attempt_closed(made)
            self.settled[spool.name, made.seq] = made
        if chance.random() < 0.3:
            spool.attempt_opened(begun(started_at=NOON, lineage_id=1, input_tokens=1_000))

    def drain(self) -> None:
        Recorder(self.chance.choice(self.spools)).drain()

    def repeat(self) -> None:
        """What was committed is written again: its process died before it could forget."""
        spool = self.chance.choice(self.spools)
        if batch := spool.finished(self.chance.randrange(1, 9)):
            Recorder(spool)._write(batch, spool.name)

    def die(self) -> None:
        """Whoever dies between commit and forgetting leaves all of it in its files."""
        spool = self.chance.choice(self.spools)
        if self.chance.random() < 0.5 and (batch := spool.finished(self.chance.randrange(1, 30))):
            Recorder(spool)._write(batch, spool.name)
        spool.close()
        self.spools.remove(spool)
        if not self.spools:
            self.start()

    def bury(self) -> None:
        Recorder(self.chance.choice(self.spools)).drain_orphans()

    def poison(self) -> None:
        spool = self.chance.choice(self.spools)
        made = attempt(
            end={"cost_usd": self.chance.choice(["-1", "no money"])}, started_at=NOON, lineage_id=1
        )
        spool.attempt_opened(made)
        spool.attempt_closed(made)


def _random_attempt(chance: random.Random) -> AttemptRecord:
    lineage = chance.randrange(1, 4)
    amount = f"{chance.randrange(10**12)}e-10"
    if is_own := chance.random() < 0.3:
        cost = {"cost_usd": "0", "loss_usd": "0", "own_cost_usd": amount}
    else:
        cost = {"cost_usd": amount, "loss_usd": chance.choice(["0", "0.0000000001", "3.5"])}
    return attempt(
        end=cost,
        own_credential_id=3 if is_own else 0,
        started_at=NOON + chance.uniform(-40, 40) * 86_400,
        key_id=lineage + chance.choice([0, 10]),
        lineage_id=lineage,
        member_id=chance.choice([0, lineage]),
        service_account_id=chance.choice([0, 5]),
        project_id=chance.choice([0, 6, 7]),
        team_id=chance.randrange(1, 3),
        provider=chance.choice(["acme", "other"]),
    )


_COLUMNS = {
    "key": "lineage_id",
    "member": "member_id",
    "service_account": "service_account_id",
    "project": "project_id",
    "team": "team_id",
    "provider": "provider",
}
SUBJECTS = [
    *(
        f"{kind}:{pk}"
        for kind in ("key", "member", "service_account", "project", "team")
        for pk in range(1, 9)
    ),
    *(f"{kind}:{pk}:own" for kind in ("key", "member", "project", "team") for pk in range(1, 9)),
    "provider:acme",
    "provider:other",
    DEPLOYMENT,
]
WINDOWS = {
    window.field: window
    for zone in ZONES
    for kind in (DAY, WEEK, MONTH, LIFETIME)
    for days in (-20, 0, 9)
    for window in [window_at(kind, zone, NOON + days * 86_400)]
}


def by_the_ledger(entries: Iterable[LedgerEntry], subject: str, window: Window) -> int:
    kind, _, name = subject.removesuffix(":own").partition(":")
    chosen = [
        entry
        for entry in entries
        if (subject == DEPLOYMENT or str(getattr(entry, _COLUMNS[kind])) == name)
        and window.starts_at <= entry.started_at.timestamp()
        and (window.ends_at is None or entry.started_at.timestamp() < window.ends_at)
    ]
    loss = sum(units_of(entry.loss_usd) for entry in chosen) if kind in {"provider", DEPLOYMENT} else 0
    own = sum(units_of(entry.own_cost_usd) for entry in chosen) if subject.endswith(":own") else 0
    return sum(units_of(entry.cost_usd) for entry in chosen) + loss + own


def assert_sums_are_those_of_the_ledger() -> None:
    entries = list(LedgerEntry.objects.all())
    spent = read_bases({subject: [*WINDOWS.values()] for subject in SUBJECTS}).spent
    for subject in SUBJECTS:
        for name, window in WINDOWS.items():
            assert spent[subject][name] == by_the_ledger(entries, subject, window), (subject, name)


def assert_money_is_in_one_place(host: Host) -> None:
    """What the store has settled and no mark covers, and what SQL says, is all that was ever closed."""
    marks = read_bases({}).marks
    owed = [made for (process, seq), made in host.settled.items() if seq > marks.get(process, 0)]
    cost = sum(units_of(Decimal(made.closed.cost_usd)) for made in owed if made.closed)
    closed = sum(units_of(Decimal(made.closed.cost_usd)) for made in host.settled.values() if made.closed)
    of_teams = read_bases({"team:1": [EVER], "team:2": [EVER]}).spent
    assert sum(each["lifetime:0"] for each in of_teams.values()) + cost == closed


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Callable[[int], Host]]:
    hosts: list[Host] = []

    def make(seed: int) -> Host:
        host = Host(tmp_path / "spool", random.Random(seed))
        hosts.append(host)
        host.start()
        host.start()
        return host

    yield make
    for host in hosts:
        for spool in host.spools:
            spool.close()


@pytest.mark.parametrize("seed", range(12))
def test_spent_is_the_sum_of_the_ledger_after_any_calls_crashes_and_repetitions(
    make_host: Callable[[int], Host], seed: int
) -> None:
    host = make_host(seed)
    acts = [host.call] * 5 + [host.drain, host.repeat, host.die, host.bury, host.poison, host.start]
    for _ in range(60):
        host.chance.choice(acts)()
        assert_money_is_in_one_place(host)
    for spool in host.spools:
        Recorder(spool).drain()
    Recorder(host.spools[0]).drain_orphans()
    assert_sums_are_those_of_the_ledger()
    finished = LedgerEntry.objects.exclude(outcome="unknown")
    assert finished.count() == len(host.settled)
    assert_money_is_in_one_place(host)
    marks = read_bases({}).marks
    assert all(seq <= marks[process] for process, seq in host.settled)


def test_rejected_record_holds_up_no_mark(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    record_call(spool, lineage_id=1)
    record_call(spool, lineage_id=1, end={"cost_usd": "-1"})
    Recorder(spool).drain()
    assert read_bases({}).marks == {spool.name: 2}
    spool.close()


def test_process_that_died_is_over_once_its_last_file_is_drained(tmp_path: Path) -> None:
    dead, spool = Spool(tmp_path, "dead", segment_bytes=2_000), Spool(tmp_path, "alive")
    for _ in range(20):
        record_call(dead, lineage_id=1)
    dead.close()
    Recorder(spool).drain_orphans()
    assert read_bases({}).marks == {"dead": OVER}
    spool.close()


def test_numbers_go_on_over_files_and_are_found_again(tmp_path: Path) -> None:
    dead, spool = Spool(tmp_path, "dead", segment_bytes=2_000), Spool(tmp_path, "alive")
    long_one = begun(lineage_id=1)
    dead.attempt_opened(long_one)
    for _ in range(20):
        record_call(dead, lineage_id=1)
    dead.close()
    found: list[int] = []
    for orphan in spool.orphans():
        found += [each.seq for each in orphan.read()[0]]
        orphan.release()
    assert found == [*range(1, 21), 0]
    spool.close()

"""A week of a person's teams as the parts of a mail, in their words for times and numbers. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.mail.message import Facts, Heading, Listing, Part, Table
from accounts.money import usd_of
from gateway.core.lines import as_one_line
from gateway.core.locales import write_day, write_number, write_percent, write_usd
from gateway.core.reader import Reader
from gateway.weekly.changes import Changes, Ending
from gateway.weekly.spending import Spending, Sums
from gateway.weekly.week import Week

TEAMS_MOST = 20
_LINES_MOST = 10
_NAME_SHOWN = 80


@dataclass(frozen=True, slots=True)
class TeamWeek:
    """What there is to tell of a team."""

    name: str
    spending: Spending
    changes: Changes

    @property
    def has_something(self) -> bool:
        told, used = self.changes, self.spending
        lists = (told.budgets, told.ending, told.new_models, told.expiring, told.joined, told.left)
        return bool(used.now.calls or used.now.spent or used.before.calls or any(lists))


def write_week(teams: Sequence[TeamWeek], reader: Reader) -> list[Part]:
    """Nothing where there is nothing to tell. The teams that spent most come first."""
    telling = [team for team in teams if team.has_something]
    telling.sort(key=lambda team: (-team.spending.now.spent, team.name))
    parts = [part for team in telling[:TEAMS_MOST] for part in _team(team, reader)]
    if rest := telling[TEAMS_MOST:]:
        parts.append(
            Listing("More teams", [_cut(team.name) for team in rest[:_LINES_MOST]] + _more(len(rest)))
        )
    return parts


def write_period(week: Week, reader: Reader) -> str:
    return f"{write_day(week.first_day, reader.locale)} to {write_day(week.last_day, reader.locale)}"


def _team(team: TeamWeek, reader: Reader) -> Iterator[Part]:
    spending, changes = team.spending, team.changes
    yield Heading(_cut(team.name))
    yield Facts(list(_figures(spending, reader)))
    if spending.now.calls:
        yield _table("Models", "Model", Spending.top(spending.models), reader)
        yield _table("Keys", "Key", Spending.top(spending.keys), reader)
    for title, lines in _lists(changes, reader).items():
        if lines:
            yield Listing(title, [*lines[:_LINES_MOST], *_more(len(lines))])


def _figures(spending: Spending, reader: Reader) -> Iterator[tuple[str, str]]:
    """With words between numbers: digits of other scripts, side by side, change places."""
    now, before, locale = spending.now, spending.before, reader.locale
    yield "Spent", f"{_usd(now.spent, reader)}, {_against(now.spent, before.spent, reader)}"
    yield "Calls", f"{write_number(now.calls, locale)}, {_against(now.calls, before.calls, reader)}"
    errors = write_number(now.errors, locale)
    if now.calls and now.errors:
        errors += f", that is {write_percent(Decimal(now.errors * 100) / now.calls, locale)} of the calls"
    yield "Errors", f"{errors}, {_against(now.errors, before.errors, reader)}"


def _against(now: int, before: int, reader: Reader) -> str:
    if now == before:
        return "as in the week before"
    if not before:
        return "after none in the week before"
    change = Decimal(now - before) * 100 / before
    more = "more" if change > 0 else "less"
    return f"which is {write_percent(abs(change), reader.locale)} {more} than in the week before"


def _table(title: str, first: str, rows: Sequence[tuple[str, Sums]], reader: Reader) -> Table:
    lines = [
        (_cut(name), _usd(sums.spent, reader), write_number(sums.calls, reader.locale)) for name, sums in rows
    ]
    return Table(title, (first, "Spent", "Calls"), lines)


def _lists(changes: Changes, reader: Reader) -> Mapping[str, Sequence[str]]:
    """By title."""
    return {
        "Budgets near their end": [
            f"{_cut(each.whose)}, {each.window}: {_usd(each.spent, reader)} of {_usd(each.amount, reader)} spent"
            for each in changes.budgets
        ],
        "Models in use that end": [_end(each, reader) for each in changes.ending],
        "Keys that expire soon": [f"{_cut(name)}: {_day(at, reader)}" for name, at in changes.expiring],
        "New models that you may call": [_cut(each) for each in changes.new_models],
        "Joined": [_cut(each) for each in changes.joined],
        "Left": [_cut(each) for each in changes.left],
    }


def _end(ending: Ending, reader: Reader) -> str:
    dates = (("deprecated", ending.deprecation_at), ("retired", ending.retirement_at))
    told = " and ".join(f"{word} on {_day(at, reader)}" for word, at in dates if at is not None)
    advice = f"; use {ending.successor}" if ending.successor else "; it has no successor"
    return f"{ending.model}: {told}{advice}"


def _day(at: datetime, reader: Reader) -> str:
    return write_day(at.astimezone(reader.zone).date(), reader.locale)


def _usd(units: int, reader: Reader) -> str:
    return write_usd(usd_of(units), reader.locale)


def _more(count: int) -> list[str]:
    return [f"and {count - _LINES_MOST} more"] if count > _LINES_MOST else []


def _cut(name: str) -> str:
    line = as_one_line(name)
    return line if len(line) <= _NAME_SHOWN else f"{line[: _NAME_SHOWN - 1]}…"

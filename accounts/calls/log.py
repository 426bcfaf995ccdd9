"""The log as pages show it: what is asked, the rows, and the addresses of what is around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.http import QueryDict
from django.utils import timezone

from accounts.calls.filters import FILTERS, Filter
from accounts.calls.pages import Page, newest, read_page
from accounts.calls.places import BACK, ON, read_place
from accounts.calls.question import PERIODS, Chip, Question, read_question, unread_question
from accounts.calls.rows import CallRow, rows_of
from accounts.calls.suggestions import Option, suggestions
from accounts.management_view import joined_lists
from accounts.models import Team
from gateway.core.reader import current
from gateway.core.refusals import InvalidField

_WAIT_S = 10
"""By so much an entry may come later than it ended."""


@dataclass(frozen=True, slots=True)
class Field:
    """Of the form of filters."""

    filter: Filter
    value: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class Log:
    """`problem` says what cannot be asked; there are no rows then."""

    question: Question
    page: Page = field(default_factory=Page)
    rows: Sequence[CallRow] = ()
    chips: Sequence[Chip] = ()
    problem: str = ""
    is_first: bool = True
    """The page with the newest calls, which goes on."""
    options: Mapping[str, Sequence[Option]] = field(default_factory=dict)

    @property
    def fields(self) -> Sequence[Field]:
        return [
            Field(each, self.question.asked.get(each.name, ""), self.options.get(each.name, ()))
            for each in FILTERS.values()
        ]

    @property
    def periods(self) -> Sequence[tuple[str, str]]:
        return [(word, title) for word, (title, _) in PERIODS.items()]

    @property
    def asked(self) -> Mapping[str, str]:
        return self.question.asked

    @property
    def since(self) -> str:
        """What was written for `from`, a word that templates know."""
        return self.question.asked.get("from", "")

    @property
    def query(self) -> str:
        """Of the newest page."""
        return self.question.write()

    @property
    def older(self) -> str:
        return self.question.write(before=self.page.older) if self.page.older else ""

    @property
    def newer(self) -> str:
        return self.question.write(after=self.page.newer) if self.page.newer else ""

    @property
    def live(self) -> str:
        """By which new rows are asked for; empty on a page that stands still."""
        is_live = self.is_first and not self.problem and self.question.end is None
        return self.question.write(since=_stamp(timezone.now())) if is_live else ""


def read_log(query: QueryDict, team: Team | None) -> Log:
    asked = joined_lists(query)
    options = suggestions(team)
    try:
        question = _read(asked, team)
        way, name = (ON, "after") if asked.get("after") else (BACK, "before")
        if asked.get("after") and asked.get("before"):
            raise InvalidField("after", "after cannot stand beside before: follow one link.")
        place = read_place(name, asked[name]) if asked.get(name) else None
    except InvalidField as fault:
        return Log(unread_question(team, asked), problem=fault.message, options=options)
    page = read_page(question, way, place)
    return Log(
        question, page, rows_of(page.entries, team), question.chips, is_first=place is None, options=options
    )


@dataclass(frozen=True, slots=True)
class News:
    """The calls that came since a page was made, or since the news before."""

    rows: Sequence[CallRow]
    next: str
    """The query of the news after these."""

    @property
    def etag(self) -> str:
        told = "\n".join(f"{row.id} {row.entry.pk}" for row in self.rows)
        return f'"{sha256(told.encode()).hexdigest()[:24]}"'


def read_news(query: QueryDict, team: Team | None) -> News:
    """Raises InvalidField."""
    asked, at = joined_lists(query), timezone.now()
    question = _read(asked, team)
    since = _read_stamp(asked["since"]) if asked.get("since") else at
    seen = since - timedelta(seconds=_WAIT_S)
    entries = [
        entry
        for entry in newest(question)
        if (entry.recorded_at or entry.ended_at or entry.started_at) >= seen
    ]
    return News(rows_of(entries, team), question.write(since=_stamp(at)))


def _read(asked: Mapping[str, str], team: Team | None) -> Question:
    return read_question(asked, team, at=timezone.now(), zone=str(current().zone))


def _stamp(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _read_stamp(text: str) -> datetime:
    if not (text.isascii() and text.isdigit() and len(text) <= 13):
        raise InvalidField(
            "since", f"since is {text[:40]!r}; it is a time in milliseconds that the page before told."
        )
    return datetime.fromtimestamp(int(text) / 1000, UTC)

"""Pages over the ledger that teams and staff look at, asked in this process without a socket."""

import itertools
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.calls.log import read_log
from accounts.models import Key, LedgerEntry, Membership, ServiceAccount, Statement, Team, User

_PARTS = 2


@dataclass(frozen=True, slots=True)
class Page:
    """One of a `kind`; all of a kind have one goal."""

    kind: str
    name: str
    client: Client
    address: str
    most_ms: float = 300

    def get(self) -> Any:
        # What staff's pages keep for some seconds is made anew each time.
        cache.clear()
        response = self.client.get(self.address)
        assert response.status_code in (200, 302), (self.address, response.status_code)
        if response.streaming:
            # A sheet of any length is measured to its first rows.
            async_to_sync(_take)(response, _PARTS)
        return response


async def _take(parts: AsyncIterable[bytes], most: int) -> None:
    taken = 0
    async for _ in parts:
        taken += 1
        if taken == most:
            return


class Desk:
    """Somebody who looks at the log: an owner of that team, or staff, who look at all of them."""

    def __init__(self, team: Team | None) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        self.team, self.client = team, Client()
        if team:
            self.client.force_login(User.objects.get(username=f"{team.slug}-person-0"))
        else:
            fields = {"is_staff": True, "is_superuser": True}
            self.client.force_login(User.objects.get_or_create(username="staff", defaults=fields)[0])
        self.name = f"team {team.pk}" if team else "staff"
        self.log = reverse("portal:requests" if team else "admin:accounts_ledgerentry_log")

    def page(self, kind: str, name: str, most_ms: float = 300, **parameters: str) -> Page:
        address = f"{self.log}?{urlencode(parameters)}" if parameters else self.log
        return Page(f"log of {self.name}, {kind}", name, self.client, address, most_ms)

    def rows(self) -> Any:
        rows = LedgerEntry.objects.all()
        return rows.filter(team=self.team) if self.team else rows


def log_pages(desk: Desk, depths: Sequence[float] = (0.1, 0.5, 0.9)) -> Iterator[Page]:
    yield desk.page("pages", "first")
    if older := read_log(QueryDict(), desk.team).page.older:
        yield desk.page("pages", "second", before=str(older))
    rows = desk.rows().order_by("started_at")
    begin, end = rows[0].started_at, rows.reverse()[0].started_at
    for depth in depths:
        at = int((end - (end - begin) * depth).timestamp() * 1_000_000)
        yield desk.page("pages", f"{depth:.0%} deep", before=f"{at}-{'0' * 32}")
        yield desk.page("pages", f"{depth:.0%} deep, on", after=f"{at}-{'0' * 32}")
    for period in ("1h", "24h", "7d", "30d"):
        yield desk.page("pages", period, period=period)
    entry = rows[0]
    yield desk.page("search", "by request", q=entry.request_id)
    yield desk.page("search", "by call", q=entry.call_id.hex)


def filters_of(desk: Desk) -> Mapping[str, str]:
    """By name of each one or two values, common and rare ones."""
    of_team = {"team": desk.team} if desk.team else {}
    keys = Key.objects.filter(**of_team).order_by("pk")
    found = {
        "model": "acme/model-7",
        "provider": "provider-3",
        "project": "project-1",
        "outcome": "failed",
        "status": "503",
        "error": "timeout",
        "surface": "gemini",
        "endpoint": "embeddings",
        "streamed": "no",
        "failed_over": "yes",
        "own": "yes",
        "min_cost": "0.0015",
        "min_latency": "4498",
        "key": keys[min(3, len(keys) - 1)].public_id,
    }
    if member := Membership.objects.filter(**of_team).order_by("pk").first():
        found["member"] = member.user.username
    if program := ServiceAccount.objects.filter(**of_team).order_by("pk").first():
        found["service_account"] = program.slug
    users = desk.rows().filter(end_user__isnull=False).order_by("-started_at")
    if user := users.values_list("end_user", flat=True).first():
        found["end_user"] = user
    return found


def rare_filters_of(desk: Desk) -> Iterator[tuple[str, Mapping[str, str]]]:
    of_team = {"team": desk.team} if desk.team else {}
    for number in (7, 8):
        key = Key.objects.filter(**of_team, name=f"key {number}").order_by("pk").first()
        if key:
            yield f"key {number}", {"key": key.public_id}
    yield "never", {"end_user": "0" * 32}
    yield "no such status", {"status": "418"}
    yield "no such error", {"error": "nothing"}
    yield "dearer than all", {"min_cost": "100"}
    yield "slower than all", {"min_latency": "80000"}
    yield "status of its kind", {"status": "4xx"}
    yield "own, not", {"own": "no"}


def filtered_pages(desk: Desk) -> Iterator[Page]:
    words = filters_of(desk)
    for name, word in words.items():
        yield desk.page("one filter", f"{name}={word}", **{name: word})
    for told, asked in rare_filters_of(desk):
        yield desk.page("one filter", told, **asked)
    for one, two in itertools.combinations(words, 2):
        yield desk.page("two filters", f"{one} and {two}", **{one: words[one], two: words[two]})


def console_pages(desk: Desk) -> Iterator[Page]:
    """Of lists and settings of a team, and the catalogue's."""
    names = ("keys", "members", "projects", "limits", "alerts", "statements", "audit", "team")
    for name in names:
        yield Page("console", name, desk.client, reverse(f"portal:{name}"), 150)
    for address in ("/models", "/models/retirements"):
        yield Page("console", address, desk.client, address, 150)


def overview_pages(desk: Desk, splits: Sequence[str] = ()) -> Iterator[Page]:
    from gateway.portal.overview.periods import PERIODS
    from gateway.portal.overview.question import SPLITS

    for by, period in itertools.product(splits or SPLITS, PERIODS):
        address = f"/overview?by={by}&period={period}"
        yield Page(f"overview of {desk.name}", f"by {by}, {period}", desk.client, address, 150)


def staff_pages(
    desk: Desk, measures: Sequence[str] = ("spend", "errors"), splits: Sequence[str] = ()
) -> Iterator[Page]:
    from gateway.ops.dashboard import PERIODS, SPLITS

    for period, by, measure in itertools.product(PERIODS, splits or SPLITS, measures):
        address = f"/admin/dashboard/?period={period}&by={by}&measure={measure}"
        yield Page("dashboard", f"{period} by {by}, {measure}", desk.client, address, 150)
    ledger = reverse("admin:accounts_ledgerentry_changelist")
    yield Page("ledger of staff", "first page", desk.client, ledger)
    yield Page("ledger of staff", "page 20", desk.client, f"{ledger}?p=20")
    yield Page("exports", "ledger of staff", desk.client, reverse("admin:accounts_ledgerentry_export"))


def receipt_pages(desk: Desk) -> Iterator[Page]:
    rows = desk.rows().order_by("started_at")
    for name, entry in (("oldest", rows[0]), ("newest", rows.reverse()[0])):
        route = "portal:receipt" if desk.team else "admin:accounts_ledgerentry_receipt"
        yield Page(f"receipt for {desk.name}", name, desk.client, reverse(route, args=[entry.request_id]), 50)


def sheet_pages(desk: Desk) -> Iterator[Page]:
    yield Page("exports", f"overview of {desk.name}", desk.client, "/overview/csv?by=model&period=90d")
    statement = Statement.objects.filter(team=desk.team).order_by("-pk").first()
    for name in ("portal:statement", "portal:statement-sheet") if statement else ():
        yield Page("statements", name, desk.client, reverse(name, args=[statement.number]))
    yield Page("statements", "list", desk.client, reverse("portal:statements"))

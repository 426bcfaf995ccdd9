"""What was done in a team, for those of it who may know: a page that is narrowed as the API is, and a file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.auditing.exporting import send_lines
from accounts.auditing.filters import BOUNDS, LISTS, read_cursor, read_filters
from accounts.auditing.telling import tell_all
from accounts.management_view import joined_lists
from accounts.models import AuditEntry
from accounts.rights import Right
from gateway.core.reader import current
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting_with

_PAGE = 50
_SHOWN_CHANGES = 4
_KINDS = (
    *(
        "access_request",
        "alert_channel",
        "allowance",
        "audit",
        "budget",
        "invitation",
        "key",
        "limit",
        "member",
    ),
    *("project", "provider_credential", "service_account", "team"),
)
"""Of rows that a team has: what its form suggests."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?")
_NOTHING: Sequence[Any] = (None, "", [])


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as people read it. `actor_id` and `target_id` are what the page is narrowed by; empty: by nothing."""

    entry: AuditEntry
    type: str
    actor: str
    actor_id: str
    target: str
    target_id: str
    page: str
    """Of what the act was on, where it has one."""
    changes: Sequence[Change]

    @property
    def first(self) -> Sequence[Change]:
        return self.changes[:_SHOWN_CHANGES]

    @property
    def more(self) -> Sequence[Change]:
        return self.changes[_SHOWN_CHANGES:]


@never_cache
@login_required
@require_safe
def entries(request: HttpRequest) -> HttpResponseBase:
    """The newest first. What cannot be asked for is named, and the rest is shown."""
    here = acting_with(request, Right.AUDIT)
    asked = joined_lists(request.GET)
    shown, problem, status = AuditEntry.objects.filter(team=here.team), "", 200
    try:
        shown = read_filters(asked).narrow(shown)
        if "after" in asked:
            shown = shown.before(read_cursor("after", asked["after"]))
    except InvalidField as fault:
        shown, problem, status = shown.none(), fault.message, 400
    if asked.get("format") == "jsonl" and not problem:
        audit.record_event("audit.exported", team=here.team, row=here.team)
        return send_lines(shown)
    found = list(shown.newest_first()[: _PAGE + 1])
    page = found[:_PAGE]
    kept = {name: asked[name] for name in (*LISTS, *_BOUND_NAMES) if asked.get(name)} | {
        "team": here.team.slug
    }
    context: dict[str, Any] = {
        "team": here.team,
        "lines": [_line(entry, told) for entry, told in zip(page, tell_all(page), strict=True)],
        "kinds": _KINDS,
        "is_narrowed": len(kept) > 1 or "after" in asked,
        "asked": {name.translate(_PLAIN): value for name, value in kept.items()},
        "query": urlencode(kept),
        "older": page[-1].pk if len(found) > _PAGE else None,
        "problem": problem,
    }
    return _rendered(request, context, status)


_BOUND_NAMES = tuple(f"effective_at[{bound}]" for bound in BOUNDS)
_PLAIN = str.maketrans({"[": "_", "]": ""})
"""Templates cannot say brackets."""


def _line(entry: AuditEntry, told: Mapping[str, Any]) -> Line:
    target = told["target"]
    id_ = str(target["id"] or "")
    by_key = entry.actor_kind == AuditEntry.Kind.KEY
    has_actor_id = by_key or entry.actor_kind == AuditEntry.Kind.PERSON
    # What a new row leaves empty, and what is told of neither state, is no news.
    changes = [
        Change(name, _readable(pair["before"]), _readable(pair["after"]))
        for name, pair in told["changes"].items()
        if pair["before"] not in _NOTHING or pair["after"]
    ]
    is_key = target["type"] == "key" and id_.isalnum() and not id_.isdecimal()
    return Line(
        entry,
        told["type"],
        entry.actor_name or entry.key or entry.get_actor_kind_display(),
        (entry.key if by_key else entry.actor_name) if has_actor_id else "",
        target["name"],
        id_,
        reverse("portal:key", args=[id_]) if is_key else "",
        changes,
    )


def _readable(value: Any) -> Any:
    """An instant as the reader has it, yes or no, and lists in one line; all else as it is kept."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_readable(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(str(_readable(each)) for each in value)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return value
    return current().write_instant(datetime.fromisoformat(value).replace(tzinfo=UTC), seconds=True)


def _rendered(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, "portal/audit.html", context, status=status)

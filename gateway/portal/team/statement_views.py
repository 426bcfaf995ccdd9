"""A team's statements: a list, one to read and print, and its sheet."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Statement, StatementLine
from accounts.money import usd_of
from accounts.statement_sheet import send_statement
from gateway.portal.acting import acting

_PAGE = 24
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that belong together: of the month itself (`corrects` is None), or of one that is put right."""

    corrects: Statement | None
    lines: list[StatementLine]

    @property
    def cost_usd(self) -> Decimal:
        return usd_of(sum(line.cost for line in self.lines))

    @property
    def charge_usd(self) -> Decimal:
        return usd_of(sum(line.charge for line in self.lines))


@never_cache
@login_required
@require_safe
def statements(request: HttpRequest) -> HttpResponse:
    team = acting(request).team
    context = {
        "team": team,
        "page": Paginator(team.statements.all(), _PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "portal/statements.html", context)


@never_cache
@login_required
@require_safe
def statement(request: HttpRequest, number: str) -> HttpResponse:
    team = acting(request).team
    found = _found(request, number)
    context = {"team": team, "statement": found, "parts": list(_parts(found))}
    return render(request, "portal/statement.html", context)


@never_cache
@login_required
@require_safe
def sheet(request: HttpRequest, number: str) -> HttpResponse:
    return send_statement(_found(request, number))


def _found(request: HttpRequest, number: str) -> Statement:
    """Of the team of which the page is. Raises Http404."""
    team = acting(request).team
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
        raise Http404("There is no such statement.")
    return get_object_or_404(team.statements, pk=int(number))


def _parts(statement: Statement) -> Iterator[Part]:
    part: Part | None = None
    for line in statement.lines.select_related("corrects"):
        if part is None or part.corrects != line.corrects:
            if part:
                yield part
            part = Part(line.corrects, [])
        part.lines.append(line)
    if part:
        yield part

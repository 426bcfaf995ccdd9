"""The worklist's page: what is to be fixed, by kind and organisation, each with the page where it is fixed."""

from collections import Counter
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from catalogue.admin.live import publish_aloud
from catalogue.models import Model
from catalogue.quality.completeness import MARKS
from catalogue.quality.lint import EXPLANATIONS, Finding, Kind
from catalogue.quality.worklist import ignore, worklist_cache
from gateway.core.admin_base import Tone

PER_PAGE = 50
_REASON_MOST = 300
_TONES: dict[Kind, Tone] = {
    Kind.QUARANTINED: "bad",
    Kind.EDITED: "info",
    Kind.UNCALLABLE: "bad",
    Kind.UNCONNECTED: "info",
    Kind.LOST_SUCCESSOR: "bad",
}


def show_worklist(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """State is in the address: `kind`, `organisation`, `ignored`, `page`. Raises PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    if request.method == "POST":
        if not model_admin.has_change_permission(request):
            raise PermissionDenied
        _act(request)
        return HttpResponseRedirect(request.get_full_path())
    kind, organisation = request.GET.get("kind", ""), request.GET.get("organisation", "")
    worklist = worklist_cache.read()
    ignored = dict(worklist.ignored)
    shows_ignored = "ignored" in request.GET
    findings = list(ignored) if shows_ignored else worklist.findings
    of_organisation = [each for each in findings if organisation in {"", each.organisation_id}]
    chosen = [each for each in of_organisation if kind in {"", each.kind}]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = model_admin.admin_site.each_context(request) | {
        "title": "Worklist",
        "opts": model_admin.opts,
        "page": page,
        "rows": [row_of(finding) | {"ignored": ignored.get(finding)} for finding in page],
        "kinds": _count_kinds(of_organisation),
        "organisations": sorted(Counter(each.organisation_id for each in findings if each.model_id).items()),
        "kind": kind,
        "organisation": organisation,
        "total": len(of_organisation),
        "marks": MARKS,
        "shows_ignored": shows_ignored,
        "ignored_total": len(ignored),
        "may_act": model_admin.has_change_permission(request),
        "reason_most": _REASON_MOST,
    }
    return TemplateResponse(request, "admin/worklist.html", context)


def row_of(finding: Finding) -> dict[str, Any]:
    """`link` leads to the page where it is fixed; `token` names it in a form."""
    place: tuple[str, int | None] = ("catalogue_model", finding.model_pk)
    if finding.provider_id:
        place = ("providers_provider", finding.provider_id)
    elif finding.offering_id:
        place = ("catalogue_offering", finding.offering_id)
    explanation = EXPLANATIONS[finding.kind]
    return {
        "title": explanation.title,
        "tone": _TONES.get(finding.kind, "warning"),
        "why": explanation.why,
        "what": finding.what,
        "model": finding.model_id,
        "link": reverse(f"admin:{place[0]}_change", args=[place[1]]),
        "token": _token(finding),
    }


def _act(request: HttpRequest) -> None:
    """On the findings that are selected; those that were fixed in the meantime are passed over."""
    worklist, ticked = worklist_cache.read(), set(request.POST.getlist("finding"))
    chosen = [each for each in worklist.findings if _token(each) in ticked]
    back = [row for each, row in worklist.ignored if _token(each) in ticked]
    if not chosen and not back:
        messages.error(request, "Select what this is about first.")
        return
    match request.POST.get("act"):
        case "ignore":
            _ignore(request, chosen)
        case "publish":
            _publish(request, {each.model_pk for each in chosen if each.model_pk})
        case "watch":
            for row in back:
                row.delete()
            messages.success(request, f"Back in the worklist: {len(back)}.")


def _publish(request: HttpRequest, pks: Collection[int]) -> None:
    if not pks:
        messages.error(request, "Only models are published: select a line that is about one.")
        return
    publish_aloud(request, Model.objects.filter(pk__in=pks), "Published from the worklist")


def _ignore(request: HttpRequest, findings: Sequence[Finding]) -> None:
    reason = " ".join(request.POST.get("reason", "").split())[:_REASON_MOST]
    if not reason or not reason.isprintable():
        messages.error(request, "Nothing is ignored yet: say why, for whoever looks at it next.")
        return
    ignore(findings, reason=reason, author=request.user if isinstance(request.user, User) else None)
    messages.success(request, f"Ignored from now on: {len(findings)}.")


def _token(finding: Finding) -> str:
    return sha256(repr(finding.identity).encode()).hexdigest()[:16]


def _count_kinds(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    counts = Counter(finding.kind for finding in findings)
    return [
        {
            "kind": kind.value,
            "title": EXPLANATIONS[kind].title,
            "why": EXPLANATIONS[kind].why,
            "count": counts[kind],
        }
        for kind in Kind
    ]

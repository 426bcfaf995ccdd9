"""The worklist's page: what is to be mended, by kind and organisation, each with the page that mends it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from catalogue.quality.completeness import MARKS
from catalogue.quality.lint import EXPLANATIONS, Finding, Kind
from catalogue.quality.worklist import worklist_cache
from gateway.core.admin_base import Tone

PER_PAGE = 50
_TONES: dict[Kind, Tone] = {
    Kind.QUARANTINED: "bad",
    Kind.EDITED: "info",
    Kind.UNCALLABLE: "bad",
    Kind.UNCONNECTED: "info",
    Kind.LOST_SUCCESSOR: "bad",
}


def show_worklist(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """State is in the address: `kind`, `organisation`, `page`. Raises PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    kind, organisation = request.GET.get("kind", ""), request.GET.get("organisation", "")
    findings = worklist_cache.read().findings
    of_organisation = [each for each in findings if organisation in {"", each.organisation_id}]
    chosen = [each for each in of_organisation if kind in {"", each.kind}]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = model_admin.admin_site.each_context(request) | {
        "title": "Worklist",
        "opts": model_admin.opts,
        "page": page,
        "rows": [row_of(finding) for finding in page],
        "kinds": _count_kinds(of_organisation),
        "organisations": sorted(Counter(each.organisation_id for each in findings if each.model_id).items()),
        "kind": kind,
        "organisation": organisation,
        "total": len(of_organisation),
        "marks": MARKS,
    }
    return TemplateResponse(request, "admin/worklist.html", context)


def row_of(finding: Finding) -> dict[str, Any]:
    """`link` leads to the page that mends it."""
    place = ("catalogue_model", finding.model_pk)
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
    }


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

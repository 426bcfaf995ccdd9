"""The page on which two editions are compared."""

from collections import Counter
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from catalogue.changes.edition_comparison import Pair, differing, tell_differences
from catalogue.models import Edition

PER_PAGE = 25
_CHOICES = 200


def show_comparison(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """`?from=&to=`, numbers of editions; without `from` it is the one before. Raises Http404, PermissionDenied."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    later = _edition(request.GET.get("to"))
    earlier = _edition(request.GET.get("from"), before=later)
    if earlier and later and earlier.number > later.number:
        earlier, later = later, earlier
    pairs = differing(earlier.number if earlier else 0, later.number) if later else []
    chosen = [pair for pair in pairs if request.GET.get("kind") in {None, pair.kind}]
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    context = model_admin.admin_site.each_context(request) | {
        "title": "Compare editions",
        "opts": model_admin.opts,
        "earlier": earlier,
        "later": later,
        "editions": Edition.objects.select_related("author")[:_CHOICES],
        "page": page,
        "differences": tell_differences(page),
        "counts": _count(pairs),
        "kind": request.GET.get("kind"),
    }
    return TemplateResponse(request, "admin/catalogue/compare.html", context)


def _edition(given: str | None, *, before: Edition | None = None) -> Edition | None:
    """The newest where none is given, or the newest before another one. None: there is none."""
    editions = Edition.objects.select_related("author")
    if before is not None and not given:
        return editions.filter(number__lt=before.number).first()
    if not given:
        return editions.first()
    found = editions.filter(number=given).first() if given.isdecimal() and len(given) < 19 else None
    if found is None:
        raise Http404(f"There is no edition {given}.")
    return found


def _count(pairs: list[Pair]) -> list[tuple[str, int]]:
    counts = Counter(pair.kind for pair in pairs)
    return [(kind, counts[kind]) for kind in ("added", "changed", "removed") if counts[kind]]

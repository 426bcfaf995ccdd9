"""The page that asks before it rolls back, with what will change, and the page of a model's earlier editions."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.models import User
from catalogue.changes.edition_comparison import Pair, tell_differences
from catalogue.models import Edition, Model, PublishedModel
from catalogue.publishing.rollback import RollbackRefusedError, plan_rollback, roll_back

PER_PAGE = 20


def show_rollback(model_admin: Any, request: HttpRequest, number: int) -> HttpResponse:
    """`?model=` is one model's id; without it, it is the whole edition. Raises Http404, PermissionDenied."""
    if not request.user.has_perms(["catalogue.change_model", "catalogue.view_edition"]):
        raise PermissionDenied
    edition = Edition.objects.select_related("author").filter(number=number).first()
    public_id = request.GET.get("model") or None
    if edition is None or (public_id and not _was_there(number, public_id)):
        raise Http404("That edition has no such model.")
    if request.method == "POST":
        return _do(request, edition, public_id)
    context = model_admin.admin_site.each_context(request) | {
        "title": f"Roll {public_id or 'everything'} back to {edition}",
        "opts": model_admin.opts,
        "edition": edition,
        "public_id": public_id,
        "plan": plan_rollback(number, public_id),
    }
    return TemplateResponse(request, "admin/catalogue/rollback.html", context)


def show_versions(model_admin: Any, request: HttpRequest, model: Model) -> HttpResponse:
    """Every edition that published the model, with what it changed. Raises PermissionDenied."""
    if not model_admin.has_view_permission(request, model):
        raise PermissionDenied
    rows = PublishedModel.objects.filter(public_id=model.public_id).order_by("-edition_from_id")
    columns = rows.select_related("edition_from__author").defer("content")
    page = Paginator(columns, PER_PAGE).get_page(request.GET.get("page"))
    versions = list(page)
    older = dict(zip([row.pk for row in versions], [*versions[1:], _older(rows, versions)], strict=False))
    pairs = [
        Pair(model.public_id, before.pk if (before := older[row.pk]) else None, row.pk) for row in versions
    ]
    context = model_admin.admin_site.each_context(request) | {
        "title": f"Editions of {model.public_id}",
        "opts": model_admin.opts,
        "original": model,
        "page": page,
        "versions": list(zip(versions, tell_differences(pairs), strict=True)),
    }
    return TemplateResponse(request, "admin/catalogue/versions.html", context)


def _older(rows: Any, versions: list[PublishedModel]) -> PublishedModel | None:
    """The row that the oldest of the page replaced, which is on the next page."""
    if not versions:
        return None
    found: PublishedModel | None = (
        rows.filter(edition_from__lt=versions[-1].edition_from_id).defer("content").first()
    )
    return found


def _was_there(number: int, public_id: str) -> bool:
    printable = public_id.isprintable()
    return printable and PublishedModel.objects.at_edition(number).filter(public_id=public_id).exists()


def _do(request: HttpRequest, edition: Edition, public_id: str | None) -> HttpResponse:
    author = request.user if isinstance(request.user, User) else None
    removes_newer = "removes_newer" in request.POST
    try:
        made = roll_back(edition.number, public_id, author=author, removes_newer=removes_newer)
    except RollbackRefusedError as refusal:
        messages.error(request, f"Nothing was rolled back. {refusal}")
        return HttpResponseRedirect(request.get_full_path())
    except IntegrityError:
        messages.error(request, "Nothing was rolled back: somebody edited it at the same time. Look again.")
        return HttpResponseRedirect(request.get_full_path())
    if made is None:
        messages.info(request, "Nothing changed for clients, so there is no new edition.")
    else:
        messages.success(request, f"Rolled back, and published as {made}.")
    _tell_troubles(request, edition, public_id)
    return HttpResponseRedirect(reverse("admin:catalogue_edition_changelist"))


def _tell_troubles(request: HttpRequest, edition: Edition, public_id: str | None) -> None:
    aside = Model.objects.exclude(quarantine_reason="").filter(
        **({"public_id": public_id} if public_id else {})
    )
    for model in aside[:PER_PAGE]:
        text = f"{model} could not be published as {edition} had it: {model.quarantine_reason}"
        messages.error(request, text)

"""Whose limits and budgets are, on pages: how they are called, where they are shown, and who may set them."""

from collections.abc import Iterable, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Key, Membership, Project, ServiceAccount, Team
from accounts.models.subject import SubjectModel
from accounts.subject_rows import Owner, may_set, refusal_to_set
from gateway.portal.acting import acting

_WHOSE = {ServiceAccount: "Service account", Project: "Project", Key: "Key"}


def name_owner(row: Any) -> str:
    if isinstance(row, Team):
        return f"All of {row.name}"
    return str(row.user) if isinstance(row, Membership) else f"{_WHOSE[type(row)]} {row.name}"


def page_of(row: Owner) -> str:
    """Where its limits and budgets are shown and set."""
    if isinstance(row, Key):
        return reverse("portal:key", args=[row.public_id])
    if isinstance(row, Team):
        return f"{reverse('portal:limits')}?{urlencode({'team': row.slug})}"
    if isinstance(row, Membership):
        path = reverse("portal:member", args=[row.pk])
    else:
        kind = "service-account" if isinstance(row, ServiceAccount) else "project"
        path = reverse(f"portal:{kind}", args=[row.slug])
    return f"{path}?{urlencode({'team': row.team.slug})}"


def page_after(request: HttpRequest, row: SubjectModel) -> str:
    """The page of whom it is for; of a lineage, the one of the key that `key` names."""
    subject = cast("Owner", row.subject_row)
    named = str(request.POST.get("key") or request.GET.get("key") or "")
    if isinstance(subject, Key) and named.isalnum() and named.isascii():
        return reverse("portal:key", args=[named])
    return page_of(subject)


def read_pk(text: str) -> int:
    """Raises Http404 where no row has such an id: no database is asked for others."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404("There is no such row.")
    return int(text)


def changeable(request: HttpRequest, rows: Any, text: str) -> Any:
    """The limit or the budget of that id, of the team that is acted for. Raises Http404, PermissionDenied."""
    here = acting(request)
    found = get_object_or_404(rows.for_team(here.team).with_subjects(), pk=read_pk(text))
    if not may_set(here, found.subject_row):
        raise PermissionDenied(refusal_to_set(here, found.subject_row).message)
    return found


def subject_value(row: Any) -> str:
    """In forms that ask whose something is."""
    return f"{row._meta.model_name}-{row.pk}"


class SubjectChoice(forms.Form):
    """With whose it is, of those whom the view offers."""

    subject = forms.ChoiceField(label="Whose")

    def offer(self, rows: Iterable[Owner]) -> None:
        self._subjects = {subject_value(row): row for row in rows}
        choices = [(value, name_owner(row)) for value, row in self._subjects.items()]
        cast("forms.ChoiceField", self.fields["subject"]).choices = choices

    @property
    def chosen(self) -> Owner:
        return self._subjects[self.cleaned_data["subject"]]


def members_of(team: Team) -> Sequence[Membership]:
    return list(team.memberships.active().select_related("user", "team").order_by("user__username"))

"""Whom a limit or a budget is for, in columns: one of those that `KeyFacts.subjects` names."""

from typing import Any

from django.db import models

from accounts.keys import Subject

KINDS = ("key", "member", "service_account", "project", "team")
"""The nearest first. A key stands for its lineage: it is the first of it."""


def _of(model: str) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(
        f"accounts.{model}", on_delete=models.CASCADE, null=True, blank=True, related_name="%(class)ss"
    )


def _alone(kind: str) -> models.Q:
    others = {f"{other}__isnull": True for other in KINDS if other != kind}
    return models.Q(**{f"{kind}__isnull": False}, **others)


def one_subject() -> models.Q:
    """Of a row: it is for exactly one."""
    first, *rest = [_alone(kind) for kind in KINDS]
    for each in rest:
        first |= each
    return first


class SubjectModel(models.Model):
    """A row that is for one subject: the other columns are empty."""

    key = _of("Key")
    member = _of("Membership")
    service_account = _of("ServiceAccount")
    project = _of("Project")
    team = _of("Team")

    class Meta:
        abstract = True

    @property
    def subject(self) -> Subject:
        kind = self.subject_kind
        return kind, getattr(self, f"{kind}_id")

    @property
    def subject_kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, f"{kind}_id") is not None)

    @property
    def subject_row(self) -> models.Model:
        row: models.Model = getattr(self, self.subject_kind)
        return row

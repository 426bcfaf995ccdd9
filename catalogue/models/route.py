"""Named routes: models that others answer for."""

from typing import Any

from django.db import models

from catalogue.models.model import Model
from catalogue.querysets.working import ModelQuerySet


class RouteManager(models.Manager.from_queryset(ModelQuerySet)):  # type: ignore[misc]
    """Of those models that are routes."""

    def get_queryset(self) -> ModelQuerySet:
        rows: ModelQuerySet = super().get_queryset()
        return rows.filter(kind=Model.Kind.ROUTE)


class Route(Model):
    """A model of the kind that has members in place of offerings."""

    objects = RouteManager()  # type: ignore[misc]  # narrower than its base's

    class Meta:
        proxy = True
        verbose_name = "named route"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = Model.Kind.ROUTE
        super().save(*args, **kwargs)

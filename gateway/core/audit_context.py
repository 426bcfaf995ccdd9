"""Who acts now, and on whose page an act is told: what the audit adds to each entry."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.core.middleware import Middleware

_request: ContextVar[HttpRequest | None] = ContextVar("acting_request", default=None)
_person: ContextVar[AbstractBaseUser | None] = ContextVar("acting_person", default=None)
_pages: dict[type[Model], Callable[[Any], str]] = {}


class AuditContext(Middleware):
    """Keeps the request in view while it is answered. Who sent it is asked only by an entry."""

    def before(self, request: HttpRequest) -> None:
        _request.set(request)

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        _request.set(None)
        return response


@contextmanager
def on_behalf_of(person: AbstractBaseUser | None) -> Iterator[None]:
    """Inside, a worker acts for somebody who asked for it earlier."""
    token = _person.set(person)
    try:
        yield
    finally:
        _person.reset(token)


def who() -> tuple[AbstractBaseUser | None, str]:
    """The person, and the public id of the key, that the present request came from; None and empty without one."""
    user = getattr(_request.get(), "user", None) or _person.get()
    key = getattr(user, "key", None)
    if key is not None:
        return None, key.public_id
    return (user if isinstance(user, AbstractBaseUser) and user.is_authenticated else None), ""


def register_page(model: type[Model], page: Callable[[Any], str]) -> None:
    """Entries on rows of `model` are told on the page that `page` names for a row."""
    _pages[model] = page


def page_of(row: Model) -> str:
    return _pages.get(type(row), own_page)(row)


def own_page(row: Model) -> str:
    return name_page(row._meta.label_lower, row.pk)


def name_page(label: str, pk: object) -> str:
    return f"{label}/{pk}"

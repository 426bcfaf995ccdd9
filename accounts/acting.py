"""Who acts now, and on whose page an act is told: what the audit adds to each entry."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_request: ContextVar[HttpRequest | None] = ContextVar("acting_request", default=None)
_pages: dict[type[Model], Callable[[Any], str]] = {}


class Acting:
    """Middleware: keeps the request in view while it is answered. Who sent it is asked only by an entry."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer_later(request)
        token = _request.set(request)
        try:
            answer: HttpResponseBase = self._get_response(request)
            return answer
        finally:
            _request.reset(token)

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            answer: HttpResponseBase = await self._get_response(request)
            return answer
        finally:
            _request.reset(token)


def who() -> tuple[AbstractBaseUser | None, str]:
    """The person, and the public id of the key, that the present request came from; None and empty without one."""
    user = getattr(_request.get(), "user", None)
    key = getattr(user, "key", None)
    if key is not None:
        return None, key.public_id
    return (user if isinstance(user, AbstractBaseUser) and user.is_authenticated else None), ""


def tell_on(model: type[Model], page: Callable[[Any], str]) -> None:
    """Entries on rows of `model` are told on the page that `page` names for a row."""
    _pages[model] = page


def page_of(row: Model) -> str:
    return _pages.get(type(row), own_page)(row)


def own_page(row: Model) -> str:
    return name_page(row._meta.label_lower, row.pk)


def name_page(label: str, pk: object) -> str:
    return f"{label}/{pk}"

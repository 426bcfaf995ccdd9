"""Who acts now, from where, and on whose page an act is told: what the audit adds to each entry."""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.core.client_address import client_of_meta
from gateway.core.errors import given_request_id
from gateway.core.middleware import Middleware

_request: ContextVar[HttpRequest | None] = ContextVar("acting_request", default=None)
_person: ContextVar[AbstractBaseUser | None] = ContextVar("acting_person", default=None)
_pages: dict[type[Model], Callable[[Any], str]] = {}
_teams: dict[type[Model], Callable[[Any], int | None]] = {}


class ActorKind(StrEnum):
    """Who may have done what an entry tells. A stranger is whoever sent a request without having signed in."""

    PERSON = "person"
    KEY = "api_key"
    DIRECTORY = "directory"
    STRANGER = "stranger"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who acts, and the request that it comes from; empty words and no address where there is none."""

    kind: ActorKind
    person: AbstractBaseUser | None
    key: str
    name: str
    address: str | None
    request_id: str


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
    user = _user()
    key = getattr(user, "key", None)
    if key is not None:
        return None, key.public_id
    return (user if isinstance(user, AbstractBaseUser) and user.is_authenticated else None), ""


def circumstances() -> Circumstances:
    """What there is to tell of the present act.

    A `request.user` that is neither a person nor a key's says its name as `audit_name`, and is a directory.
    """
    user = _user()
    person, key = who()
    if person is not None:
        kind, name = ActorKind.PERSON, str(person)
    elif key:
        kind, name = ActorKind.KEY, str(getattr(user, "key", None))
    elif name := getattr(user, "audit_name", ""):
        kind = ActorKind.DIRECTORY
    else:
        kind = ActorKind.GATEWAY if _request.get() is None else ActorKind.STRANGER
    return Circumstances(kind, person, key, name, _address(), given_request_id(_request.get()))


def register_page(model: type[Model], page: Callable[[Any], str]) -> None:
    """Entries on rows of `model` are told on the page that `page` names for a row."""
    _pages[model] = page


def register_team(model: type[Model], team: Callable[[Any], int | None]) -> None:
    """Entries on rows of `model` belong to the audit of the team whose id `team` gives for a row."""
    _teams[model] = team


def page_of(row: Model) -> str:
    return _pages.get(type(row), own_page)(row)


def team_of(row: Model) -> int | None:
    """The id of the team whom a row concerns; None: the operator alone."""
    return _teams.get(type(row), _own_team)(row)


def own_page(row: Model) -> str:
    return name_page(row._meta.label_lower, row.pk)


def name_page(label: str, pk: object) -> str:
    return f"{label}/{pk}"


def _user() -> Any:
    return getattr(_request.get(), "user", None) or _person.get()


def _own_team(row: Any) -> int | None:
    team: int | None = getattr(row, "team_id", None)
    return team


def _address() -> str | None:
    """As the column takes it: a peer behind a socket of this machine has none."""
    request = _request.get()
    if request is None:
        return None
    try:
        return str(ipaddress.ip_address(client_of_meta(request.META, settings.TRUSTED_PROXIES)))
    except ValueError:
        return None

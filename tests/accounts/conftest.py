"""Clients of the control plane, and the people behind them."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import Team
from tests.make import make_key, make_team, make_user
from tests.patience import HANG_S

Caller = Callable[..., Any]


@pytest.fixture
def team(db: None) -> Team:
    return make_team("research")


@pytest.fixture
def call(client: Client) -> Caller:
    """`call(method, path, key, body)`: a request as JSON; answers the response."""

    def send(method: str, path: str, key: str = "", body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        data = body if isinstance(body, str | bytes) else ("" if body is None else body)
        return client.generic(method, path, _json(data), "application/json", headers=headers)

    return send


@pytest.fixture
def manager(team: Team) -> str:
    """A management key of the team."""
    return make_key(team, "manager", scope="management")[1]


@pytest.fixture
def member(team: Team) -> Client:
    """A signed-in member of the team, without CSRF checks."""
    client = Client()
    client.force_login(make_user("member", teams=[team]))
    return client


@pytest.fixture
def at_once() -> Iterator[Callable[..., list[Any]]]:
    """`at_once(*functions)`: run them in threads of their own, each with its own connection."""
    with ThreadPoolExecutor(8) as pool:

        def run(*functions: Callable[[], Any]) -> list[Any]:
            return [
                future.result(HANG_S)
                for future in [pool.submit(_closing, function) for function in functions]
            ]

        yield run


def _closing(function: Callable[[], Any]) -> Any:
    try:
        return function()
    finally:
        connections.close_all()


def _json(data: Any) -> str | bytes:
    return data if isinstance(data, str | bytes) else json.dumps(data)

"""A directory with its token, and what it sends."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import ScimDirectory
from accounts.scim.tokens import issue_token

Scim = Callable[..., Any]


@pytest.fixture
def directory(db: None) -> ScimDirectory:
    return ScimDirectory.objects.create(name="Okta", trusted_domains="x.example, y.example")


@pytest.fixture
def scim(client: Client, directory: ScimDirectory) -> Scim:
    """`scim(method, path, body)`: a request of the directory, as SCIM's own kind of JSON."""
    token = issue_token(directory)[1]

    def send(method: str, path: str, body: Any = None, *, token: str = token) -> Any:
        data = "" if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.generic(method, f"/scim/v2/{path}", data, "application/scim+json", headers=headers)

    return send


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}

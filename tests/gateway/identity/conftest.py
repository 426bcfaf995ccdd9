"""An identity provider on a real socket, and its row."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts import tokens
from accounts.models import IdentityProvider
from gateway.core.sealing import seal
from gateway.identity import sso
from tests.gateway.identity.oidc.provider import CLIENT, SECRET, OpenId, open_id


@pytest.fixture
def openid(settings: Any) -> Iterator[OpenId]:
    sso._discovered.clear()
    tokens.forget_keys()
    with open_id() as provider:
        settings.IDENTITY_PRIVATE_ADDRESSES_ALLOWED = [provider.address]
        yield provider


@pytest.fixture
def row(openid: OpenId) -> IdentityProvider:
    return make_row(openid)


def make_row(openid: OpenId, slug: str = "okta", **fields: Any) -> IdentityProvider:
    fields = {"name": slug.title(), "trusted_domains": "x.example", **fields}
    secret = seal(SECRET.encode())
    return IdentityProvider.objects.create(
        slug=slug, issuer=openid.issuer, client_id=CLIENT, sealed_secret=secret, **fields
    )

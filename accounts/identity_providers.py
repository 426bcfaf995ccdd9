"""Identity providers as rows, and who somebody is by one of them."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.audit import record_event
from accounts.claims import Meaning, read_meaning
from accounts.memberships import Changes, Source, sync_grants
from accounts.models import IdentityProvider, User
from accounts.people import NAME_LENGTH, as_user_name, find_trusted, is_address_taken, make_without_password
from gateway.core.sealing import SecretUnreadable, seal, unseal

_TRIES = 100
SET = ("slug", "name", "issuer", "client_id", "scopes", "trusted_domains")
"""Members of a provider that the environment says."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider says of somebody; `is_verified`: that the address is theirs."""

    email: str = ""
    is_verified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""


def find_known(provider: IdentityProvider, said: Said) -> User | None:
    """Who was here before, by an address that is verified and of a trusted domain; staff never."""
    known = find_trusted(provider, said.email) if said.is_verified else None
    return known if known is not None and not known.is_staff else None


def may_be_made(provider: IdentityProvider, said: Said, meaning: Meaning) -> bool:
    """Whether somebody new is let in: by a role in a team, or by an address of a trusted domain."""
    return bool(meaning.roles) or (said.is_verified and provider.trusts(said.email))


def make_person(provider: IdentityProvider, said: Said) -> User:
    """Without a password. An address that somebody else has here says nothing of who they are, and is left out."""
    wish = as_user_name(said.username or said.email or provider.slug)[: NAME_LENGTH - 4] or provider.slug
    names = (wish if number == 1 else f"{wish}-{number}" for number in range(1, _TRIES))
    free = (each for each in names if not User.objects.filter(username__iexact=each).exists())
    name = next(free, f"{provider.slug}-{secrets.token_hex(8)}")
    is_theirs = said.is_verified and not is_address_taken(said.email)
    return make_without_password(
        name,
        first_name=said.first_name[:NAME_LENGTH],
        last_name=said.last_name[:NAME_LENGTH],
        email=said.email if is_theirs else "",
    )


def read_rules(provider: IdentityProvider, claims: Mapping[str, Any]) -> Meaning:
    return read_meaning(claims, provider.rules.select_related("team"))


def apply_roles(provider: IdentityProvider, person: User, meaning: Meaning) -> Changes:
    """Let them have what the claims mean; nothing changes where the provider left some out."""
    if meaning.left_out:
        facts = {"provider": provider.name, "left_out": ", ".join(meaning.left_out)}
        record_event("sso.groups_left_out", row=person, person=person, facts=facts)
        return Changes()
    return sync_grants(person=person, source=Source.SSO, origin=str(provider.pk), wanted=meaning.roles)


@transaction.atomic
def save_set(providers: Iterable[Mapping[str, Any]]) -> int:
    """Bring the rows to what the environment says; one that it no longer says is switched off. Returns how many."""
    slugs = []
    for said in providers:
        row = IdentityProvider.objects.filter(slug=said["slug"]).first() or IdentityProvider()
        if _bring_to(row, said):
            row.full_clean(exclude=["sealed_secret"])
            row.save()
        slugs.append(row.slug)
    for row in IdentityProvider.objects.filter(is_set=True, is_active=True).exclude(slug__in=slugs):
        row.is_active = False
        row.save(update_fields=["is_active"])
    return len(slugs)


def _bring_to(row: IdentityProvider, said: Mapping[str, Any]) -> bool:
    """Whether anything changed. A secret is sealed otherwise each time, so the text inside is what counts."""
    wanted = {name: said[name] for name in SET if name in said} | {"is_set": True, "is_active": True}
    secret = str(said.get("client_secret", ""))
    has_changed = row.pk is None or any(getattr(row, name) != value for name, value in wanted.items())
    for name, value in wanted.items():
        setattr(row, name, value)
    if _secret_of(row) != secret:
        row.sealed_secret, has_changed = seal(secret.encode()), True
    return has_changed


def _secret_of(row: IdentityProvider) -> str | None:
    """None where it cannot be read any more, as with another key."""
    if not row.sealed_secret:
        return None
    try:
        return unseal(row.sealed_secret).decode()
    except SecretUnreadable:
        return None

"""Identity providers as rows, and who somebody is by one of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.audit import record_event
from accounts.claims import Meaning, read_meaning
from accounts.memberships import Changes, Source, sync_grants
from accounts.models import IdentityProvider, User
from gateway.core.sealing import seal

_NOT_IN_NAMES = re.compile(r"[^\w.@+-]")
_NAME_LENGTH, _TRIES = 150, 100
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
    """Who was here before, by an address that is verified and of a trusted domain; a superuser never."""
    if not (said.email and said.is_verified and provider.trusts(said.email)):
        return None
    found = list(User.objects.filter(email__iexact=said.email)[:2])
    return found[0] if len(found) == 1 and not found[0].is_superuser else None


def may_be_made(provider: IdentityProvider, said: Said, meaning: Meaning) -> bool:
    """Whether somebody new is let in: by a role in a team, or by an address of a trusted domain."""
    return bool(meaning.roles) or (said.is_verified and provider.trusts(said.email))


def make_person(provider: IdentityProvider, said: Said) -> User:
    """Without a password. An address that somebody else has here says nothing of who they are, and is left out."""
    wish = (
        _NOT_IN_NAMES.sub("-", said.username or said.email or provider.slug)[: _NAME_LENGTH - 4]
        or provider.slug
    )
    names = (wish if number == 1 else f"{wish}-{number}" for number in range(1, _TRIES))
    name = next(each for each in names if not User.objects.filter(username__iexact=each).exists())
    person = User(username=name, first_name=said.first_name[:150], last_name=said.last_name[:150])
    if said.is_verified and not User.objects.filter(email__iexact=said.email).exists():
        person.email = said.email[:254]
    person.set_unusable_password()
    person.save()
    return person


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
        for name in SET:
            if name in said:
                setattr(row, name, said[name])
        row.is_set = row.is_active = True
        row.sealed_secret = seal(str(said.get("client_secret", "")).encode())
        row.full_clean(exclude=["sealed_secret"])
        row.save()
        slugs.append(row.slug)
    for row in IdentityProvider.objects.filter(is_set=True, is_active=True).exclude(slug__in=slugs):
        row.is_active = False
        row.save(update_fields=["is_active"])
    return len(slugs)

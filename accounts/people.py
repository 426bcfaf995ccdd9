"""People by what they call themselves at the sign-in, a user name or an address that only one has; who is staff; and
those whom a directory or an identity provider names: who of them is here, and new ones without a password."""

import re

from accounts.models import User
from accounts.models.trusted_domains import TrustedDomainsModel

NAME_LENGTH = 150
_NOT_IN_NAMES = re.compile(r"[^\w.@+-]")


def find_person(name: str) -> User | None:
    """By user name, and else by e-mail address, of people who are not switched off."""
    if person := User.objects.filter(username=name).first():
        return person
    return find_by_email(name) if "@" in name else None


def may_as_staff(person: User, permission: str) -> bool:
    """Whether they are at a desk with that permission: groups of somebody who is staff no more give nothing."""
    return person.is_staff and person.has_perm(permission)


_KEEPING = tuple(
    f"accounts.{act}_{model}"
    for model in ("identityprovider", "claimrule", "scimdirectory", "scimgroup", "scimgrouprole", "scimtoken")
    for act in ("add", "change")
)


def keeps_who_people_are(person: User) -> bool:
    """Whether they are staff who say what identity providers are believed about, and no superuser."""
    return person.is_staff and not person.is_superuser and any(map(person.has_perm, _KEEPING))


def find_by_email(address: str) -> User | None:
    """None where nobody or several people have it: then it says of none who they are."""
    found = list(User.objects.filter(email__iexact=address.strip(), is_active=True)[:2])
    return found[0] if len(found) == 1 else None


def find_trusted(by: TrustedDomainsModel, address: str) -> User | None:
    """The one who has that address, where `by` is believed about its domain; a superuser is nobody's to say."""
    if not (address and by.trusts(address)):
        return None
    found = list(User.objects.filter(email__iexact=address)[:2])
    return found[0] if len(found) == 1 and not found[0].is_superuser else None


def is_address_taken(address: str, *, but_by: User | None = None) -> bool:
    """Two people with one address could neither of them sign in by it."""
    others = User.objects.exclude(pk=but_by.pk) if but_by else User.objects.all()
    return bool(address) and others.filter(email__iexact=address).exists()


def as_user_name(text: str) -> str:
    """The same without what user names do not have."""
    return _NOT_IN_NAMES.sub("-", text)[:NAME_LENGTH]


def make_without_password(name: str, **facts: str) -> User:
    """Somebody new who signs in by their identity provider. Raises IntegrityError where the name is taken."""
    person = User(username=name, **facts)
    person.set_unusable_password()
    person.save()
    return person

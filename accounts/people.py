"""People by what they call themselves at the sign-in, a user name or an address that only one has; and who is staff."""

from accounts.models import User


def find_person(name: str) -> User | None:
    """By user name, and else by e-mail address, of people who are not switched off."""
    if person := User.objects.filter(username=name).first():
        return person
    return find_by_email(name) if "@" in name else None


def may_as_staff(person: User, permission: str) -> bool:
    """Whether they are at a desk with that permission: groups of somebody who is staff no more give nothing."""
    return person.is_staff and person.has_perm(permission)


def find_by_email(address: str) -> User | None:
    """None where nobody or several people have it: then it says of none who they are."""
    found = list(User.objects.filter(email__iexact=address.strip(), is_active=True)[:2])
    return found[0] if len(found) == 1 else None

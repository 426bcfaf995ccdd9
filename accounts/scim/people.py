"""A directory's people: made, changed, switched off and taken leave of. The rows of persons stay."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.memberships import Source, disable_person, enable_person, sync_grants
from accounts.models import ScimDirectory, ScimUser, User
from accounts.people import as_user_name, find_trusted, is_address_taken, make_without_password
from gateway.core.errors import ApiError
from gateway.core.lines import is_one_line

_OF_ROW = ("user_name", "external_id", "display_name")
_OF_PERSON = {"given_name": "first_name", "family_name": "last_name", "email": "email"}


def people_of(directory: ScimDirectory) -> "QuerySet[ScimUser]":
    return directory.people.filter(deleted_at__isnull=True).select_related("user")


def make_user(directory: ScimDirectory, facts: Mapping[str, Any]) -> ScimUser:
    """Somebody new, somebody of trusted domains who was here before, or somebody who comes back. Raises ApiError."""
    _check_lines(facts)
    try:
        with transaction.atomic():
            return _make(directory, facts)
    except IntegrityError:
        raise _taken(facts["user_name"]) from None


def change_user(row: ScimUser, changes: Mapping[str, Any]) -> ScimUser:
    """Raises ApiError."""
    _check_lines(changes)
    try:
        with transaction.atomic():
            return _change(row, changes)
    except IntegrityError:
        # Somebody else was called so a moment before.
        raise _taken(changes.get("user_name", row.user_name)) from None


@transaction.atomic
def delete_user(row: ScimUser) -> None:
    """They are switched off, and leave the teams that the directory's groups gave them."""
    for group in row.groups.all():
        sync_grants(person=row.user, source=Source.SCIM, origin=group.resource_id, wanted={})
    row.groups.clear()
    if row.is_active:
        _check_may(row.directory, row.user, {"is_active": False})
        disable_person(person=row.user)
    row.is_active, row.external_id, row.deleted_at = False, "", timezone.now()
    row.save()


def _make(directory: ScimDirectory, facts: Mapping[str, Any]) -> ScimUser:
    name = facts["user_name"]
    known = directory.people.filter(user_name__iexact=name).select_related("user").first()
    if known is not None and known.deleted_at is None:
        raise _taken(name)
    if known is not None:
        known.deleted_at = None
        return _change(known, {"is_active": True, **facts})
    person = _taken_over(directory, facts) or _new_person(facts)
    row = ScimUser.objects.create(directory=directory, user=person, user_name=name)
    return _change(row, facts)


def _change(row: ScimUser, changes: Mapping[str, Any]) -> ScimUser:
    person = row.user
    _check_may(row.directory, person, changes)
    for name in _OF_ROW:
        setattr(row, name, changes.get(name, getattr(row, name)))
    others = row.directory.people.exclude(pk=row.pk)
    if "user_name" in changes and others.filter(user_name__iexact=row.user_name).exists():
        raise _taken(row.user_name)
    fields = {_OF_PERSON[name]: value for name, value in changes.items() if name in _OF_PERSON}
    if is_address_taken(fields.get("email", ""), but_by=person):
        del fields["email"]
    changed = [field for field, value in fields.items() if getattr(person, field) != value]
    for field in changed:
        setattr(person, field, fields[field])
    if changed:
        person.save(update_fields=changed)
    is_active = changes.get("is_active", row.is_active)
    if is_active != row.is_active:
        row.is_active = is_active
        (enable_person if is_active else disable_person)(person=person)
    row.save()
    return row


def _taken_over(directory: ScimDirectory, facts: Mapping[str, Any]) -> User | None:
    """Who was here before with that address, where its domain is trusted. Raises ApiError."""
    named = set(User.objects.filter(username__iexact=facts["user_name"]))
    known = find_trusted(directory, facts.get("email", ""))
    if known is not None and named <= {known} and not hasattr(known, "scim"):
        return known
    if named:
        raise _taken(facts["user_name"])
    # An address that is not trusted says nothing of who somebody is.
    return None


def _new_person(facts: Mapping[str, Any]) -> User:
    name = as_user_name(facts["user_name"])
    if User.objects.filter(username__iexact=name).exists():
        raise _taken(facts["user_name"])
    return make_without_password(name)


def _check_may(directory: ScimDirectory, person: User, changes: Mapping[str, Any]) -> None:
    """Whoever may do everything here is nobody's else to change; a password is not lost to a strange mailbox."""
    if person.is_superuser and changes:
        message = f"{person} may do everything here: no directory changes such a person."
        raise ApiError(message, status=403, code="mutability")
    address = changes.get("email", person.email)
    if person.is_staff and address and address.casefold() != person.email.casefold():
        message = (
            f"{person} is staff here, whose address a superuser changes: whoever reads it could be them."
        )
        raise ApiError(message, code="mutability", param="emails")
    is_strange = address and address != person.email and not directory.trusts(address)
    if is_strange and person.has_usable_password():
        message = f"{person} has a password here: their address changes only to one of a trusted domain."
        raise ApiError(message, code="mutability", param="emails")


def _check_lines(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        if isinstance(value, str) and not is_one_line(value):
            message = f"{name} holds control characters; one line is taken."
            raise ApiError(message, code="invalidValue", param=name)


def _taken(name: str) -> ApiError:
    message = (
        f"There is somebody called '{name}' here already, whom this directory does not keep under that name."
    )
    return ApiError(message, status=409, code="uniqueness", param="userName")

"""A directory's groups, and the roles that they give: each is the origin of grants of its own."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.memberships import Source, sync_grants
from accounts.models import ScimDirectory, ScimGroup, ScimUser
from accounts.scim.bodies import GroupChanges
from accounts.scim.people import people_of
from gateway.core.errors import ApiError
from gateway.core.lines import is_one_line


def groups_of(directory: ScimDirectory) -> "QuerySet[ScimGroup]":
    return directory.groups.all()


def make_group(directory: ScimDirectory, changes: GroupChanges) -> ScimGroup:
    """Raises ApiError."""
    return change_group(ScimGroup(directory=directory), changes)


def change_group(group: ScimGroup, changes: GroupChanges) -> ScimGroup:
    """Grants follow person by person, each by itself: no lock is held for as long as a large group takes.

    Whoever is named is brought to what the group gives, changed or not, so that the same request sent again repairs
    what an end in the middle left. Raises ApiError.
    """
    try:
        with transaction.atomic():
            touched = _store(group, changes)
    except IntegrityError:
        message = f"There is a group '{changes.display_name}' in this directory already."
        raise ApiError(message, status=409, code="uniqueness", param="displayName") from None
    grant_of(group, touched)
    return group


def delete_group(group: ScimGroup) -> None:
    for person in group.people.select_related("user"):
        sync_grants(person=person.user, source=Source.SCIM, origin=group.resource_id, wanted={})
    group.delete()


def grant_of(group: ScimGroup, people: Iterable[ScimUser] | None = None) -> None:
    """Let people have what the group's roles say: those named, or all that are in it."""
    roles = {role.team_id: role.role for role in group.roles.all()}
    inside = set(group.people.values_list("pk", flat=True))
    for person in group.people.select_related("user") if people is None else people:
        wanted = roles if person.pk in inside else {}
        sync_grants(person=person.user, source=Source.SCIM, origin=group.resource_id, wanted=wanted)


def _store(group: ScimGroup, changes: GroupChanges) -> list[ScimUser]:
    """Returns whom the steps name, and who was in it where they replace all."""
    if changes.display_name is not None:
        if not is_one_line(changes.display_name) or len(changes.display_name) > 255:
            raise ApiError(
                "displayName: one line of at most 255 characters is taken.",
                code="invalidValue",
                param="displayName",
            )
        group.display_name = changes.display_name
    if changes.external_id is not None:
        if not is_one_line(changes.external_id):
            message = "externalId holds control characters; one line is taken."
            raise ApiError(message, code="invalidValue", param="externalId")
        group.external_id = changes.external_id[:255]
    if group.pk is not None and not ScimGroup.objects.select_for_update().filter(pk=group.pk).exists():
        message = f"There is no group '{group.resource_id}' in this directory any more."
        raise ApiError(message, status=404, code="not_found")
    group.save()
    touched: dict[int, ScimUser] = {}
    for op, ids in changes.members:
        named = _find(group.directory, ids, must_exist=op != "remove")
        touched |= {person.pk: person for person in named}
        match op:
            case "add":
                group.people.add(*named)
            case "replace":
                touched |= {person.pk: person for person in group.people.select_related("user")}
                group.people.set(named)
            case "remove":
                group.people.remove(*named)
    return list(touched.values())


def _find(directory: ScimDirectory, ids: list[str], *, must_exist: bool) -> list[ScimUser]:
    """Raises ApiError."""
    asked = [each for each in ids if each.isalnum()]
    found = {person.resource_id: person for person in people_of(directory).filter(resource_id__in=asked)}
    unknown = [each for each in ids if each not in found]
    if unknown and must_exist:
        message = f"members: there is no user '{unknown[0][:80]}' in this directory."
        raise ApiError(message, code="invalidValue", param="members")
    return list(found.values())

"""What a database needs before all can run: tables, the bootstrap catalogue, logins, a team and a key."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q

from accounts import identity_providers
from accounts.memberships import give_role
from accounts.models import Key, Team, User
from accounts.rights import Role
from accounts.services import issue_key
from catalogue.bootstrap.loader import load_bootstrap
from catalogue.models import Organisation
from gateway.ops.tables import find_differences
from gateway.server.serving import CannotStart
from providers.services import ensure_demo_providers

ADMIN, MEMBER = "admin", "member"
TEAM_NAME, TEAM_SLUG = "Demo team", "demo"
KEY_NAME = "First key"
PASSWORD_BYTES = 12
SHOWN_DIFFERENCES = 3
NOT_PREPARED = "The database is not prepared for this version. Run 'gatehouse prepare' first."


@dataclass(frozen=True, slots=True)
class Issued:
    """What the first start made. To be shown once; kept nowhere. None: it was there before."""

    admin_password: str | None = field(default=None, repr=False)
    member_password: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)


def migrate() -> None:
    """Bring the tables up to date; quick where they are. Raises CannotStart, before anything is changed."""
    with database_explained():
        refuse_other_tables()
        if has_pending_migrations():
            call_command("migrate", interactive=False, verbosity=0)


def fill(*, demo_port: int, demo_host: str = "127.0.0.1") -> Issued:
    """Load an empty database; in one that is filled, only follow the demo provider if it has moved."""
    with database_explained(), transaction.atomic():
        # What staff delete later is not made again.
        issued = Issued() if Organisation.objects.exists() else _fill(demo_port)
        ensure_demo_providers(demo_port, host=demo_host)
        _save_identity_providers()
    return issued


def _save_identity_providers() -> None:
    try:
        identity_providers.save_set(settings.IDENTITY_PROVIDERS)
    except ValidationError as error:
        name, faults = next(iter(error.message_dict.items()))
        raise CannotStart(f"GATEWAY_IDENTITY_PROVIDERS: {name}: {faults[0]}") from None


def has_pending_migrations() -> bool:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def refuse_other_tables() -> None:
    """Raises CannotStart where the tables are not those that the applied migrations make."""
    if not (differences := find_differences()):
        return
    shown, more = differences[:SHOWN_DIFFERENCES], len(differences) - SHOWN_DIFFERENCES
    raise CannotStart(
        f"The database's tables are not those that its migrations make: {'; '.join(shown)}"
        f"{f'; and {more} more' if more > 0 else ''}. A development version older than 25 November 2026 made "
        "them, or somebody changed them by hand. Nothing was changed. Restore a backup that matches, or start with "
        "an empty database (another DATABASE_URL, or another GATEWAY_DATA_DIR) and import your catalogue there."
    )


@contextmanager
def database_explained() -> Iterator[None]:
    """Raises CannotStart where the database cannot be reached or written."""
    try:
        yield
    except OperationalError as error:
        raise _unusable(error) from error


def explain(error: DatabaseError) -> None:
    """Raises CannotStart where it comes of a database that is away, or that nobody prepared."""
    try:
        is_prepared = not has_pending_migrations()
    except OperationalError as away:
        raise _unusable(away) from error
    if not is_prepared:
        raise CannotStart(NOT_PREPARED) from error


def _unusable(error: OperationalError) -> CannotStart:
    place = connections[DEFAULT_DB_ALIAS].settings_dict
    name = f"{place['HOST']}:{place['PORT']}/{place['NAME']}" if place["HOST"] else place["NAME"]
    reason = str(error).strip().partition("\n")[0]
    return CannotStart(
        f"The database {name} cannot be used ({reason}). "
        "Check that it runs and that DATABASE_URL names it, or unset DATABASE_URL to use SQLite."
    )


def _fill(demo_port: int) -> Issued:
    load_bootstrap(demo_port=demo_port)
    team, _ = Team.objects.get_or_create(slug=TEAM_SLUG, defaults={"name": TEAM_NAME})
    return Issued(_add_admin(), _add_member(team), _issue_first_key(team))


def _add_admin() -> str | None:
    if User.objects.filter(Q(is_superuser=True) | Q(username=ADMIN)).exists():
        return None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    User.objects.create_superuser(ADMIN, password=password)
    return password


def _add_member(team: Team) -> str | None:
    if User.objects.filter(username=MEMBER).exists():
        return None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    member = User.objects.create_user(MEMBER, password=password)
    give_role(team=team, person=member, role=Role.OWNER)
    return password


def _issue_first_key(team: Team) -> str | None:
    if team.keys.exists():
        return None
    _, text = issue_key(team=team, name=KEY_NAME, scope=Key.Scope.INFERENCE)
    return text

"""What is missing or unhealthy, one finding a part: for `manage.py doctor`."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import kombu.exceptions
import redis
from django.conf import settings
from django.core.checks import Error, run_checks
from django.db import DatabaseError, connection

from accounts.models import User
from catalogue.models import PublishedModel
from gateway.boot import first_run
from gateway.celery import app
from gateway.core import sql
from gateway.core.private_files import exposed, files_of
from gateway.core.sealing import SecretError
from gateway.ops.tables import find_differences
from providers import secrets
from providers.models import Alarm, Credential, Provider
from providers.validators import destination_refusal

ANSWER_S = 2.0
LEAST_FREE_BYTES = 200 * 1024 * 1024
# Kept in memory, so gone with the machine: no place for a record that must outlive the process.
VOLATILE = frozenset({"tmpfs", "ramfs"})


class Unhealthy(Exception):
    """A part is missing or unhealthy; the message says what and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    is_well: bool
    says: str


def examine() -> Iterator[Finding]:
    """Each part in turn; those that need the database are left out where it does not answer or lacks tables."""
    yield _ask("settings", _settings)
    yield _ask("spool", _spool)
    yield _ask("files", _files)
    yield _ask("redis", _redis)
    yield _ask("workers", _workers)
    database = _ask("database", _database)
    yield database
    if not database.is_well:
        return
    migrations = _ask("migrations", _migrations)
    yield migrations
    if migrations.is_well:
        yield _ask("catalogue", _catalogue)
        yield _ask("credentials", _credentials)
        yield _ask("sign-in", _sign_in)
        yield _ask("alarms", _alarms)
        yield _ask("demo", _demo)


def _ask(part: str, question: Callable[[], str]) -> Finding:
    try:
        with sql.answer_within(ANSWER_S):
            return Finding(part, is_well=True, says=question())
    except (Unhealthy, DatabaseError, redis.RedisError, kombu.exceptions.OperationalError, OSError) as error:
        return Finding(part, is_well=False, says=str(error).strip().partition("\n")[0])


def _settings() -> str:
    errors = [message for message in run_checks() if isinstance(message, Error)]
    if errors:
        raise Unhealthy(" ".join(f"{error.msg} {error.hint or ''}".strip() for error in errors))
    return "no dangerous combination"


def _sign_in() -> str:
    """Whether the login that opens when nothing else does is one."""
    name = settings.BREAK_GLASS
    if not name:
        return "by password" if settings.LOCAL_PASSWORDS else "by identity providers only"
    person = User.objects.filter(username=name, is_active=True, is_superuser=True).first()
    if person is None or not person.has_usable_password():
        raise Unhealthy(
            f"GATEWAY_BREAK_GLASS is '{name}', which is no active superuser with a password: nobody gets in when "
            "the identity provider is away."
        )
    return f"break-glass login '{name}'"


def _spool() -> str:
    folder = settings.SPOOL_DIR
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f"doctor.{os.getpid()}"
        probe.write_bytes(b"written by doctor")
        probe.unlink()
    except OSError as error:
        raise Unhealthy(f"{folder} cannot be written ({error.strerror}); set GATEWAY_SPOOL_DIR") from error
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < LEAST_FREE_BYTES:
        raise Unhealthy(f"{folder} has only {free_bytes // 2**20} MB left")
    kind = _file_system(folder.resolve())
    if kind in VOLATILE:
        raise Unhealthy(
            f"{folder} is in memory ({kind}): its records die with this machine; set GATEWAY_SPOOL_DIR"
        )
    return f"{folder} is writable, {free_bytes // 2**20} MB free"


def _files() -> str:
    database = settings.DATABASES["default"]
    kept = files_of(Path(database["NAME"])) if "sqlite" in database["ENGINE"] else []
    paths = [settings.DATA_DIR / "secrets.json", *kept, *settings.SPOOL_DIR.glob("*")]
    if open_ones := exposed(paths):
        raise Unhealthy(f"others may read {open_ones[0]}; run: chmod 600 {' '.join(map(str, open_ones))}")
    return "secrets, spool and database's file are for their owner only"


def _redis() -> str:
    if not settings.REDIS_URL:
        return "not set: one process, with its store in memory"
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
    )
    client.ping()
    try:
        return f"answers, version {client.info('server')['redis_version']}"
    except redis.exceptions.NoPermissionError:
        return "answers; its version is not for this user to ask"


def _workers() -> str:
    if not settings.REDIS_URL:
        return "inside the web process; ask its /readyz"
    replies = app.control.ping(timeout=ANSWER_S)
    if not replies:
        raise Unhealthy("none answers; start 'celery -A gateway worker'")
    return ", ".join(sorted(name for reply in replies for name in reply))


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return f"{connection.vendor} answers"


def _migrations() -> str:
    if differences := find_differences():
        raise Unhealthy(
            f"{'; '.join(differences)}: restore a backup that fits, or start with an empty database"
        )
    if first_run.has_pending_migrations():
        raise Unhealthy("some are not applied; run 'gatehouse prepare'")
    return "all applied, and the tables are theirs"


def _catalogue() -> str:
    count = PublishedModel.objects.filter(edition_to=None).count()
    if not count:
        raise Unhealthy("no model is published; run 'gatehouse prepare', or publish one in the admin")
    return f"{count} models published"


def _credentials() -> str:
    stored = Credential.objects.filter(kind=Credential.Kind.STORED).exclude(ciphertext="")
    closed = [row.provider.slug for row in stored.select_related("provider") if not _opens(row)]
    if closed:
        raise Unhealthy(f"no key in GATEWAY_CREDENTIAL_KEYS opens those of {', '.join(closed)}")
    if barred := _barred_variables():
        way_out = "name the address in GATEWAY_CREDENTIAL_ORIGINS, or let a superuser allow it on the provider's page"
        raise Unhealthy(f"{'; '.join(barred)}: {way_out}")
    return "all stored secrets open, and variables go where they may"


def _barred_variables() -> list[str]:
    rows = Credential.objects.filter(
        kind=Credential.Kind.ENVIRONMENT, is_enabled=True, provider__is_enabled=True
    )
    refusals = (
        destination_refusal(row.variable, row.provider.base_url, approval=row.approval)
        for row in rows.select_related("provider")
    )
    return [refusal for refusal in refusals if refusal]


def _alarms() -> str:
    refusing = Alarm.objects.open().order_by("provider__slug").values_list("provider__slug", flat=True)
    if refusing:
        names = ", ".join(sorted(set(refusing)))
        raise Unhealthy(f"our credential or account is refused by {names}; see the admin's overview")
    return "no provider refuses our credential or account"


def _demo() -> str:
    urls = Provider.objects.filter(is_demo=True, is_enabled=True).values_list("base_url", flat=True)
    silent = [url for url in urls if not _answers(url)]
    if silent:
        raise Unhealthy(f"{', '.join(silent)} does not answer; 'gatehouse run' and 'gatehouse demo' start it")
    return "answers" if urls else "no demo provider is enabled"


def _opens(credential: Credential) -> bool:
    try:
        secrets.decrypt(credential.ciphertext, provider=credential.provider)
    except SecretError:
        return False
    return True


def _answers(base_url: str) -> bool:
    address = urlsplit(base_url)
    try:
        socket.create_connection((address.hostname or "", address.port or 80), timeout=ANSWER_S).close()
    except OSError:
        return False
    return True


def _file_system(folder: Path) -> str:
    """The kind of file system that holds the folder; empty where the system does not tell."""
    try:
        rows = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    except OSError:
        return ""
    holding = [(len(place), kind) for place, kind in rows if folder.is_relative_to(place)]
    return max(holding, default=(0, ""))[1]

"""The `gatehouse` command: everything in one process, or web, demo and preparation alone."""

import argparse
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from gateway import env
from gateway.boot import outlet
from gateway.boot.local_secrets import UnusableDataFolder
from gateway.boot.supervisor import PROCESSES_VARIABLE, Supervisor
from gateway.core.private_files import FolderInUse, hold
from gateway.metrics.exporter import serving_metrics
from gateway.server.serving import CannotStart, bind, url_of

INTERRUPTED = 130
REFUSALS = (
    CannotStart,
    FolderInUse,
    UnusableDataFolder,
    outlet.Unwritable,
    env.BadEnvironment,
    ImproperlyConfigured,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    outlet.install()
    options = _parser().parse_args(arguments)
    return _carry_out(lambda: options.command(options))


def manage(arguments: Sequence[str]) -> int:
    """Django's commands; a sentence says what is wrong with settings or database. Returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        try:
            execute_from_command_line(list(arguments))
        except (OperationalError, ProgrammingError) as error:
            from gateway.boot import first_run

            first_run.explain(error)
            raise
    except REFUSALS as error:
        print(f"{Path(arguments[0]).name}: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Everything in this process: web, Celery worker, beat and the demo provider."""
    _take_address(options)
    with ExitStack() as held:
        _set_up(held)
        from gateway.boot import embedded

        held.enter_context(serving_metrics())
        embedded.run(bind(options.host, options.port))


def web(options: argparse.Namespace) -> None:
    """The web process of a deployment that has Celery workers of its own; or several, under a supervisor."""
    _take_address(options)
    if options.workers == 1:
        _serve(bind(options.host, options.port), is_orphan=None)
    else:
        _supervise(options)


def metrics(options: argparse.Namespace) -> None:
    """What web processes and workers of this machine counted, for Prometheus; they start it themselves."""
    from django.conf import settings

    from gateway.metrics import serving

    if options.descriptor is None and not settings.METRICS_PORT:
        raise CannotStart("Set GATEWAY_METRICS_PORT, to which Prometheus comes.")
    if options.descriptor is None:
        listener = bind(settings.METRICS_HOST, settings.METRICS_PORT)
    else:
        listener = socket.socket(fileno=options.descriptor)
    serving.serve(listener, settings.METRICS_DIR, token=settings.METRICS_TOKEN, parent=options.parent)


def demo(options: argparse.Namespace) -> None:
    """The demo provider alone."""
    from gateway.boot import demo as demo_provider

    demo_provider.serve(bind(options.host, options.port))


def prepare(_options: argparse.Namespace) -> None:
    """Migrate, fill an empty database and print the secrets made on the way; start nothing."""
    with ExitStack() as held:
        _load_django()
        from django.conf import settings

        from gateway.boot import first_run, greeting, preparing

        # Before the folder: three at once wait for each other, and are refused only by what serves from it.
        with first_run.database_explained():
            held.enter_context(preparing.alone(_note))
        _hold_folder(held)
        _run_checks()

        host, _, port = next(iter(settings.DEMO_ADDRESSES), f"127.0.0.1:{settings.PORT + 1}").rpartition(":")
        first_run.migrate()
        issued = first_run.fill(demo_host=host, demo_port=int(port))
        outlet.hand_over(greeting.secrets_text(issued) or "The database was prepared already.")


def _supervise(options: argparse.Namespace) -> None:
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not env.text(name)]
    if missing:
        raise CannotStart(
            f"{options.workers} web processes need {' and '.join(missing)}: they share limits through Redis "
            "and data through PostgreSQL. Set what is missing, or start one process."
        )
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise CannotStart(
            f"{options.workers} web processes need a folder for temporary files, and none can be written. Mount one "
            "at /tmp, or name one in TMPDIR."
        ) from None
    listener = bind(options.host, options.port)
    os.environ[PROCESSES_VARIABLE] = str(options.workers)
    outlet.show(f"Gatehouse: {options.workers} web processes on {url_of(options.host, options.port)}")
    with serving_metrics():
        code = Supervisor(
            _serve_beside_others, listener, options.workers, preloaded="gateway.boot.preloaded"
        ).run()
    if code:
        raise SystemExit(code)


def _serve_beside_others(listener: socket.socket, is_orphan: Callable[[], bool]) -> None:
    """In a process of its own, forked off. Raises SystemExit."""
    outlet.install()
    raise SystemExit(_carry_out(lambda: _serve(listener, is_orphan=is_orphan)))


def _serve(listener: socket.socket, *, is_orphan: Callable[[], bool] | None) -> None:
    with ExitStack() as held:
        _set_up(held)
        from gateway.boot import distributed

        if is_orphan is None:
            held.enter_context(serving_metrics())
        distributed.serve(listener, is_orphan=is_orphan)


def _carry_out(command: Callable[[], None]) -> int:
    """Returns the exit code; a sentence says why where it is not 0."""
    try:
        command()
    except REFUSALS as error:
        print(f"gatehouse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gatehouse: stopped before it was ready.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _set_up(held: ExitStack) -> None:
    """Load Django, refuse dangerous combinations, and hold the data folder if it must be ours alone."""
    _load_django()
    _hold_folder(held)
    _run_checks()


def _load_django() -> None:
    import django

    try:
        django.setup()
    except ValueError as error:
        raise CannotStart(f"The settings cannot be read: {error}") from error


def _hold_folder(held: ExitStack) -> None:
    from django.conf import settings

    if not settings.REDIS_URL:
        held.enter_context(hold(settings.DATA_DIR))


def _run_checks() -> None:
    from django.core.checks import Error, run_checks

    for message in run_checks(tags=["gatehouse"]):
        if isinstance(message, Error):
            raise CannotStart(f"{message.msg} {message.hint}")
        _note(f"{message.msg} {message.hint}")


def _note(text: str) -> None:
    print(f"gatehouse: {text}", file=sys.stderr, flush=True)


def _take_address(options: argparse.Namespace) -> None:
    """Let settings know where we listen, so that checks judge the real address."""
    os.environ["HOST"], os.environ["PORT"] = options.host, str(options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (run, web, demo, prepare, metrics):
        added = commands.add_parser(command.__name__, help=command.__doc__, description=command.__doc__)
        added.set_defaults(command=command)
        if command not in {prepare, metrics}:
            _add_address(added, default_port=8001 if command is demo else 8000)
        if command is web:
            added.add_argument(
                "--workers", type=int, default=1, help="how many processes; several need Redis"
            )
        if command is metrics:
            _add_parent(added)
    return parser


def _add_address(parser: argparse.ArgumentParser, *, default_port: int) -> None:
    parser.add_argument("--host", default=env.text("HOST", "127.0.0.1"), help="address to listen on (HOST)")
    port = env.text("PORT", str(default_port))
    parser.add_argument("--port", type=_read_port, default=port, help="port to listen on (PORT)")


def _read_port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r} (PORT)")
    return int(text)


def _add_parent(parser: argparse.ArgumentParser) -> None:
    """For the process that others start."""
    parser.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)


if __name__ == "__main__":
    sys.exit(main())

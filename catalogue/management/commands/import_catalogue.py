"""`manage.py import_catalogue`: bring a folder of catalogue data in and publish it."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from catalogue.importing.check import check_folder
from catalogue.importing.findings import KNOWN_IRREGULARITIES, Findings, Kind
from catalogue.importing.folder import FILES, read_folder
from catalogue.importing.offers import ProviderRules
from catalogue.importing.writer import Difference, Writer, Written
from catalogue.models import Edition
from gateway.core import sql
from providers.services import outbound_policy

_ERRORS_SHOWN = 20
_DIFFERENCES_SHOWN = 200
_GOES_ON = "What was written before stays: run it again, and it goes on from there."
_BAR = 30


class Command(BaseCommand):
    help = (
        f"Bring in a folder with {', '.join(FILES)}, one record a line. All of it is read and checked first: an error "
        "(a value of the wrong type, an unknown meter, capability, model, provider or organisation, a line that is no "
        "JSON) stops the import before it writes anything. An irregularity (see the report) does not. What is there "
        "and the same is left alone, so a second run changes nothing. Switches, credentials and addresses of what is "
        "there are not touched; prices are added and ended, never rewritten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="Write every finding there, and whatever differs from what is here, as JSON lines.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Write nothing, and show what would be made and what would differ.",
        )
        parser.add_argument(
            "--only-new",
            action="store_true",
            help="Bring in models that are not here yet, with all of theirs; touch nothing that is here.",
        )

        parser.add_argument(
            "--confirm-prices",
            action="store_true",
            help="Take prices that are a hundred times and more off those that are here.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        began, folder = time.monotonic(), options["folder"]
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        findings = Findings()
        rules = ProviderRules(outbound_policy(), frozenset(settings.CREDENTIAL_VARIABLES))
        read = read_folder(folder, rules, findings)
        if not findings.errors:
            check_folder(read, findings, are_prices_meant=options["confirm_prices"])
        if options["report"]:
            _write_report(options["report"], findings, [])
        if findings.errors:
            raise CommandError(_refusal(findings))
        try:
            only_new, is_dry = options["only_new"], options["dry_run"]
            writer = Writer(read, author=None, progress=self._show, only_new=only_new, is_dry=is_dry)
            written = writer.write()
        except OperationalError as error:
            if sql.is_busy(error):
                raise CommandError(f"{sql.BUSY} {_GOES_ON}") from error
            raise
        if options["report"]:
            _write_report(options["report"], findings, written.differences)
        if is_dry:
            self.stdout.write(_differences(written))
        kept = "nothing of them is touched" if only_new else "of these only blanks are filled in"
        self.stdout.write(_summary(findings, written, time.monotonic() - began, kept, is_dry=is_dry))
        if written.aside:
            raise CommandError("Not published, the last good record stays live:\n" + "\n".join(written.aside))

    def _show(self, stage: str, done: int, total: int) -> None:
        """A bar on a terminal; elsewhere a line a stage."""
        if sys.stderr.isatty():
            filled = "#" * (_BAR * done // total)
            self.stderr.write(
                f"\r{stage:<11}[{filled:<{_BAR}}] {done}/{total}", ending="\n" if done == total else ""
            )
        elif done == total:
            self.stderr.write(f"{stage}: {total}")


def _write_report(path: Path, findings: Findings, differences: Sequence[Difference]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for found in findings:
            told = {"kind": found.kind, "file": found.file, "row": found.row, "field": found.field}
            file.write(json.dumps(told | {"reason": found.reason}, ensure_ascii=False) + "\n")
        for each in differences:
            file.write(json.dumps({"kind": "difference", **asdict(each)}, ensure_ascii=False) + "\n")


def _differences(written: Written) -> str:
    shown = [str(each) for each in written.differences[:_DIFFERENCES_SHOWN]]
    rest = len(written.differences) - len(shown)
    more = [f"… and {rest} more: --report FILE has all of them."] if rest else []
    return "\n".join(["What would differ:", *(f"  {line}" for line in [*shown, *more] or ["nothing"])])


def _refusal(findings: Findings) -> str:
    errors = findings.errors
    shown = "\n".join(f"  {error}" for error in errors[:_ERRORS_SHOWN])
    more = f"\n  … and {len(errors) - _ERRORS_SHOWN} more" if len(errors) > _ERRORS_SHOWN else ""
    return f"Nothing was imported. {len(errors)} errors:\n{shown}{more}"


def _summary(findings: Findings, written: Written, took_s: float, kept: str, *, is_dry: bool) -> str:
    counts = findings.counts()
    kinds = [
        *KNOWN_IRREGULARITIES,
        *(kind for kind in Kind if counts[kind] and kind not in KNOWN_IRREGULARITIES),
    ]
    return "\n".join(
        [
            *(["Nothing was written. It would be:"] if is_dry else []),
            f"Made: {_listed(written.made)}.",
            f"Changed: {_listed(written.changed)}.",
            f"Curated here: {written.curated} models; {kept}.",
            f"Left to what staff had set: {written.left} prices.",
            f"Editions: {_editions(written)}.",
            "Irregularities:",
            *(f"  {counts[kind]:>6} {kind}" for kind in kinds if kind is not Kind.NOT_KEPT),
            f"Members that the catalogue has no place for ({counts[Kind.NOT_KEPT]}):",
            *(f"  {n:>6} {file} {name}" for (file, name), n in sorted(findings.members_not_kept().items())),
            f"Took {took_s:.1f} s.",
        ]
    )


def _editions(written: Written) -> str:
    made = Edition.objects.filter(number__in=written.editions).order_by("number")
    return ", ".join(str(each.place or each.number) for each in made) or "none: nothing changed"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items()) or "nothing"

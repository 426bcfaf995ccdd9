"""Imports a folder and holds random queries against their description: `python -m tests.catalogue.sweep FOLDER COUNT`.

Of the database that DATABASE_URL names, in a process of its own; prints what it found, and exits with 1 at the first
difference.
"""

import os
import sys
from io import StringIO
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Count  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.models import User  # noqa: E402
from catalogue.models import Model  # noqa: E402
from catalogue.published.reading import Reading, read_now  # noqa: E402
from catalogue.quality.worklist import worklist_cache  # noqa: E402
from providers.models import Credential, Provider  # noqa: E402
from tests.catalogue.queries import random_query  # noqa: E402
from tests.catalogue.reference import Query, Row, ids_by_sql, ids_in_memory, read_rows  # noqa: E402

QUERIES_A_PAGE = 20
_PAGES = (
    "",
    "catalogue/model/",
    "catalogue/model/?q=claude",
    "catalogue/model/worklist/",
    "catalogue/offering/",
    "catalogue/organisation/",
    "catalogue/edition/",
    "catalogue/edition/compare/",
    "providers/provider/",
    "accounts/auditentry/",
)


def sweep(folder: str, count: int) -> str:
    """What the import said. Raises AssertionError at the first query that is answered otherwise than described."""
    call_command("migrate", verbosity=0)
    # As whoever imports has it: beside the models that came with the product.
    call_command("load_bootstrap", demo_port=9, stdout=StringIO())
    said = StringIO()
    # A few of its prices are a thousand times off those that came with the product, as somebody has them who says so.
    call_command("import_catalogue", folder, confirm_prices=True, stdout=said, stderr=StringIO())
    _open_providers()
    reading, random = read_now(), Random(7)
    rows = read_rows(reading)
    for _ in range(count):
        _compare(random_query(random, reading.snapshot), reading, rows)
    _look_at_pages_of_staff()
    return said.getvalue()


def _look_at_pages_of_staff() -> None:
    """Every page of a curator takes few queries, also at the first look after an edit."""
    curator = Client(headers={"host": "localhost"})
    curator.force_login(User.objects.create_superuser("curator"))
    # What a process keeps for half a minute, whoever edits what, it has kept already.
    curator.get("/admin/")
    model = Model.objects.alias(size=Count("offerings")).order_by("-size")[0]
    pages = [f"catalogue/model/{model.pk}/{page}/" for page in ("change", "history", "editions")]
    for path in (*_PAGES, *pages):
        worklist_cache.forget()
        with CaptureQueriesContext(connection) as queries:
            page = curator.get(f"/admin/{path}")
        assert page.status_code == 200, path
        assert len(queries) < QUERIES_A_PAGE, f"{path}: {len(queries)} queries"


def _compare(query: Query, reading: Reading, rows: list[Row]) -> None:
    assert ids_by_sql(query, reading) == ids_in_memory(query, rows), query


def _open_providers() -> None:
    """All but every fifth, so that there is what can be called and what cannot."""
    rows = Provider.objects.filter(credential=None).exclude(base_url="").order_by("pk")
    Credential.objects.bulk_create(
        Credential(provider=row, kind=Credential.Kind.NONE) for number, row in enumerate(rows) if number % 5
    )


if __name__ == "__main__":
    sys.stdout.write(sweep(sys.argv[1], int(sys.argv[2])))

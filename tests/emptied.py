"""Empties the database after a test that commits: what it filled, and neither tables that are empty nor permissions.

Django empties every table, and asks of each model whether its permissions are there, which takes longer than many a
test.
"""

from typing import Any

from django.core.management.sql import emit_post_migrate_signal
from django.db import connections

STAYING = ("auth_permission", "django_content_type")
"""Django fills them from the models, the same for all tests."""


class Emptying:
    """What Django's command `flush` does in two steps."""

    def __init__(self) -> None:
        self._whole: list[int] = []
        self._is_whole = False

    def sql_flush(self, _style: Any, connection: Any, **_options: Any) -> list[str]:
        """The statements, none of which a trigger may refuse: some keep what an accountant has seen."""
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with connection.cursor() as cursor:
            self._is_whole = _count_staying(cursor) == self._whole
            filled = _filled(cursor, [each for each in names if not (self._is_whole and each in STAYING)])
            deletes = [f'DELETE FROM "{name}"' for name in filled]
            if connection.vendor == "postgresql":
                return ["SET LOCAL session_replication_role = replica", *deletes] if filled else []
            cursor.execute("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = [(name, made) for table, name, made in cursor.fetchall() if table in filled]
        drops, makes = [f'DROP TRIGGER "{name}"' for name, _ in triggers], [made for _, made in triggers]
        return [*drops, *deletes, *makes]

    def emit_post_migrate_signal(self, verbosity: int, interactive: bool, database: str) -> None:
        if not self._is_whole:
            emit_post_migrate_signal(verbosity, interactive, database)
            with connections[database].cursor() as cursor:
                self._whole = _count_staying(cursor)


def _filled(cursor: Any, names: list[str]) -> list[str]:
    asked = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)
    cursor.execute(" UNION ALL ".join(asked))
    return [name for (name,) in cursor.fetchall()]


def _count_staying(cursor: Any) -> list[int]:
    counts = []
    for name in STAYING:
        cursor.execute(f'SELECT COUNT(*) FROM "{name}"')
        counts.append(cursor.fetchone()[0])
    return counts

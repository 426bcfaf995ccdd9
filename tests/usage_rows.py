"""A ledger of any length, made by SQL alone: teams, keys that call a few models each, and calls that fail at times."""

from datetime import datetime

from django.db import connection

from accounts.models import Team

TEAMS, KEYS_EACH, MODELS, MODELS_EACH = 20, 25, 40, 4
_ZONES = ("UTC", "UTC", "UTC", "Europe/Berlin")


def fill_ledger(rows: int, *, days: int, end: datetime) -> None:
    """So many attempts, evenly over the days before `end`, of teams that are made where they are missing."""
    _make_teams()
    # What is not told here has a default in the database, or may be missing.
    columns = _VALUES | _POSTGRESQL if connection.vendor == "postgresql" else _VALUES
    begin = end.timestamp() - days * 86_400
    step = f"{days * 86_400 / rows:.9f}"
    values = ", ".join(columns.values()).replace("BEGIN", f"{begin:.3f}").replace("STEP", step)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE number (i) AS"
            f" (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM number WHERE i < {rows - 1}),"
            f" who AS (SELECT i, i * 7919 % {TEAMS * KEYS_EACH} AS key, i / 7 % {MODELS_EACH} AS place,"
            f" CASE WHEN i % 37 = 0 THEN 'failed_over' WHEN i % 41 = 0 THEN 'failed' WHEN i % 97 = 0 THEN 'cut'"
            " ELSE 'finished' END AS ending FROM number),"
            f" part AS (SELECT who.*, key % {TEAMS} + 1 AS team, (key * 3 + place * 11) % {MODELS} AS model FROM who)"
            f" INSERT INTO accounts_ledgerentry ({', '.join(columns)}) SELECT {values} FROM part"
        )


def _make_teams() -> None:
    for pk in range(1, TEAMS + 1):
        zone = _ZONES[pk % len(_ZONES)]
        named = {"slug": f"team-{pk}", "name": f"Team {pk}", "time_zone": zone, "usage_zone": zone}
        Team.objects.get_or_create(pk=pk, defaults=named)


_VALUES = {
    "attempt_id": "printf('%032x', i)",
    "call_id": "printf('%032x', i)",
    "request_id": "'req_' || i",
    "number": "1",
    "lane": "'direct'",
    "endpoint": "CASE WHEN model = 0 THEN 'embeddings' ELSE 'chat.completions' END",
    "team_id": "team",
    "key_id": "key + 1",
    "project": "CASE WHEN key % 3 = 0 THEN 'project-' || key % 5 ELSE '' END",
    "requested_model": "'acme/model-' || model",
    "redirected_from": "''",
    "model": "'acme/model-' || model",
    "provider": "'provider-' || model % 8",
    "upstream_name": "'model-' || model",
    "is_streamed": "1",
    "started_at": "strftime('%Y-%m-%d %H:%M:%f', BEGIN + i * STEP, 'unixepoch')",
    "outcome": "ending",
    "error_code": "''",
    "input_tokens": "100 + i % 1000",
    "output_tokens": "10 + i % 100",
    "usage": "json_object('input_tokens', 100 + i % 1000, 'output_tokens', 10 + i % 100,"
    " 'cached_read_tokens', i % 90, 'cached_write_tokens', 0, 'reasoning_tokens', i % 7)",
    "is_estimated": "0",
    "prices": "'[]'",
    "cost_usd": "CASE WHEN ending = 'finished' THEN (i % 1000) / 1000000.0 ELSE 0 END",
    "loss_usd": "0",
    "charge_usd": "CASE WHEN ending = 'finished' THEN (i % 1000) / 1000000.0 ELSE 0 END",
    "latency_ms": "500 + i % 1000 / 8.0",
    "first_token_ms": "100 + i % 100 / 8.0",
    "lineage_id": "key + 1",
    "kind": "'attempt'",
    "charge_factor": "1",
    "surface": "'chat'",
    "note": "''",
}
_POSTGRESQL = {
    "attempt_id": "lpad(to_hex(i), 32, '0')::uuid",
    "call_id": "lpad(to_hex(i), 32, '0')::uuid",
    "is_streamed": "true",
    "is_estimated": "false",
    "started_at": "to_timestamp(BEGIN + i * STEP)",
    "usage": "jsonb_build_object('input_tokens', 100 + i % 1000, 'output_tokens', 10 + i % 100,"
    " 'cached_read_tokens', i % 90, 'cached_write_tokens', 0, 'reasoning_tokens', i % 7)",
}

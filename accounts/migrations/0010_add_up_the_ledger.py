"""What was spent before it was added up as it was spent. Nobody writes such rows any more, so nothing is locked."""

from django.db import migrations

# Longer than any window whose first day is added up from quarters of an hour.
_QUARTERS_KEPT_S = 40 * 86_400
_SECOND = {
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM started_at)) AS BIGINT)",
    "sqlite": "CAST(strftime('%%s', started_at) AS INTEGER)",
}
_NOW = {"postgresql": "EXTRACT(EPOCH FROM now())", "sqlite": "CAST(strftime('%%s', 'now') AS INTEGER)"}
_UNITS = {
    "postgresql": "CAST(SUM({} * 10000000000) AS BIGINT)",
    # SQLite keeps money as a float: each row is made whole before they are added.
    "sqlite": "SUM(CAST(ROUND({} * 10000000000.0) AS INTEGER))",
}
_FILL = """
WITH part AS (
    SELECT {second} / 900 * 900 AS starts_at, key_id, team_id, project, provider, {cost} AS cost, {loss} AS loss
    FROM accounts_ledgerentry WHERE lineage_id = 0 AND (cost_usd > 0 OR loss_usd > 0)
    GROUP BY 1, 2, 3, 4, 5
), told AS (
    SELECT part.*, COALESCE(k.first_id, part.key_id) AS lineage_id, k.service_account_id,
        (SELECT id FROM accounts_membership WHERE team_id = part.team_id AND user_id = k.owner_id) AS member_id,
        (SELECT id FROM accounts_project WHERE team_id = part.team_id AND slug = part.project) AS project_id
    FROM part LEFT JOIN accounts_key k ON k.id = part.key_id
), counted AS (
    SELECT 'key:' || lineage_id AS subject, starts_at, cost, loss FROM told
    UNION ALL SELECT 'team:' || team_id, starts_at, cost, loss FROM told
    UNION ALL SELECT 'provider:' || provider, starts_at, cost, loss FROM told
    UNION ALL SELECT 'deployment', starts_at, cost, loss FROM told
    UNION ALL SELECT 'member:' || member_id, starts_at, cost, loss FROM told WHERE member_id IS NOT NULL
    UNION ALL SELECT 'service_account:' || service_account_id, starts_at, cost, loss FROM told
        WHERE service_account_id IS NOT NULL
    UNION ALL SELECT 'project:' || project_id, starts_at, cost, loss FROM told WHERE project_id IS NOT NULL
), sums AS (
    SELECT subject, 'quarter' AS grain, starts_at, cost, loss FROM counted WHERE starts_at > {now} - {kept}
    UNION ALL SELECT subject, 'day', starts_at / 86400 * 86400, cost, loss FROM counted
    UNION ALL SELECT subject, 'total', 0, cost, loss FROM counted
)
INSERT INTO accounts_spend (subject, grain, starts_at, cost, loss)
SELECT subject, grain, starts_at, CAST(SUM(cost) AS BIGINT), CAST(SUM(loss) AS BIGINT) FROM sums
WHERE true GROUP BY subject, grain, starts_at
ON CONFLICT (subject, grain, starts_at)
DO UPDATE SET cost = accounts_spend.cost + excluded.cost, loss = accounts_spend.loss + excluded.loss
"""


def _add_up(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    units = _UNITS[vendor]
    statement = _FILL.format(
        second=_SECOND[vendor],
        now=_NOW[vendor],
        kept=_QUARTERS_KEPT_S,
        cost=units.format("cost_usd"),
        loss=units.format("loss_usd"),
    )
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(statement, [])


class Migration(migrations.Migration):

    dependencies = [("accounts", "0009_count_what_is_spent")]

    operations = [migrations.RunPython(_add_up, migrations.RunPython.noop)]

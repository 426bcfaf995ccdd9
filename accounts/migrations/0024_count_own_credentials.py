"""Budgets may count calls on a team's own credentials: what those would have cost is added up, too, from now and before."""

from django.db import migrations, models

# Longer than any window whose first day is added up from quarters of an hour.
_QUARTERS_KEPT_S = 40 * 86_400
_SECOND = {
    "postgresql": "CAST(FLOOR(EXTRACT(EPOCH FROM started_at)) AS BIGINT)",
    "sqlite": "CAST(strftime('%%s', started_at) AS INTEGER)",
}
_NOW = {"postgresql": "EXTRACT(EPOCH FROM now())", "sqlite": "CAST(strftime('%%s', 'now') AS INTEGER)"}
_UNITS = {
    "postgresql": "CAST(SUM(own_cost_usd * 10000000000) AS BIGINT)",
    # SQLite keeps money as a float: each row is made whole before they are added.
    "sqlite": "SUM(CAST(ROUND(own_cost_usd * 10000000000.0) AS INTEGER))",
}
_FILL = """
WITH part AS (
    SELECT {second} / 900 * 900 AS starts_at, lineage_id, member_id, service_account_id, project_id, team_id,
        {units} AS cost
    FROM accounts_ledgerentry WHERE lineage_id IS NOT NULL AND own_cost_usd <> 0
    GROUP BY 1, 2, 3, 4, 5, 6
), counted AS (
    SELECT 'key:' || lineage_id || ':own' AS subject, starts_at, cost FROM part WHERE lineage_id <> 0
    UNION ALL SELECT 'team:' || team_id || ':own', starts_at, cost FROM part
    UNION ALL SELECT 'member:' || member_id || ':own', starts_at, cost FROM part WHERE member_id IS NOT NULL
    UNION ALL SELECT 'service_account:' || service_account_id || ':own', starts_at, cost FROM part
        WHERE service_account_id IS NOT NULL
    UNION ALL SELECT 'project:' || project_id || ':own', starts_at, cost FROM part WHERE project_id IS NOT NULL
), sums AS (
    SELECT subject, 'quarter' AS grain, starts_at, cost FROM counted WHERE starts_at > {now} - {kept}
    UNION ALL SELECT subject, 'day', starts_at / 86400 * 86400, cost FROM counted
    UNION ALL SELECT subject, 'total', 0, cost FROM counted
)
INSERT INTO accounts_spend (subject, grain, starts_at, cost, loss)
SELECT subject, grain, starts_at, CAST(SUM(cost) AS BIGINT), 0 FROM sums
WHERE true GROUP BY subject, grain, starts_at
ON CONFLICT (subject, grain, starts_at) DO UPDATE SET cost = accounts_spend.cost + excluded.cost
"""


def _add_up(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    statement = _FILL.format(
        second=_SECOND[vendor], now=_NOW[vendor], kept=_QUARTERS_KEPT_S, units=_UNITS[vendor]
    )
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(statement, [])


def _forget(apps, schema_editor):
    apps.get_model("accounts", "Spend").objects.filter(subject__endswith=":own").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0023_statements"),
    ]

    operations = [
        migrations.AddField(
            model_name="budget",
            name="counts_own",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Calls on the team's own credentials count, too: with what they would have cost by the price list.",
                verbose_name="counts own credentials",
            ),
        ),
        migrations.RunPython(_add_up, _forget),
    ]

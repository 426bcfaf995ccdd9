"""What kind of entry each row of the ledger is, and what was charged for it. Nothing writes the table anew."""

import re
from decimal import Decimal

import django.core.validators
from django.db import migrations, models, utils

_TABLE = "accounts_ledgerentry"
_COLUMNS = {
    "kind": "varchar(10) NOT NULL DEFAULT 'attempt'",
    "corrects_id": "{uuid} NULL",
    "charge_factor": "{factor} NOT NULL DEFAULT 1",
    "charge_usd": "{money} NULL",
    "surface": "varchar(20) NOT NULL DEFAULT ''",
    "note": "varchar(200) NOT NULL DEFAULT ''",
}
_TYPES = {
    "postgresql": {"uuid": "uuid", "factor": "numeric(9, 4)", "money": "numeric(20, 10)"},
    "sqlite": {"uuid": "char(32)", "factor": "decimal", "money": "decimal"},
}
_BEFORE = "ledger_cost_not_negative", '"cost_usd" >= 0'
_AFTER = (
    "ledger_attempt_not_negative",
    """"kind" <> 'attempt' OR ("charge_usd" >= 0 AND "cost_usd" >= 0)""",
)
# One level of parentheses inside, which is all that either has.
_CHECK = r'CONSTRAINT "{}" CHECK \((?:[^()]|\([^()]*\))*\)'


def _add_columns(apps, schema_editor):
    # Django's own operations copy the whole table on SQLite, once for each column.
    types, is_checked = _TYPES[schema_editor.connection.vendor], False
    columns = {name: kind.format(**types) for name, kind in _COLUMNS.items()}
    if schema_editor.connection.vendor == "sqlite" and not _may_edit_schema(schema_editor):
        _remove_by_copy(apps, schema_editor)
        columns["note"] += f' CONSTRAINT "{_AFTER[0]}" CHECK ({_AFTER[1]})'
        is_checked = True
    for name, kind in columns.items():
        schema_editor.execute(f'ALTER TABLE "{_TABLE}" ADD COLUMN "{name}" {kind}', None)
    if not is_checked:
        _swap(schema_editor, _BEFORE, _AFTER)


def _drop_columns(apps, schema_editor):
    _swap(schema_editor, _AFTER, _BEFORE)
    for name in _COLUMNS:
        schema_editor.execute(f'ALTER TABLE "{_TABLE}" DROP COLUMN "{name}"', None)


def _may_edit_schema(schema_editor):
    """Some builds of SQLite, such as Apple's, let nobody."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("PRAGMA writable_schema = ON")
        try:
            cursor.execute("UPDATE sqlite_master SET sql = sql WHERE name = ''")
        except utils.DatabaseError:
            return False
        finally:
            cursor.execute("PRAGMA writable_schema = OFF")
    return True


def _remove_by_copy(apps, schema_editor):
    model = apps.get_model("accounts", "LedgerEntry")
    constraints = model._meta.constraints
    old = next(each for each in constraints if each.name == _BEFORE[0])
    # What the copy has is what the model has.
    model._meta.constraints = [each for each in constraints if each is not old]
    schema_editor.remove_constraint(model, old)


def _swap(schema_editor, old, new):
    """One check for another. The old one is no looser for rows that are there, so those are not read here."""
    if schema_editor.connection.vendor == "sqlite":
        return _swap_on_sqlite(schema_editor, old[0], new)
    schema_editor.execute(f'ALTER TABLE "{_TABLE}" DROP CONSTRAINT "{old[0]}"', None)
    schema_editor.execute(
        f'ALTER TABLE "{_TABLE}" ADD CONSTRAINT "{new[0]}" CHECK ({new[1]}) NOT VALID', None
    )


def _swap_on_sqlite(schema_editor, old, new):
    """As its manual has it for checks, which stand in the text of the table only (lang_altertable, 7)."""
    name, condition = new
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [_TABLE])
        (text,) = cursor.fetchone()
        changed, found = re.subn(_CHECK.format(old), f'CONSTRAINT "{name}" CHECK ({condition})', text)
        if found != 1:
            raise utils.NotSupportedError(f"{_TABLE} has no {old}.")
        cursor.execute("PRAGMA schema_version")
        (version,) = cursor.fetchone()
        cursor.execute("PRAGMA writable_schema = ON")
        try:
            cursor.execute(
                "UPDATE sqlite_master SET sql = %s WHERE type = 'table' AND name = %s", [changed, _TABLE]
            )
            cursor.execute(f"PRAGMA schema_version = {version + 1}")
        finally:
            cursor.execute("PRAGMA writable_schema = OFF")


class Migration(migrations.Migration):

    dependencies = [("accounts", "0012_alerts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_add_columns, _drop_columns)],
            state_operations=[
                migrations.RemoveConstraint(model_name="ledgerentry", name="ledger_cost_not_negative"),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="kind",
                    field=models.CharField(choices=[("attempt", "Attempt"), ("correction", "Correction"), ("reprice", "Priced anew"), ("refund", "Refund")], db_default="attempt", default="attempt", max_length=10),
                ),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="corrects_id",
                    field=models.UUIDField(editable=False, help_text="The entry that it puts right.", null=True),
                ),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="charge_factor",
                    field=models.DecimalField(db_default=Decimal("1"), decimal_places=4, default=Decimal("1"), help_text="The team's, when the attempt began.", max_digits=9),
                ),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="charge_usd",
                    field=models.DecimalField(decimal_places=10, help_text="Charged to the team: the cost times the factor. Empty: the cost.", max_digits=20, null=True),
                ),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="surface",
                    field=models.CharField(blank=True, db_default="", default="", help_text="The format that the client speaks.", max_length=20),
                ),
                migrations.AddField(
                    model_name="ledgerentry",
                    name="note",
                    field=models.CharField(blank=True, db_default="", default="", help_text="Why an entry was put right.", max_length=200),
                ),
                migrations.AddConstraint(
                    model_name="ledgerentry",
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(("kind", "attempt"), _negated=True), models.Q(("charge_usd__gte", 0), ("cost_usd__gte", 0)), _connector="OR"), name="ledger_attempt_not_negative"),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="ledgerentry",
            name="cost_usd",
            field=models.DecimalField(decimal_places=10, help_text="By the price list, where the team answers for it.", max_digits=20),
        ),
        migrations.AlterField(
            model_name="spend",
            name="cost",
            field=models.BigIntegerField(help_text="In 10^-10 USD. Of teams and theirs what they are charged, of providers and the deployment the cost."),
        ),
        migrations.AddField(
            model_name="team",
            name="charge_factor",
            field=models.DecimalField(db_default=Decimal("1"), decimal_places=4, default=Decimal("1"), help_text="What it is charged is what its calls cost times this: 0.9 gives a tenth off, 1.2 adds a fifth. Calls that begin from now on have it.", max_digits=9, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.CheckConstraint(condition=models.Q(("charge_factor__gte", 0), ("charge_factor__lte", 100)), name="team_charge_factor_sane"),
        ),
    ]

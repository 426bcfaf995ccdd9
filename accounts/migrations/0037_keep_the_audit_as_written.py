"""Lets nothing change the audit in PostgreSQL, and nothing remove of it what its retention did not permit.

Truncating the whole table, as a test's database is emptied, is another right, and stays with the table's owner.
"""

from typing import Any

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION accounts_auditentry_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('gatehouse.forgets_audit', true) = 'on' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit is written once; only its retention removes entries.' USING ERRCODE = '42501';
END $$
"""
_TRIGGER = """
CREATE TRIGGER accounts_auditentry_keep BEFORE UPDATE OR DELETE ON accounts_auditentry
FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_keep()
"""


def guard(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  # Django's signature
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_FUNCTION)
        schema_editor.execute(_TRIGGER)


def unguard(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER IF EXISTS accounts_auditentry_keep ON accounts_auditentry")
        schema_editor.execute("DROP FUNCTION IF EXISTS accounts_auditentry_keep()")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0036_send_the_audit_on")]

    operations = [migrations.RunPython(guard, unguard)]

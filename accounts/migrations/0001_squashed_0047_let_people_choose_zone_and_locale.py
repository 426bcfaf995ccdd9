"""All tables of accounts up to 0047 at once, what guards them, and the groups of staff, for a new database."""

from importlib import import_module

from django.db import migrations

from accounts.staff_groups import make_groups
from gateway.core.squashing import squash

_NAMES = (
    "0001_initial",
    "0002_complete_early_tables",
    "0003_count_keys_apart",
    "0004_say_what_cancelled_means",
    "0005_find_calls_in_the_ledger",
    "0006_owners_and_projects",
    "0007_let_keys_search_elsewhere",
    "0008_limits",
    "0009_count_what_is_spent",
    "0010_add_up_the_ledger",
    "0011_budgets",
    "0012_alerts",
    "0013_keep_kinds_and_charges",
    "0014_find_what_corrects",
    "0015_let_people_put_entries_right",
    "0016_calls_on_own_credentials",
    "0017_issue_keys_once",
    "0018_roll_up_usage",
    "0019_give_keys_and_members_allowances",
    "0020_leave_empty_usage_out",
    "0021_export_the_ledger",
    "0022_keep_how_calls_were_routed",
    "0023_statements",
    "0024_count_own_credentials",
    "0025_floors",
    "0026_sum_statements_up_by_cost_centre",
    "0027_keep_statements_as_they_were_told",
    "0028_say_what_was_recorded_late",
    "0029_keep_scores_of_routing",
    "0030_give_keys_deadlines",
    "0031_keys_of_the_playground",
    "0032_tell_whole_of_each_act",
    "0033_name_acts_of_before",
    "0034_roles_and_grants",
    "0035_grant_members_what_they_are",
    "0036_send_the_audit_on",
    "0037_keep_the_audit_as_written",
    "0038_invitations",
    "0039_keep_people_by_scim",
    "0040_rights_of_desks",
    "0041_sign_in_by_identity_providers",
    "0042_staff_roles",
    "0043_ask_for_access",
    "0044_show_staff_what_is_asked",
    "0045_let_desks_decide",
    "0046_tell_who_knows_keys",
    "0047_let_people_choose_zone_and_locale",
)

_USAGE = import_module("accounts.migrations.0020_leave_empty_usage_out")
_STATEMENTS = import_module("accounts.migrations.0027_keep_statements_as_they_were_told")
_AUDIT = import_module("accounts.migrations.0037_keep_the_audit_as_written")
_GIVING = ("0042_staff_roles", "0044_show_staff_what_is_asked", "0045_let_desks_decide")
TABLE = {}
for _name in _GIVING:
    for _group, _permissions in import_module(f"accounts.migrations.{_name}").TABLE.items():
        TABLE[_group] = [*TABLE.get(_group, []), *_permissions]


def make_staff_groups(apps, schema_editor):
    make_groups(TABLE)


class Migration(migrations.Migration):
    replaces = [("accounts", name) for name in _NAMES]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        *squash("accounts", _NAMES),
        migrations.RunPython(_USAGE._leave_room, migrations.RunPython.noop),
        migrations.RunPython(_STATEMENTS._refuse, _STATEMENTS._allow),
        migrations.RunPython(_AUDIT.guard, _AUDIT.unguard),
        migrations.RunPython(make_staff_groups, migrations.RunPython.noop),
    ]

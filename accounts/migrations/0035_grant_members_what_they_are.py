"""Each membership that there is gets the grant that it stands on: somebody's word."""

from django.db import migrations


def grant(apps, schema_editor):
    Membership = apps.get_model("accounts", "Membership")
    MembershipGrant = apps.get_model("accounts", "MembershipGrant")
    without = Membership.objects.filter(grants__isnull=True, suspended_at__isnull=True)
    MembershipGrant.objects.bulk_create(
        [
            MembershipGrant(membership_id=pk, source="manual", origin="", role=role)
            for pk, role in without.values_list("pk", "role")
        ],
        batch_size=1_000,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0034_roles_and_grants"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]

"""A second row of the revision, of keys alone. Processes of the version before this one read the first one only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_complete_early_tables")]

    operations = [
        migrations.RemoveConstraint(model_name="revision", name="revision_single_row"),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.CheckConstraint(condition=models.Q(pk__in=[1, 2]), name="revision_two_rows"),
        ),
    ]

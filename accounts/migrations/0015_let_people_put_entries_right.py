"""A permission of its own to put entries of the ledger right."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("accounts", "0014_find_what_corrects")]

    operations = [
        migrations.AlterModelOptions(
            name="ledgerentry",
            options={
                "ordering": ["-started_at"],
                "permissions": [("correct_ledgerentry", "Can put entries of the ledger right")],
                "verbose_name_plural": "ledger entries",
            },
        ),
    ]

"""Keep a superuser's word that a server on the machine itself may be called."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0003_bind_variables_to_origins")]

    operations = [
        migrations.AddField(
            model_name="provider",
            name="local_address",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="A superuser's word that calls may go to this host:port of the machine itself.",
                max_length=300,
                verbose_name="allowed on this machine",
            ),
        ),
    ]

"""Bind variables to origins. Those that are in use where no vendor is go on: they have been sent there already."""

from django.db import migrations, models

from providers.validators import approval_of, destination_refusal


def approve_what_is_in_use(apps, schema_editor):
    enabled = apps.get_model("providers", "Credential").objects.filter(kind="env", is_enabled=True)
    for credential in enabled.exclude(provider__base_url="").select_related("provider"):
        if destination_refusal(credential.variable, credential.provider.base_url):
            credential.approval = approval_of(credential.variable, credential.provider.base_url)
            credential.save(update_fields=["approval"])


class Migration(migrations.Migration):
    dependencies = [("providers", "0002_complete_early_tables")]

    operations = [
        migrations.AddField(
            model_name="credential",
            name="approval",
            field=models.CharField(
                blank=True,
                db_default="",
                editable=False,
                help_text="A superuser's word that this variable may be sent to this origin.",
                max_length=500,
            ),
        ),
        migrations.RunPython(approve_what_is_in_use, migrations.RunPython.noop, elidable=True),
    ]

"""How calls were routed and translated, for receipts; a plan that many calls had is one row."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0021_export_the_ledger'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoutingNote',
            fields=[
                ('call_id', models.UUIDField(primary_key=True, serialize=False)),
                ('plan_id', models.UUIDField()),
                ('noted_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='RoutingPlan',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('content', models.TextField()),
                ('used_at', models.DateTimeField(db_index=True, help_text='The last day on which a call had it.')),
            ],
        ),
        migrations.CreateModel(
            name='TranslationNote',
            fields=[
                ('attempt_id', models.UUIDField(primary_key=True, serialize=False)),
                ('content', models.TextField(help_text='A JSON list of texts.')),
                ('noted_at', models.DateTimeField(db_index=True)),
            ],
        ),
    ]

"""What was used, added up by quarter of an hour and by day, and the zone in which a team's days begin."""

import time

import accounts.models.team
from django.db import migrations, models


def _begin(apps, schema_editor):
    """What is in the ledger already is added up in the background, day by day."""
    if apps.get_model("accounts", "LedgerEntry").objects.exists():
        tomorrow = (int(time.time()) // 86_400 + 1) * 86_400
        apps.get_model("accounts", "UsageBackfill").objects.create(pk=1, before=tomorrow)


def _leave_room(apps, schema_editor):
    """Sums grow for as long as their time lasts: within their page, so that no index has to follow."""
    if schema_editor.connection.vendor == "postgresql":
        for table in ("accounts_usagequarter", "accounts_usageday"):
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 80)", None)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0017_issue_keys_once'),
    ]

    operations = [
        migrations.AddField(
            model_name='team',
            name='time_zone',
            field=models.CharField(db_default='UTC', default='UTC', help_text='Where its days begin at midnight in what it used, such as Europe/Berlin.', max_length=64, validators=[accounts.models.team.check_zone]),
        ),
        migrations.AddField(
            model_name='team',
            name='usage_zone',
            field=models.CharField(db_default='UTC', default='UTC', editable=False, help_text='Where the days begin into which its usage is added up: the time zone, once that was done.', max_length=64),
        ),
        migrations.CreateModel(
            name='UsageBackfill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.BigIntegerField(default=0, help_text='Days of UTC that begin earlier are still to be added up; 0: none. Unix seconds.')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='usage_backfill_one_row')],
            },
        ),
        migrations.CreateModel(
            name='UsageDay',
            fields=[
                ('pk', models.CompositePrimaryKey('series_id', 'starts_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('series_id', models.UUIDField()),
                ('starts_at', models.BigIntegerField(help_text='Unix seconds.')),
                ('calls', models.BigIntegerField(db_default=0, default=0, help_text='Attempts that were not failed over.')),
                ('attempts', models.BigIntegerField(db_default=0, default=0)),
                ('input_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_read_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_write_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_write_1h_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('reasoning_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('input_audio_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_audio_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('input_image_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_image_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('web_searches', models.BigIntegerField(db_default=0, default=0)),
                ('cost', models.BigIntegerField(db_default=0, default=0)),
                ('charge', models.BigIntegerField(db_default=0, default=0)),
                ('loss', models.BigIntegerField(db_default=0, default=0)),
                ('own_cost', models.BigIntegerField(db_default=0, default=0)),
                ('latency_us', models.BigIntegerField(db_default=0, default=0)),
                ('latency_told', models.BigIntegerField(db_default=0, default=0)),
                ('first_token_us', models.BigIntegerField(db_default=0, default=0)),
                ('first_token_told', models.BigIntegerField(db_default=0, default=0)),
                ('estimated', models.BigIntegerField(db_default=0, default=0, help_text='Attempts whose usage was estimated.')),
            ],
            options={
                'verbose_name_plural': 'usage by day',
                'indexes': [models.Index(fields=['starts_at'], name='usage_day_by_start')],
            },
        ),
        migrations.CreateModel(
            name='UsageQuarter',
            fields=[
                ('pk', models.CompositePrimaryKey('series_id', 'starts_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('series_id', models.UUIDField()),
                ('starts_at', models.BigIntegerField(help_text='Unix seconds.')),
                ('calls', models.BigIntegerField(db_default=0, default=0, help_text='Attempts that were not failed over.')),
                ('attempts', models.BigIntegerField(db_default=0, default=0)),
                ('input_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_read_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_write_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('cached_write_1h_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('reasoning_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('input_audio_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_audio_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('input_image_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('output_image_tokens', models.BigIntegerField(db_default=0, default=0)),
                ('web_searches', models.BigIntegerField(db_default=0, default=0)),
                ('cost', models.BigIntegerField(db_default=0, default=0)),
                ('charge', models.BigIntegerField(db_default=0, default=0)),
                ('loss', models.BigIntegerField(db_default=0, default=0)),
                ('own_cost', models.BigIntegerField(db_default=0, default=0)),
                ('latency_us', models.BigIntegerField(db_default=0, default=0)),
                ('latency_told', models.BigIntegerField(db_default=0, default=0)),
                ('first_token_us', models.BigIntegerField(db_default=0, default=0)),
                ('first_token_told', models.BigIntegerField(db_default=0, default=0)),
                ('estimated', models.BigIntegerField(db_default=0, default=0, help_text='Attempts whose usage was estimated.')),
            ],
            options={
                'verbose_name_plural': 'usage by quarter of an hour',
                'indexes': [models.Index(fields=['starts_at'], name='usage_quarter_by_start')],
            },
        ),
        migrations.CreateModel(
            name='UsageSeries',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('team_id', models.BigIntegerField(help_text='0: the operator itself.')),
                ('project', models.CharField(blank=True, max_length=64)),
                ('project_id', models.BigIntegerField()),
                ('lineage_id', models.BigIntegerField(help_text="The first key of the key's lineage.")),
                ('member_id', models.BigIntegerField()),
                ('service_account_id', models.BigIntegerField()),
                ('model', models.CharField(max_length=200)),
                ('provider', models.CharField(max_length=60)),
                ('endpoint', models.CharField(max_length=40)),
                ('outcome', models.CharField(max_length=12)),
                ('surface', models.CharField(blank=True, max_length=20)),
                ('kind', models.CharField(max_length=10)),
            ],
            options={
                'verbose_name_plural': 'usage series',
                'indexes': [models.Index(fields=['team_id'], name='usage_series_by_team')],
            },
        ),
        migrations.RunPython(_leave_room, migrations.RunPython.noop),
        migrations.RunPython(_begin, migrations.RunPython.noop),
    ]

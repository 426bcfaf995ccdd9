"""Sums of usage that are 0 take no room: their tables are made anew, and filled from the ledger."""

import time

from django.db import migrations, models


def _begin_again(apps, schema_editor):
    """What is in the ledger is added up in the background, day by day."""
    if apps.get_model("accounts", "LedgerEntry").objects.exists():
        tomorrow = (int(time.time()) // 86_400 + 1) * 86_400
        apps.get_model("accounts", "UsageBackfill").objects.update_or_create(pk=1, defaults={"before": tomorrow})


def _leave_room(apps, schema_editor):
    """Sums grow for as long as their time lasts: within their page, so that no index has to follow."""
    if schema_editor.connection.vendor == "postgresql":
        for table in ("accounts_usagequarter", "accounts_usageday"):
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 80)", None)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0019_give_keys_and_members_allowances")]

    operations = [
        migrations.DeleteModel(name="UsageDay"),
        migrations.DeleteModel(name="UsageQuarter"),
        migrations.CreateModel(
            name='UsageQuarter',
            fields=[
                ('pk', models.CompositePrimaryKey('series_id', 'starts_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('series_id', models.UUIDField()),
                ('starts_at', models.BigIntegerField(help_text='Unix seconds.')),
                ('calls', models.BigIntegerField(help_text='Attempts that were not failed over.', null=True)),
                ('attempts', models.BigIntegerField(null=True)),
                ('input_tokens', models.BigIntegerField(null=True)),
                ('output_tokens', models.BigIntegerField(null=True)),
                ('cached_read_tokens', models.BigIntegerField(null=True)),
                ('cached_write_tokens', models.BigIntegerField(null=True)),
                ('cached_write_1h_tokens', models.BigIntegerField(null=True)),
                ('reasoning_tokens', models.BigIntegerField(null=True)),
                ('input_audio_tokens', models.BigIntegerField(null=True)),
                ('output_audio_tokens', models.BigIntegerField(null=True)),
                ('input_image_tokens', models.BigIntegerField(null=True)),
                ('output_image_tokens', models.BigIntegerField(null=True)),
                ('web_searches', models.BigIntegerField(null=True)),
                ('cost', models.BigIntegerField(null=True)),
                ('charge', models.BigIntegerField(null=True)),
                ('loss', models.BigIntegerField(null=True)),
                ('own_cost', models.BigIntegerField(null=True)),
                ('latency_us', models.BigIntegerField(null=True)),
                ('latency_told', models.BigIntegerField(null=True)),
                ('first_token_us', models.BigIntegerField(null=True)),
                ('first_token_told', models.BigIntegerField(null=True)),
                ('estimated', models.BigIntegerField(help_text='Attempts whose usage was estimated.', null=True)),
            ],
            options={
                'verbose_name_plural': 'usage by quarter of an hour',
                'indexes': [models.Index(fields=['starts_at'], name='usage_quarter_by_start')],
            },
        ),
        migrations.CreateModel(
            name='UsageDay',
            fields=[
                ('pk', models.CompositePrimaryKey('series_id', 'starts_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('series_id', models.UUIDField()),
                ('starts_at', models.BigIntegerField(help_text='Unix seconds.')),
                ('calls', models.BigIntegerField(help_text='Attempts that were not failed over.', null=True)),
                ('attempts', models.BigIntegerField(null=True)),
                ('input_tokens', models.BigIntegerField(null=True)),
                ('output_tokens', models.BigIntegerField(null=True)),
                ('cached_read_tokens', models.BigIntegerField(null=True)),
                ('cached_write_tokens', models.BigIntegerField(null=True)),
                ('cached_write_1h_tokens', models.BigIntegerField(null=True)),
                ('reasoning_tokens', models.BigIntegerField(null=True)),
                ('input_audio_tokens', models.BigIntegerField(null=True)),
                ('output_audio_tokens', models.BigIntegerField(null=True)),
                ('input_image_tokens', models.BigIntegerField(null=True)),
                ('output_image_tokens', models.BigIntegerField(null=True)),
                ('web_searches', models.BigIntegerField(null=True)),
                ('cost', models.BigIntegerField(null=True)),
                ('charge', models.BigIntegerField(null=True)),
                ('loss', models.BigIntegerField(null=True)),
                ('own_cost', models.BigIntegerField(null=True)),
                ('latency_us', models.BigIntegerField(null=True)),
                ('latency_told', models.BigIntegerField(null=True)),
                ('first_token_us', models.BigIntegerField(null=True)),
                ('first_token_told', models.BigIntegerField(null=True)),
                ('estimated', models.BigIntegerField(help_text='Attempts whose usage was estimated.', null=True)),
            ],
            options={
                'verbose_name_plural': 'usage by day',
                'indexes': [models.Index(fields=['starts_at'], name='usage_day_by_start')],
            },
        ),
        migrations.RunPython(_leave_room, migrations.RunPython.noop),
        migrations.RunPython(_begin_again, migrations.RunPython.noop),
    ]

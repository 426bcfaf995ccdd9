"""Editions are counted from 1 on, for people; those that are there already in the order of their numbers."""

from typing import Any

from django.db import migrations, models

_BATCH = 1000


def count_editions(apps: Any, _schema: Any) -> None:
    editions = apps.get_model("catalogue", "Edition").objects
    numbers = list(editions.order_by("number").values_list("number", flat=True))
    rows = editions.model
    for begins in range(0, len(numbers), _BATCH):
        batch = enumerate(numbers[begins : begins + _BATCH], begins + 1)
        editions.bulk_update([rows(number=number, place=place) for place, number in batch], ["place"])


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0003_bring_whole_workbooks_in")]

    operations = [
        migrations.AddField(
            model_name="edition",
            name="place",
            field=models.PositiveBigIntegerField(editable=False, null=True, verbose_name="edition"),
        ),
        migrations.RunPython(count_editions, migrations.RunPython.noop),
    ]

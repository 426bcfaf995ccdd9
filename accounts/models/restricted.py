"""What a key may reach, in columns: of a key itself, and of a team for all of its keys."""

from typing import Any

from django.db import models


def list_field(help_text: str) -> "models.JSONField[Any, Any]":
    """A list that is empty in rows of processes that do not know it yet."""
    return models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), blank=True, help_text=help_text
    )


class RestrictedModel(models.Model):
    """What narrows; an empty list permits everything. What is denied wins over what is permitted."""

    denied_model_patterns = list_field(
        'Models that may not be called, such as ["acme/*-preview"], whatever else permits them. Empty: none.'
    )
    provider_patterns = list_field(
        'Providers that calls may go to, by their slugs, such as ["acme-*"]. Empty: all.'
    )
    denied_provider_patterns = list_field("Providers that calls never go to. Empty: none.")
    surfaces = list_field("APIs that may be called, such as chat.completions. Empty: all.")
    ip_ranges = list_field(
        "Addresses and networks that requests may come from, such as 192.0.2.0/24. Empty: anywhere."
    )
    regions = list_field(
        'Regions that calls stay in, such as ["eu"]: an offering has to run in these alone. Empty: anywhere.'
    )
    quantizations = list_field('Quantizations that may answer, such as ["bf16", "unknown"]. Empty: any.')
    zero_retention = models.BooleanField(
        "zero data retention only",
        default=False,
        db_default=False,
        help_text="Calls go only where nothing of them is kept once they are answered.",
    )
    no_data_collection = models.BooleanField(
        "no data collection",
        default=False,
        db_default=False,
        help_text="Calls go only where nothing of them is used for the provider's own ends, such as training.",
    )

    class Meta:
        abstract = True

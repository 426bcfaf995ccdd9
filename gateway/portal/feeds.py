"""Addresses to paste into a feed reader or a calendar."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse

# What it holds, for people; the name of its address; its form.
_FEEDS = (
    ("What changes: models, prices, deprecations", "gateway-changes", "atom"),
    ("Models and their lives", "gateway-models", "atom"),
    ("Deprecations and retirements, as a calendar", "gateway-lifecycle", "ics"),
)


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """One that holds a key: it is shown once, as the key is."""

    title: str
    id: str
    address: str = field(repr=False)


def feed_addresses(origin: str, key: str) -> Sequence[FeedAddress]:
    """`origin` is scheme and host, without a slash at its end."""
    return [
        FeedAddress(
            title, f"feed-{name}", f"{origin}{reverse(name)}?{urlencode({'format': form, 'token': key})}"
        )
        for title, name, form in _FEEDS
    ]

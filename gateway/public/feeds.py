"""Addresses for feed readers and calendars, with a place for the key that they must carry where not all may look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from gateway.public.access import PUBLIC

KEY = "sk-gw-YOUR-FEED-KEY"
_FORMS = {"atom": "Atom", "rss": "RSS", "ics": "Calendar"}


@dataclass(frozen=True, slots=True)
class FeedLink:
    """`id` is for the page."""

    title: str
    id: str
    address: str
    needs_key: bool


def model_feeds(origin: str, model_id: str) -> Sequence[FeedLink]:
    """`origin` is scheme and host, without a slash at its end."""
    return _links(origin, "gateway-changes", ("atom", "rss"), [("model", model_id)])


def list_feeds(origin: str, asked: Iterable[tuple[str, str]]) -> Sequence[FeedLink]:
    return _links(origin, "gateway-models", ("atom", "rss"), asked)


def retirement_feeds(origin: str) -> Sequence[FeedLink]:
    return _links(origin, "gateway-lifecycle", ("ics", "atom"), [])


def _links(
    origin: str, name: str, forms: Sequence[str], asked: Iterable[tuple[str, str]]
) -> Sequence[FeedLink]:
    needs_key = settings.PUBLIC_CATALOGUE != PUBLIC
    pairs, key = list(asked), [("token", KEY)] if needs_key else []
    return [
        FeedLink(
            _FORMS[form],
            f"feed-{form}",
            f"{origin}{reverse(name)}?{urlencode([*pairs, ('format', form), *key], safe='/:')}",
            needs_key,
        )
        for form in forms
    ]

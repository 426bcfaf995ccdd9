"""Feeds: the same entries as RSS 2.0, Atom or JSON Feed.

Sources: the RSS 2.0 specification, RFC 4287, JSON Feed 1.1.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed

AUTHOR = "Gatehouse"


@dataclass(frozen=True, slots=True)
class Entry:
    """`id` is an IRI that never changes; `updated` is when what it says last changed. Texts are plain."""

    id: str
    title: str
    summary: str
    link: str
    updated: datetime
    published: datetime | None = None
    categories: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """`link` is where the same is read by programs, `own_link` the feed's own address, which is also its id."""

    title: str
    description: str
    link: str
    own_link: str
    unless_entries: datetime
    """When it counts as updated while nothing is in it."""
    entries: Sequence[Entry] = field(default=())

    @property
    def updated(self) -> datetime:
        return max((entry.updated for entry in self.entries), default=self.unless_entries)


def feed_response(feed: Feed, form: str) -> HttpResponse:
    """`form` is a key of FEED_FORMATS."""
    content_type, write = FEED_FORMATS[form]
    return HttpResponse(write(feed), content_type=f"{content_type}; charset=utf-8")


class _Dated:
    """Dated by its newest entry, and not by the moment of writing while there is none."""

    feed: dict[str, Any]

    def latest_post_date(self) -> datetime:
        updated: datetime = self.feed["updated"]
        return updated


class _Rss(_Dated, Rss201rev2Feed):
    pass


class _Atom(_Dated, Atom1Feed):
    pass


def _write_rss(feed: Feed) -> bytes:
    return _write_xml(_Rss, feed)


def _write_atom(feed: Feed) -> bytes:
    return _write_xml(_Atom, feed)


def _write_xml(kind: type[SyndicationFeed], feed: Feed) -> bytes:
    document = kind(
        title=feed.title,
        link=feed.link,
        description=feed.description,
        subtitle=feed.description,
        language="en-GB",
        author_name=AUTHOR,
        feed_url=feed.own_link,
        feed_guid=feed.own_link,
        updated=feed.updated,
    )
    for entry in feed.entries:
        document.add_item(
            title=_printable(entry.title),
            link=entry.link,
            description=_as_html(entry.summary),
            unique_id=entry.id,
            unique_id_is_permalink=False,
            pubdate=entry.published or (entry.updated if kind is _Rss else None),
            updateddate=entry.updated,
            categories=entry.categories,
        )
    text: str = document.writeString("utf-8")
    return text.encode()


def _write_json(feed: Feed) -> bytes:
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "description": feed.description,
            "home_page_url": feed.link,
            "feed_url": feed.own_link,
            "language": "en-GB",
            "authors": [{"name": AUTHOR}],
            "items": [_json_item(entry) for entry in feed.entries],
        }
    )


def _json_item(entry: Entry) -> dict[str, Any]:
    published = {"date_published": entry.published} if entry.published else {}
    return {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "content_text": entry.summary,
        **published,
        "date_modified": entry.updated,
        "tags": list(entry.categories),
    }


def _as_html(text: str) -> str:
    """Readers take summaries as HTML."""
    return html.escape(_printable(text), quote=False).replace("\n", "<br>\n")


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


FEED_FORMATS: Mapping[str, tuple[str, Callable[[Feed], bytes]]] = {
    "rss": ("application/rss+xml", _write_rss),
    "atom": ("application/atom+xml", _write_atom),
    "jsonfeed": ("application/feed+json", _write_json),
}
"""By the name that is asked for: media type and writer."""

"""What RFC 4287 asks of a feed, as far as a program can tell."""

import re
from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_ATOM = "{http://www.w3.org/2005/Atom}"
# RFC 3987 as far as needed: a scheme, and no character that an IRI cannot have.
_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+')


def complaints(document: bytes) -> list[str]:
    """Empty for a valid feed."""
    feed = ElementTree.fromstring(document)
    found = [*_of_both(feed, "feed"), *_of_feed(feed)]
    for entry in feed.iter(f"{_ATOM}entry"):
        found += [*_of_both(entry, "entry"), *_of_entry(entry, feed)]
    ids = [_text(entry, "id") for entry in feed.iter(f"{_ATOM}entry")]
    return found + ([] if len(ids) == len(set(ids)) else ["two entries share an id"])


def _of_both(part: Element, name: str) -> Iterator[str]:
    """Sections 4.2.6, 4.2.14, 4.2.15, 3.3."""
    for child in ("id", "title", "updated"):
        if len(part.findall(_ATOM + child)) != 1:
            yield f"{name} needs exactly one {child}"
    if not _IRI.fullmatch(_text(part, "id")):
        yield f"{name} has an id that is no IRI: {_text(part, 'id')}"
    for child in ("updated", "published"):
        for moment in part.findall(_ATOM + child):
            if datetime.fromisoformat(moment.text or "").tzinfo is None:
                yield f"{name} has a {child} without a zone"


def _of_feed(feed: Element) -> Iterator[str]:
    """Sections 4.1.1 and 4.2.7."""
    if feed.tag != f"{_ATOM}feed":
        yield "the root is no feed"
    if len(_links(feed, "self")) != 1:
        yield "the feed needs one self link"
    if len(_links(feed, "alternate")) > 1:
        yield "the feed has several alternates"
    newest = max((_text(entry, "updated") for entry in feed.iter(f"{_ATOM}entry")), default=None)
    if newest and datetime.fromisoformat(newest) > datetime.fromisoformat(_text(feed, "updated")):
        yield "an entry is newer than the feed"


def _of_entry(entry: Element, feed: Element) -> Iterator[str]:
    """Sections 4.1.2, 4.2.1, 4.2.2."""
    if entry.find(f"{_ATOM}author/{_ATOM}name") is None and feed.find(f"{_ATOM}author/{_ATOM}name") is None:
        yield "the entry has no author, and the feed neither"
    if entry.find(f"{_ATOM}content") is None and len(_links(entry, "alternate")) != 1:
        yield "the entry has neither content nor an alternate"
    if any(not category.get("term") for category in entry.findall(f"{_ATOM}category")):
        yield "a category has no term"


def _links(part: Element, relation: str) -> list[str]:
    return [
        link.get("href", "")
        for link in part.findall(f"{_ATOM}link")
        if link.get("rel", "alternate") == relation
    ]


def _text(part: Element, name: str) -> str:
    found = part.find(_ATOM + name)
    return (found.text or "") if found is not None else ""

"""What can be subscribed to, in each form, narrowed as its page was asked for, with the key that it takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from gateway.public.access import OFF, PUBLIC
from gateway.public.feeds import KEY

_FORMS = {"atom": "Atom", "rss": "RSS", "jsonfeed": "JSON Feed", "ics": "Calendar"}
_ALL = ("atom", "rss", "jsonfeed")


@dataclass(frozen=True, slots=True)
class _Source:
    """`view` is the name of its address; `narrowed_by` are the parameters that the page offers and it takes."""

    title: str
    about: str
    view: str
    forms: Sequence[str]
    narrowed_by: Sequence[str]
    operation: str


_SOURCES = (
    _Source(
        "What changes",
        "Models added, released, repriced, changed, deprecated, retired and withdrawn, as it happens.",
        "gateway-changes",
        _ALL,
        ("organisation", "model", "kind"),
        "gateway_changes_list",
    ),
    _Source(
        "Deprecations and retirements",
        "The dates of each model, those to come too. A calendar shows each on its day.",
        "gateway-lifecycle",
        ("ics", *_ALL),
        ("organisation", "model"),
        "gateway_lifecycle_list",
    ),
    _Source(
        "Models",
        "The catalogue itself, the newest model first.",
        "gateway-models",
        _ALL,
        ("organisation",),
        "gateway_models_list",
    ),
)


@dataclass(frozen=True, slots=True)
class Address:
    """One that holds a new key is shown once, as the key is."""

    form: str
    id: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FeedLine:
    title: str
    about: str
    addresses: Sequence[Address]
    narrowed_by: Sequence[str] = ()
    needs_key: bool = False
    operation: str = ""
    """Of the API document, which tells all that it can be narrowed by."""


def feed_lines(origin: str, asked: Mapping[str, str], key: str = "") -> Iterator[FeedLine]:
    """`origin` is scheme and host, without a slash at its end; `key` is one that was just made."""
    token = key or ("" if settings.PUBLIC_CATALOGUE == PUBLIC else KEY)
    for source in _SOURCES:
        kept = {name: asked[name] for name in source.narrowed_by if asked.get(name)}
        addresses = [
            _address(f"{origin}{reverse(source.view)}", source.view, form, kept | {"format": form}, token)
            for form in source.forms
        ]
        yield FeedLine(
            source.title, source.about, addresses, source.narrowed_by, bool(token), source.operation
        )
    if settings.STATUS_PAGE != OFF:
        token = key or ("" if settings.STATUS_PAGE == PUBLIC else KEY)
        about = "Incidents of models and providers, as they begin and end."
        yield FeedLine(
            "Status", about, [_address(f"{origin}{reverse('status:atom')}", "status", "atom", {}, token)]
        )


def _address(address: str, name: str, form: str, pairs: Mapping[str, str], token: str) -> Address:
    query = urlencode({**pairs, **({"token": token} if token else {})}, safe="/:")
    return Address(_FORMS[form], f"feed-{name}-{form}", f"{address}?{query}" if query else address)

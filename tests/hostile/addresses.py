"""Every address that Django answers, from the URL resolver, with what may stand in its path and in its query."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from gateway.public.query import FIELDS
from gateway.web.views import api_document

_CONVERTED = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_GROUP = re.compile(r"\(\?P<([^>]+)>[^)]*\)")
_LOOKUPS = (
    "",
    "__exact",
    "__in",
    "__isnull",
    "__gte",
    "__year",
    "__month",
    "__day",
    "__id__exact",
    "__pk__in",
)
_OF_LISTS = ("q", "o", "p", "all", "e", "_popup", "_to_field", "id__exact", "pk__in", "_changelist_filters")
_OF_PAGES = (
    "next",
    "id",
    "page",
    "term",
    "app_label",
    "model_name",
    "field_name",
    "edition",
    "other",
    "to",
    "from",
)


@dataclass(frozen=True)
class Address:
    """`path` has `{}` for what varies."""

    path: str
    names: tuple[str, ...]
    """Of parameters that may stand in its query."""

    def with_part(self, part: str) -> str:
        return self.path.replace("{}", part)


@cache
def addresses() -> tuple[Address, ...]:
    found = {path: Address(path, tuple(sorted({*_names_of(path)}))) for path in _paths(get_resolver(), "/")}
    return tuple(found[path] for path in sorted(found))


def _paths(resolver: URLResolver, before: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        path = before + _plain(str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _paths(each, path)
        elif isinstance(each, URLPattern):
            yield path


def _plain(pattern: str) -> str:
    pattern = _GROUP.sub("{}", _CONVERTED.sub("{}", pattern))
    return re.sub(r"\(/\|\$\)|[\^$]|\\Z|\(\?:|\?", "", pattern).replace("\\", "")


def _names_of(path: str) -> Iterator[str]:
    """Those of the API's document, of the page's filter, of the list's filters and of any page."""
    yield from _documented(path)
    yield from _OF_PAGES
    if path.startswith("/models"):
        yield from FIELDS
    for kind, admin_pages in admin.site._registry.items():
        if path.startswith(f"/admin/{kind._meta.app_label}/{kind._meta.model_name}/"):
            yield from _OF_LISTS
            fields = [field.name for field in kind._meta.get_fields()]
            filters = [getattr(each, "parameter_name", "") for each in admin_pages.list_filter]
            yield from (f"{name}{lookup}" for name in [*fields, *filters] if name for lookup in _LOOKUPS)


def _documented(path: str) -> Iterator[str]:
    for documented, operations in api_document()["paths"].items():
        if re.sub(r"\{[^}]*\}", "{}", documented) == path:
            for operation in operations.values():
                yield from (each["name"] for each in _parameters(operation) if each["in"] == "query")


def _parameters(operation: Any) -> list[Any]:
    return list(operation.get("parameters", ())) if isinstance(operation, dict) else []

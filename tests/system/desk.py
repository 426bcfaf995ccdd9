"""The admin as a browser without scripts uses it: pages are read, their forms are filled in and sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

Values = dict[str, str | list[str]]


class Refused(AssertionError):
    """The page came back with complaints."""


class Desk:
    """Staff at `url`, signed in."""

    def __init__(self, url: str, *, username: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=20)
        self.submit("/admin/login/", username=username, password=password)

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def submit(self, path: str, **changes: str | list[str]) -> httpx.Response:
        """Open the page, change some of its form's values, and save. Raises Refused."""
        page = self._client.get(path)
        assert page.status_code == 200, (page.status_code, page.headers.get("location"))
        values = _form_of(page.text) | changes
        answer = self._client.post(path, data=values)
        if answer.status_code != 302:
            raise Refused(_complaints_of(answer.text))
        return answer

    def row_id(self, kind: str, text: str) -> str:
        """The id of the one row that a search finds; `kind` such as catalogue/model."""
        page = self._client.get(f"/admin/{kind}/", params={"q": text}).text
        ids = set(_Page.read(page).ids_of(kind))
        assert len(ids) == 1, ids
        return ids.pop()


def _form_of(html: str) -> Values:
    """What a browser would send of the page's editing form if nothing was touched."""
    return next(form for form in _Page.read(html).forms if "csrfmiddlewaretoken" in form and len(form) > 1)


def _complaints_of(html: str) -> str:
    return " ".join(_Page.read(html).complaints) or html[:2000]


@dataclass
class _Select:
    name: str
    is_multiple: bool
    chosen: list[str] = field(default_factory=list)
    first: str | None = None


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Values] = []
        self.links: list[str] = []
        self.complaints: list[str] = []
        self._select: _Select | None = None
        self._area: str | None = None
        self._complaint_depth = 0

    @classmethod
    def read(cls, html: str) -> "_Page":
        page = cls()
        page.feed(html)
        return page

    def ids_of(self, kind: str) -> list[str]:
        parts = [link.split("?")[0].split("/") for link in self.links if f"/admin/{kind}/" in link]
        return [part[-3] for part in parts if part[-2:] == ["change", ""]]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attributes)
        if "error" in (found.get("class") or ""):
            self._complaint_depth = 1
        if tag == "form":
            self.forms.append({})
        elif tag == "a":
            self.links.append(found.get("href") or "")
        elif tag == "option" and self._select:
            self._note_option(found)
        elif "name" in found and self.forms:
            self._note_field(tag, found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            self._keep_choice(self._select)
            self._select = None
        elif tag == "textarea":
            self._area = None
        self._complaint_depth = 0

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1][self._area] = str(self.forms[-1][self._area]) + data
        elif self._complaint_depth and data.strip():
            self.complaints.append(data.strip())

    def _note_field(self, tag: str, found: dict[str, Any]) -> None:
        name = found["name"]
        if tag == "textarea":
            self._area = name
            self.forms[-1][name] = ""
        elif tag == "select":
            self._select = _Select(name, "multiple" in found)
        elif tag == "input" and found.get("type") in {"checkbox", "radio"}:
            if "checked" in found:
                self.forms[-1][name] = found.get("value", "on")
        elif tag == "input" and found.get("type") not in {"submit", "file"}:
            self.forms[-1][name] = found.get("value") or ""

    def _note_option(self, found: dict[str, Any]) -> None:
        assert self._select
        value = found.get("value") or ""
        self._select.first = value if self._select.first is None else self._select.first
        if "selected" in found:
            self._select.chosen.append(value)

    def _keep_choice(self, select: _Select) -> None:
        if select.is_multiple:
            self.forms[-1][select.name] = select.chosen
        elif select.chosen or select.first is not None:
            self.forms[-1][select.name] = select.chosen[0] if select.chosen else str(select.first)

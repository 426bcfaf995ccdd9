"""The admin as a browser without scripts uses it: pages are read, their forms are filled in and sent."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tests.patience import HANG_S

Values = dict[str, str | list[str]]


class Refused(AssertionError):
    """The page came back; the message is what it says now and did not say before."""


class AdminPages:
    """Staff at `url`, signed in."""

    def __init__(self, url: str, *, username: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=HANG_S)
        self.submit("/sign-in?next=/admin/", username=username, password=password)

    def __enter__(self) -> "AdminPages":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def read(self, path: str) -> str:
        return self._client.get(path).text

    def submit(self, path: str, **changes: str | list[str]) -> httpx.Response:
        """Open the page, change some of its form's values, and save. Raises Refused."""
        page = self._client.get(path)
        assert page.status_code == 200, (page.status_code, page.headers.get("location"))
        opened = _Page.read(page.text)
        answer = self._client.post(path, data=opened.editing_form | changes)
        if answer.status_code != 302:
            raise Refused(" ".join(_Page.read(answer.text).texts - opened.texts))
        return answer

    def upload(self, path: str, data: bytes, **values: str) -> str:
        """Send the page's form with a file; the address that it leads to."""
        token = _Page.read(self.read(path)).editing_form["csrfmiddlewaretoken"]
        files = {"import_file": ("sheet.csv", data)}
        answer = self._client.post(path, data=values | {"csrfmiddlewaretoken": token}, files=files)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def press(self, path: str, button: str) -> None:
        """Send the page's form by that button."""
        token = _Page.read(self.read(path)).editing_form["csrfmiddlewaretoken"]
        answer = self._client.post(path, data={"csrfmiddlewaretoken": token, button: ""})
        assert answer.status_code == 302, answer.text

    def issue_key(self, name: str, **terms: str) -> str:
        """A key of the demo team, read from the page that shows it once."""
        given = {"team": self.row_id("accounts/team", "demo"), "name": name, **terms}
        answer = self.submit("/admin/accounts/key/add/", **given)
        shown = self._client.get(answer.headers["location"]).text
        return re.search(r"sk-gw-\w{12}-\w{38}", shown).group()

    def row_id(self, kind: str, text: str) -> str:
        """The id of the one row that a search finds; `kind` such as catalogue/model."""
        page = self._client.get(f"/admin/{kind}/", params={"q": text}).text
        ids = set(_Page.read(page).ids_of(kind))
        assert len(ids) == 1, ids
        return ids.pop()


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
        self.texts: set[str] = set()
        self._select: _Select | None = None
        self._area: str | None = None

    @classmethod
    def read(cls, html: str) -> "_Page":
        page = cls()
        page.feed(html)
        return page

    @property
    def editing_form(self) -> Values:
        """What a browser would send if nothing was touched."""
        return next(form for form in self.forms if "csrfmiddlewaretoken" in form and len(form) > 1)

    def ids_of(self, kind: str) -> list[str]:
        parts = [link.split("?")[0].split("/") for link in self.links if f"/admin/{kind}/" in link]
        return [part[-3] for part in parts if part[-2:] == ["change", ""]]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found: dict[str, Any] = dict(attributes)
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

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1][self._area] = str(self.forms[-1][self._area]) + data
        else:
            self.texts.add(data.strip())

    def _note_field(self, tag: str, found: dict[str, Any]) -> None:
        name = found["name"]
        if tag == "textarea":
            self._area = name
            self.forms[-1][name] = ""
        elif tag == "select":
            self._select = _Select(name, "multiple" in found)
        elif tag == "input" and found.get("type") in {"checkbox", "radio"}:
            if "checked" in found:
                self._add(name, found.get("value", "on"))
        elif tag == "input" and found.get("type") not in {"submit", "file"}:
            self._add(name, found.get("value") or "")

    def _add(self, name: str, value: str) -> None:
        """Boxes may share a name, and a line of text theirs."""
        before = self.forms[-1].get(name)
        if before is None:
            self.forms[-1][name] = value
        else:
            self.forms[-1][name] = [*([before] if isinstance(before, str) else before), value]

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

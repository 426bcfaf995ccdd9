"""Whether a key may do what a request asks. Pure: inference, the REST framework and pages ask the same functions."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.keys import KeyFacts
from accounts.scopes import CATALOGUE, FEED, INFERENCE, MANAGEMENT, USAGE

_NEEDED_FOR = {
    INFERENCE: "to call models",
    CATALOGUE: "to read the catalogue",
    USAGE: "to read usage",
    MANAGEMENT: "to manage keys and the team",
}


@dataclass(frozen=True, slots=True)
class Denial:
    """Why not, for a 403. `param` is the term of the key, or the parameter of the request, that stands against it."""

    param: str
    message: str
    code: str = "permission_denied"


def judge(key: KeyFacts, scope: str, *, surface: str = "", address: str = "") -> Denial | None:
    """What stands against a valid key's request; None where nothing does.

    `scope` is what it needs (empty: any key will do), `surface` the API that it calls, empty for what calls no model.
    `address` is the client's, as trusted proxies tell it.
    """
    if scope and scope not in key.scopes:
        return _out_of_scope(key, scope)
    rules = key.restrictions
    if rules is None:
        return None
    if surface and rules.surfaces is not None and surface not in rules.surfaces:
        message = f"This key may not call {surface}; it may call {_listed(rules.surfaces)}."
        return Denial("surfaces", message, "surface_not_permitted")
    if not rules.permits_address(address):
        where = f"from {address}" if address else "from an address that nobody knows"
        return Denial("ip_ranges", f"This key may not be used {where}.", "address_not_permitted")
    return None


def judge_project(key: KeyFacts, project: str, param: str) -> Denial | None:
    """Of the project that a request names, by its `param`; empty where it names none."""
    rules = key.restrictions
    if rules is None:
        return None
    if rules.project and rules.project not in key.projects:
        message = f"This key is for the project '{rules.project}', which is archived."
        return Denial("project", message, "project_not_permitted")
    if not project:
        return None
    if rules.project and project != rules.project:
        message = f"All calls of this key are for the project '{rules.project}': leave '{param}' out."
        return Denial(param, message, "project_not_permitted")
    if not rules.has_free_projects and project not in key.projects:
        known = f" Its projects: {_listed(key.projects)}." if key.projects else " It has no project yet."
        message = f"The team has no open project '{project}', and takes no others.{known}"
        return Denial(param, message, "project_not_permitted")
    return None


def _out_of_scope(key: KeyFacts, scope: str) -> Denial:
    if FEED in key.scopes:
        message = "This is a feed key: it reads the catalogue and calls no model. Use an inference key."
    else:
        needed = f"the scope {scope}, which is needed {_NEEDED_FOR[scope]}"
        message = f"This key lacks {needed}; it has {_listed(key.scopes)}."
    return Denial("scopes", message)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)[:20])

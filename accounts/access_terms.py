"""What may be asked for, in which words, and whose decision it is. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from accounts import budget_terms, limits
from accounts.money import plain
from accounts.patterns import check_patterns, is_within
from accounts.rights import RANK, Role
from gateway.core.refusals import InvalidField

UNTIL_MOST = timedelta(days=366)
REASON_LENGTH = 1_000
_LENGTH = 200
_SUBJECTS = ("key", "member", "service_account", "project", "team")
_NAMES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "role": (frozenset({"role"}), frozenset()),
    "model": (frozenset({"model"}), frozenset({"key"})),
    "provider": (frozenset({"provider"}), frozenset({"key"})),
    "limit": (frozenset({"subject", "unit", "amount"}), frozenset({"subject_id", "window"})),
    "budget": (frozenset({"subject", "window", "raise_usd"}), frozenset({"subject_id"})),
}
"""Of each kind: what has to be said, and what may be."""
KINDS = tuple(_NAMES)
LIST_OF = {"model": "model_patterns", "provider": "provider_patterns"}
"""The list of a key or a team that a request of that kind widens."""


def read_asked(kind: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The terms in one form, however they were written. Raises InvalidField."""
    limits.check_choice("kind", kind, KINDS)
    needed, possible = _NAMES[kind]
    if unknown := sorted(asked.keys() - needed - possible):
        allowed = ", ".join(sorted(needed | possible))
        raise InvalidField(unknown[0][:60], f"Of a {kind}, asked has no {unknown[0][:60]!r}; use {allowed}.")
    if missing := sorted(name for name in needed if asked.get(name) in (None, "")):
        raise InvalidField(missing[0], f"asked.{missing[0]} is needed to ask for a {kind}.")
    given = {name: value for name, value in asked.items() if value is not None}
    if wrong := [name for name, value in given.items() if not isinstance(value, str) and name != "amount"]:
        raise InvalidField(wrong[0], f"asked.{wrong[0]} must be text.")
    if long := [name for name, value in given.items() if isinstance(value, str) and len(value) > _LENGTH]:
        raise InvalidField(long[0], f"asked.{long[0]} is longer than {_LENGTH} characters.")
    return _READERS[kind](given)


def check_until(until: datetime | None, at: datetime) -> None:
    """Raises InvalidField."""
    if until is not None and not at < until <= at + UNTIL_MOST:
        message = (
            f"until is {until.isoformat()}; it must be in the future, and within {UNTIL_MOST.days} days."
        )
        raise InvalidField("until", message)


def check_text(field: str, text: str, *, is_needed: bool) -> str:
    """Without the spaces around it. Raises InvalidField."""
    text = text.strip()
    if is_needed and not text:
        raise InvalidField(field, f"{field} is needed: say why, in a sentence.")
    if len(text) > REASON_LENGTH or not text.replace("\n", "").replace("\r", "").isprintable():
        raise InvalidField(field, f"{field} must be at most {REASON_LENGTH} characters that can be seen.")
    return text


def is_teams_decision(
    kind: str, *, is_of_key: bool, wanted: Decimal | int, most: Decimal | int | None
) -> bool:
    """Whether people of the team may grant it; else staff do.

    Roles are the team's; so are what a key lists, and limits and budgets as far as staff allow (`most`; None: as far
    as the team likes). Which models and providers all of a team may reach is staff's.
    """
    if kind in LIST_OF:
        return is_of_key
    return kind == "role" or most is None or wanted <= most


def is_higher(role: str, than: str) -> bool:
    return RANK[Role(role)] > RANK[Role(than)]


def needs_second(more_usd: Decimal | None, alone_most_usd: Decimal | None) -> bool:
    """Whether one of staff may not do it alone. `more_usd` None: without bound; `alone_most_usd` None: all may be."""
    return alone_most_usd is not None and (more_usd is None or more_usd > alone_most_usd)


def is_listed(pattern: str, listed: list[str]) -> bool:
    return any(is_within(pattern, wider) for wider in listed)


def fingerprint_of(team: int | None, kind: str, asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps([team, kind, dict(asked)], option=orjson.OPT_SORT_KEYS)).hexdigest()


def describe(kind: str, asked: Mapping[str, Any]) -> str:
    """In one line, for people."""
    if kind == "role":
        return f"The role {asked['role']}"
    if kind in LIST_OF:
        whose = f"key {asked['key']}" if "key" in asked else "all of the team"
        return f"The {kind} {asked[kind]} for {whose}"
    whose = f"{asked['subject'].replace('_', ' ')} {asked.get('subject_id', '')}".strip()
    whose = "all of the team" if whose == "team" else whose
    if kind == "limit":
        window = "at once" if asked["window"] == "none" else f"a {asked['window']}"
        return f"{asked['amount']:,} {asked['unit'].replace('_', ' ')} {window} for {whose}"
    window = "in all" if asked["window"] == "lifetime" else f"a {asked['window']}"
    return f"${asked['raise_usd']} more {window} for {whose}"


def _read_role(given: dict[str, Any]) -> dict[str, Any]:
    limits.check_choice("role", given["role"], list(Role))
    return given


def _read_model(given: dict[str, Any]) -> dict[str, Any]:
    check_patterns([given["model"]], "model")
    return given


def _read_provider(given: dict[str, Any]) -> dict[str, Any]:
    check_patterns([given["provider"]], "provider")
    return given


def _read_limit(given: dict[str, Any]) -> dict[str, Any]:
    amount = given["amount"]
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise InvalidField("amount", "asked.amount must be a whole number.")
    window = given.get("window", "none")
    limits.check_measure(given["unit"], window)
    limits.check_amount(given["unit"], window, amount)
    return _with_subject(given) | {"window": window}


def _read_budget(given: dict[str, Any]) -> dict[str, Any]:
    budget_terms.check_window(given["window"])
    try:
        more = Decimal(given["raise_usd"])
    except InvalidOperation:
        raise InvalidField(
            "raise_usd", f"raise_usd is {given['raise_usd'][:40]!r}, and no amount of USD."
        ) from None
    budget_terms.check_usd("raise_usd", more)
    return _with_subject(given) | {"raise_usd": plain(more)}


def _with_subject(given: dict[str, Any]) -> dict[str, Any]:
    limits.check_choice("subject", given["subject"], _SUBJECTS)
    if given["subject"] == "team":
        return {name: value for name, value in given.items() if name != "subject_id"}
    if not given.get("subject_id"):
        raise InvalidField("subject_id", f"subject_id is needed: which {given['subject'].replace('_', ' ')}.")
    return given


_READERS = {
    "role": _read_role,
    "model": _read_model,
    "provider": _read_provider,
    "limit": _read_limit,
    "budget": _read_budget,
}

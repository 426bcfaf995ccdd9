"""What a key may do, as a set of words. Pure; the data plane uses it too.

`scope` is the one word by which keys were published first; `scopes` says it in full.
"""

from collections.abc import Collection, Iterable, Mapping

from gateway.core.refusals import InvalidField

INFERENCE, CATALOGUE, USAGE, MANAGEMENT, FEED = "inference", "catalogue", "usage", "management", "feed"
SCOPES: Mapping[str, str] = {
    INFERENCE: "Inference: calls models",
    CATALOGUE: "Catalogue: reads models, prices and what changes",
    USAGE: "Usage: reads what the team used and spent",
    MANAGEMENT: "Management: keys, service accounts, projects and the team's terms",
    FEED: "Feed: reads the catalogue, also as part of an address; stands alone",
}
MEANT: Mapping[str, frozenset[str]] = {
    INFERENCE: frozenset({INFERENCE, CATALOGUE}),
    MANAGEMENT: frozenset({INFERENCE, CATALOGUE, USAGE, MANAGEMENT}),
    FEED: frozenset({FEED}),
}
"""What the one word has always let a key do."""


def scopes_of(scope: str, scopes: Collection[str]) -> frozenset[str]:
    """Of a row: it has no set where it is older than they are."""
    return frozenset(scopes) if scopes else MEANT[scope]


def word_for(scopes: Collection[str]) -> str:
    """The one word for a set. Processes of before there were sets obey it, so it must not say more than the set."""
    if MANAGEMENT in scopes:
        return MANAGEMENT
    return INFERENCE if INFERENCE in scopes else FEED


def check_scopes(scopes: Iterable[object]) -> None:
    """Raises InvalidField."""
    given = list(scopes)
    for scope in given:
        if scope not in SCOPES:
            raise InvalidField("scopes", f"scopes holds {str(scope)[:40]!r}; use any of {', '.join(SCOPES)}.")
    if FEED in given and len(set(given)) > 1:
        message = "scopes holds feed beside others; a feed key is part of addresses, so feed stands alone."
        raise InvalidField("scopes", message)

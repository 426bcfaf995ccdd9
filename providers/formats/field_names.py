"""What each format calls the fields of a Conversation, to name a parameter in its client's own words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

_INDEX = re.compile(r"\[[^\]]*\]|\.\d+(?=\.|$)")
_SNAKE = re.compile(r"_([a-z])")


@dataclass(frozen=True, slots=True)
class FieldNames:
    """`names` by field. `also`: other names under which providers complain of one, all in snake case where so."""

    names: Mapping[str, str]
    also: Mapping[str, str] = field(default_factory=dict)
    complains_in_snake_case: bool = False

    def but(
        self,
        names: Mapping[str, str],
        also: Mapping[str, str] | None = None,
        *,
        complains_in_snake_case: bool = False,
    ) -> "FieldNames":
        """Those of a format that calls most fields alike."""
        return FieldNames({**self.names, **names}, also or {}, complains_in_snake_case)


def client_field(source: str, field: str) -> str:
    """`field` as clients of the wire format `source` write it; as OpenAI's chat does where the source is not known."""
    return _names_of(source).names[field]


def to_client_field(param: str, provider: str, client: str) -> str:
    """What a provider complains of, as clients of another format write it: the part of the request, if not the place.

    A name that only the provider knows stays as it is.
    """
    names = _INDEX.sub("", param)
    if _names_of(provider).complains_in_snake_case:
        names = _SNAKE.sub(lambda found: found.group(1).upper(), names)
    parts = names.split(".")
    known = _fields(provider)
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    field = next((known[prefix] for prefix in prefixes if prefix in known), None)
    return param if field is None else client_field(client, field)


@cache
def _names_of(source: str) -> FieldNames:
    # Here, for each format's writers name parameters, and the registry is made of the formats.
    from providers.formats.registry import CLIENT_FORMATS, FORMATS, OPENAI

    return (FORMATS.get(source) or CLIENT_FORMATS.get(source, OPENAI)).field_names


@cache
def _fields(source: str) -> Mapping[str, str]:
    """By the format's own name for it. Inside a message, a place may be many things: that is the messages."""
    known = _names_of(source)
    inside = known.names["messages"] + "."
    named = {name: field for field, name in known.names.items() if not name.startswith(inside)}
    return {**named, **known.also}

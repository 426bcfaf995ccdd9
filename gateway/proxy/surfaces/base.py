"""What every surface has: its path, its wire format, what it checks and how it refuses."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.envelopes import ANTHROPIC_STATUSES, OVERLOADED
from gateway.proxy.errors import GatewayError, InvalidRequest
from gateway.proxy.surfaces.fields import Check, refuse, too_many
from providers.formats.base import AnswerFacts, Format, TranslationError
from providers.formats.registry import CLIENT_FORMATS
from providers.operations.base import Operation
from providers.operations.registry import operation_of
from providers.wire.body import PARSERS, BodyKind
from providers.wire.bounds import LONGEST_NAME, MOST_ITEMS, MOST_LEVELS, MOST_MEMBERS, MOST_OBJECTS
from providers.wire.json_text import brackets_in, levels_of

END_USER_FIELDS = frozenset({"metadata", "safety_identifier", "user"})
"""Where requests may say whose they are."""
_UNREADABLE = {
    BodyKind.JSON: ("invalid_json", "JSON: {reason}. Send one JSON object in UTF-8."),
    BodyKind.FORM: ("invalid_form", "multipart/form-data: {reason}."),
}
# Fewer bytes with few brackets cannot pass any bound: most requests need no further look.
_SMALL_BYTES = 2 * MOST_MEMBERS
_SHOWN_STEPS = 4


@dataclass(frozen=True, slots=True)
class Surface:
    """One API that clients speak, in OpenAI's form. `check` is given the whole body and raises InvalidRequest."""

    path: str
    endpoint: str
    check: Check
    format: str = "openai"
    keeps_answers: bool = False
    """Clients may come back to them, and go on from them: see gateway.proxy.stored."""
    only_counts: bool = False
    """It tells how many tokens a request has, and calls nobody."""
    operation: Operation = field(init=False, repr=False)
    parse: Callable[[bytes], Any] = field(init=False, repr=False)
    """A body into what it holds. Raises ValueError."""

    def __post_init__(self) -> None:
        operation = operation_of(self.endpoint)
        object.__setattr__(self, "operation", operation)
        object.__setattr__(self, "parse", PARSERS[operation.body_kind])

    @property
    def heartbeat(self) -> bytes:
        return self.wire_format.heartbeat

    @property
    def wire_format(self) -> Format:
        return CLIENT_FORMATS[self.format]

    def read(self, body: bytes) -> Mapping[str, Any]:
        """The parsed and checked request, unknown fields kept. Raises InvalidRequest."""
        try:
            parsed = self.parse(body)
        except ValueError as error:
            code, way_out = _UNREADABLE[self.operation.body_kind]
            raise InvalidRequest(
                f"The body is not valid {way_out.format(reason=str(error)[:200])}", code=code, param="body"
            ) from None
        if not isinstance(parsed, dict):
            raise InvalidRequest("The body must be one JSON object.", code="invalid_json", param="body")
        if self.operation.body_kind is BodyKind.JSON:
            check_bounds(parsed, body)
        if "models" in parsed and parsed.get("model") is None:
            _name_first(parsed)
        self.check(parsed, "")
        return parsed

    def model(self, parsed: Mapping[str, Any]) -> str:
        """What was asked for: an id, an alias or `auto`."""
        return str(parsed["model"])

    def is_streamed(self, parsed: Mapping[str, Any]) -> bool:
        return self.operation.can_stream and bool(parsed.get("stream"))

    def wants_usage(self, parsed: Mapping[str, Any]) -> bool:
        """Also in a stream."""
        return "stream_options" in parsed and bool((parsed["stream_options"] or {}).get("include_usage"))

    def end_user(self, parsed: Mapping[str, Any]) -> str:
        """Whose request it is, in the client's own words; empty where it does not say."""
        if self.format == "anthropic":
            metadata = parsed.get("metadata")
            return str(metadata.get("user_id") or "") if isinstance(metadata, Mapping) else ""
        return str(parsed.get("safety_identifier") or parsed.get("user") or "")

    def count(self, parsed: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of a surface that only counts. Raises InvalidRequest."""
        raise NotImplementedError

    def error_status(self, error: GatewayError) -> int:
        """Anthropic has a status of its own for a provider that is overloaded, and its clients wait for it to pass."""
        is_overloaded = error.error_code == OVERLOADED and self.format == "anthropic"
        return ANTHROPIC_STATUSES["overloaded_error"] if is_overloaded else error.http_status

    def error_body(self, error: GatewayError, request_id: str) -> bytes:
        return orjson.dumps(self.wire_format.error_body(error.to_dict(), request_id))

    def error_event(self, error: GatewayError, sent: bytes = b"") -> bytes:
        """An error inside a stream that has begun, after those last bytes. No terminator follows: it is not tidy."""
        return self.wire_format.writer(AnswerFacts("", 0, "", sent=sent)).fail(error.to_dict())


@dataclass(frozen=True, slots=True)
class FormatSurface(Surface):
    """One whose requests are read by their wire format."""

    always_tells_usage: bool = True

    def wants_usage(self, parsed: Mapping[str, Any]) -> bool:
        return self.always_tells_usage or Surface.wants_usage(self, parsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSurface(FormatSurface):
    """Tells how many tokens a request has, by an estimate: no provider is asked."""

    count_tokens: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """Raises TranslationError."""
    only_counts: bool = True

    def count(self, parsed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises InvalidRequest."""
        try:
            return self.count_tokens(parsed)
        except TranslationError as error:
            raise refusal_of(error) from None


def _name_first(parsed: dict[str, Any]) -> None:
    """A list of models alone says which is the first, too. What is no list of names is refused where it is read."""
    models = parsed["models"]
    if isinstance(models, list) and models:
        parsed["model"] = models[0]


def refusal_of(error: TranslationError) -> InvalidRequest:
    return InvalidRequest(error.message, code=error.code, param=error.param)


def check_bounds(body: Mapping[str, Any], data: bytes) -> None:
    """Of a whole request, read from `data`. Raises InvalidRequest."""
    names = "".join(body)
    is_long = len(names) > LONGEST_NAME and max(map(len, body)) > LONGEST_NAME
    if is_long or "." in names or "[" in names:
        raise _refuse_name(body)
    if len(data) <= _SMALL_BYTES and brackets_in(data) <= MOST_LEVELS:
        return
    count = 0
    for number, level in enumerate(levels_of(body)):
        count += len(level)
        if count > MOST_OBJECTS:
            raise refuse("body", f"at most {MOST_OBJECTS} objects and lists in all", "more")
        if number >= MOST_LEVELS or any(map(_is_too_long, level)):
            raise next(_refusals(body))


def _refuse_name(names: Iterable[str]) -> InvalidRequest:
    name = next(name for name in names if len(name) > LONGEST_NAME or "." in name or "[" in name)
    allowed = f"a name of at most {LONGEST_NAME} characters without . and ["
    return refuse(name[:LONGEST_NAME], allowed, name)


def _is_too_long(value: Any) -> bool:
    return len(value) > (MOST_MEMBERS if type(value) is dict else MOST_ITEMS)


def _refusals(body: Mapping[str, Any]) -> Iterator[InvalidRequest]:
    for path, value in _walk(body):
        if len(path) >= MOST_LEVELS:
            yield refuse(_name(path[:_SHOWN_STEPS]), f"nested at most {MOST_LEVELS} levels deep", "more")
        if _is_too_long(value):
            yield too_many(_name(path), value, MOST_MEMBERS if isinstance(value, dict) else MOST_ITEMS)


def _walk(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every object and list with the steps that lead to it. Without recursion, which has a limit of its own."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        named = (
            value.items() if isinstance(value, dict) else ((f"[{i}]", each) for i, each in enumerate(value))
        )
        waiting += [((*path, name), each) for name, each in named if isinstance(each, dict | list)]


def _name(path: tuple[str, ...]) -> str:
    name = "".join(step if step.startswith("[") else f".{step[:LONGEST_NAME]}" for step in path)
    return name.removeprefix(".") or "body"

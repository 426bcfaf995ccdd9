"""What every surface has: its path, its wire format, what it checks and how it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.envelopes import ANTHROPIC_STATUSES, OVERLOADED
from gateway.proxy.errors import GatewayError, InvalidRequest
from gateway.proxy.surfaces.bounds import check_bounds
from gateway.proxy.surfaces.fields import Check
from providers.formats.base import AnswerFacts, Format, TranslationError
from providers.formats.registry import CLIENT_FORMATS
from providers.operations.base import Operation
from providers.operations.registry import operation_of
from providers.wire.body import PARSERS, BodyKind

END_USER_FIELDS = frozenset({"metadata", "safety_identifier", "user"})
"""Where requests may say whose they are."""
_UNREADABLE = {
    BodyKind.JSON: ("invalid_json", "JSON: {reason}. Send one JSON object in UTF-8."),
    BodyKind.FORM: ("invalid_form", "multipart/form-data: {reason}."),
}


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

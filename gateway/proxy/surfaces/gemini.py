"""Gemini's API: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.proxy.surfaces.base import FormatSurface, refusal_of
from gateway.proxy.surfaces.fields import at_most, record, within
from providers.formats.base import TranslationError
from providers.formats.gemini.request_reader import count_tokens
from providers.wire.bounds import MOST_LABELS, MOST_MESSAGES, MOST_STOPS, MOST_TOOLS

_PREFIXES = ("/v1/models/", "/v1beta/models/")
_config = within({name: at_most(MOST_STOPS) for name in ("stopSequences", "stop_sequences")})
_choice = within({name: at_most(MOST_TOOLS) for name in ("allowedFunctionNames", "allowed_function_names")})
_tool_config = within(dict.fromkeys(("functionCallingConfig", "function_calling_config"), _choice))


def _tools(value: Any, param: str) -> None:
    """Functions stand in groups, and count together."""
    at_most(MOST_TOOLS)(value, param)
    groups = value if isinstance(value, list) else [value]
    functions = [
        function
        for group in groups
        if isinstance(group, dict)
        for name in ("functionDeclarations", "function_declarations")
        if isinstance(given := group.get(name), list)
        for function in given
    ]
    at_most(MOST_TOOLS)(functions, f"{param}.functionDeclarations")


_FIELDS = {
    "contents": at_most(MOST_MESSAGES),
    "generationConfig": _config,
    "generation_config": _config,
    "labels": at_most(MOST_LABELS),
    "toolConfig": _tool_config,
    "tool_config": _tool_config,
    "tools": _tools,
}
_whole = within(_FIELDS)
_check = record({**_FIELDS, "generateContentRequest": _whole, "generate_content_request": _whole})

_VERBS = ("generateContent", "streamGenerateContent", "countTokens")


@dataclass(frozen=True, slots=True)
class GeminiSurface(FormatSurface):
    """One model and one verb of the path."""

    model_id: str = ""
    verb: str = ""

    def model(self, parsed: Mapping[str, Any]) -> str:  # noqa: ARG002  # the path names it
        return self.model_id

    def is_streamed(self, parsed: Mapping[str, Any]) -> bool:  # noqa: ARG002  # likewise
        return self.verb == "streamGenerateContent"

    def count(self, parsed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises InvalidRequest."""
        try:
            return count_tokens(parsed)
        except TranslationError as error:
            raise refusal_of(error) from None


def find_gemini(path: str) -> GeminiSurface | None:
    """The surface of such a path; None where it is another one."""
    prefix = next((each for each in _PREFIXES if path.startswith(each)), None)
    model_id, _, verb = path.removeprefix(prefix or "").rpartition(":")
    if prefix is None or not model_id or verb not in _VERBS:
        return None
    return GeminiSurface(
        path,
        "generate_content",
        _check,
        format="gemini",
        only_counts=verb == "countTokens",
        model_id=model_id,
        verb=verb,
    )

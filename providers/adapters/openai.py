"""OpenAI's format: chat completions, as most providers speak them.

Source: types of the `openai` package 3.54 (November 2026). Quirks: `no_stream_options` for servers that
refuse the field, so that the usage of their streams is estimated.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.adapters.base import Answer, FailureKind, StreamReader, UpstreamFailure, UpstreamRequest
from providers.adapters.headers import format_headers
from providers.adapters.openai_failures import bad_response, classify, reported_inside
from providers.adapters.openai_request import say_otherwise
from providers.adapters.openai_stream import OpenAIStreamReader, generated
from providers.facts import ProviderFacts
from providers.formats.chat.usage import write_usage
from providers.wire.call import InferenceCall
from providers.wire.estimate import estimate_usage
from providers.wire.json_text import read_json
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, read_openai_usage


class OpenAIAdapter:
    """See providers.adapters.base.Adapter."""

    def request(self, call: InferenceCall, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest:
        headers = format_headers("openai", provider, is_streamed=call.is_streamed)
        body = {**call.body, "model": upstream.name}
        translated = say_otherwise(body, upstream, call.team)
        if call.is_streamed:
            translated += _ask_for_stream(body, provider)
        url = provider.base_url.rstrip("/") + "/chat/completions"
        return UpstreamRequest(url, headers, _dump(body), translated=tuple(translated))

    def answer(self, call: InferenceCall, model: str, status: int, body: bytes) -> Answer:  # noqa: ARG002
        try:
            value, shown = read_json(body)
        except ValueError:
            raise bad_response(status=status) from None
        if not isinstance(value, dict):
            raise bad_response(status=status)
        if value.get("error"):
            raise reported_inside(value["error"])
        chars = _read_choices(value)
        usage = read_openai_usage(value.get("usage"))
        if usage is None:
            usage = estimate_usage(call.body, chars)
            shown = orjson.dumps(value | {"usage": write_usage(usage)})
        return Answer(shown, usage)

    def stream(
        self,
        call: InferenceCall,
        model: str,  # noqa: ARG002
        cost_usd: Costing | None = None,
    ) -> StreamReader:
        return OpenAIStreamReader(call, cost_usd)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return classify(status, headers, body)


def _ask_for_stream(body: dict[str, Any], provider: ProviderFacts) -> list[str]:
    """What was left out: usage is told all the same."""
    body["stream"] = True
    options = body.get("stream_options")
    if "no_stream_options" in provider.quirks:
        body.pop("stream_options", None)
        return ["stream_options -> left out"] if options else []
    body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return []


def _dump(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:
        message = "The request holds a number or a text that JSON cannot carry."
        raise UpstreamFailure(FailureKind.CALLER, message, code="invalid_json", status=400) from None


def _read_choices(value: dict[str, Any]) -> int:
    """Characters generated in all choices. Raises UpstreamFailure for what is no chat completion."""
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        raise bad_response("The provider's answer has no choices.")
    return sum(map(_read_choice, choices))


def _read_choice(choice: Any) -> int:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise bad_response("The provider's answer has a choice without a message.")
    if choice.get("finish_reason") == "error":
        raise reported_inside(choice.get("error") or {})
    content, calls = message.get("content"), message.get("tool_calls")
    if not isinstance(content, str | list | None) or not isinstance(calls, list | None):
        raise bad_response("The provider's answer has a message of the wrong type.")
    return generated(message)[0]

"""Generating text, in whatever format it is asked for, answered and provided. Pure."""

from collections.abc import Container, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from providers.adapters.base import Adapter
from providers.adapters.openai import OpenAIAdapter
from providers.adapters.repair import REPAIRS, repairs_for
from providers.adapters.translated import TranslatingAdapter
from providers.facts import ProviderFacts
from providers.formats.answer_tool import SCHEMA_BY_TOOL
from providers.formats.field_names import client_field
from providers.formats.registry import CLIENT_FORMATS, FORMATS, OPENAI
from providers.operations.base import Requirements, Verdict
from providers.operations.parameters import used_by, used_in_chat
from providers.operations.weighing import may_lose, spoken_format, weigh
from providers.wire.body import BodyKind
from providers.wire.call import Call
from providers.wire.conversation import (
    Audio,
    Conversation,
    Image,
    Native,
    OutputKind,
    Tool,
)
from providers.wire.estimate import are_plain, are_texts, estimate_input_tokens, most_output_tokens
from providers.wire.parts import kinds_of, of_kind
from providers.wire.upstream import Upstream

_FORMS: Mapping[Any, str] = {"json_object": "response_format", "json_schema": "structured_outputs"}
_REQUIRED_IN_CHAT = frozenset({"tools", "logprobs", "response_format"})
_KINDS: Mapping[type, str] = {Image: "image", Audio: "audio"}
_KINDS_IN_CHAT = {"image_url": "image", "input_audio": "audio"}
_THINKING_IN_CHAT = frozenset({"reasoning_effort", "reasoning", "thinking", "enable_thinking"})
_NAMES_IN_CHAT = {"structured_outputs": "response_format"}
_AS_FUNCTIONS = frozenset({"custom", "namespace"})
_NOTHING: frozenset[str] = frozenset()
_REPAIRED = frozenset(REPAIRS)


class Generate:
    """See providers.operations.base.Operation."""

    name = "generate"
    endpoints = frozenset({"chat.completions", "responses", "messages", "completions", "generate_content"})
    wire_formats: Container[str] = FORMATS
    body_kind = BodyKind.JSON
    can_stream = True
    why_named = ""

    def requirements(self, call: Call) -> Requirements:
        if call.format == OPENAI.name:
            return _required_by_body(call)
        return required_by_conversation(CLIENT_FORMATS[call.format].read_request(call.body), call)

    def parameters(self, call: Call, requirements: Requirements) -> Mapping[str, str]:
        request = requirements.request
        return used_by(request) if isinstance(request, Conversation) else used_in_chat(call.body)

    def most_output_tokens(self, call: Call) -> int | None:
        return most_output_tokens(call.body)

    def may_lose(self, requirements: Requirements) -> bool:
        call = requirements.call
        return call is not None and may_lose(requirements, call)

    def verdict(self, requirements: Requirements, provider: ProviderFacts, upstream: Upstream) -> Verdict:
        call = requirements.call
        return Verdict() if call is None else weigh(requirements, call, provider, upstream)

    def adapter(self, call: Call, provider: ProviderFacts) -> Adapter:
        """By the formats that both speak, and by what of the provider's answers has to be repaired for this call."""
        quirks = provider.quirks & _REPAIRED
        if quirks and not any(name in call.body for name in CLIENT_FORMATS[call.format].form_fields):
            quirks -= {SCHEMA_BY_TOOL}
        return adapter_between(call.format, spoken_format(call.format, provider), quirks)


GENERATE = Generate()


@cache
def adapter_between(client: str, provider: str, quirks: frozenset[str] = frozenset()) -> Adapter:
    """`quirks` to repair. OpenAI's chat is relayed untouched where both speak it and none is."""
    if client == provider == OPENAI.name and not quirks:
        return OpenAIAdapter()
    return TranslatingAdapter(FORMATS[provider], CLIENT_FORMATS[client], repairs_for(quirks))


def _required_by_body(call: Call) -> Requirements:
    """Of a body in OpenAI's own form, which is relayed and not read whole."""
    body = call.body
    is_plain = call.is_plain = are_plain(body["messages"])
    # By name, Python puts all arguments of a class into a dictionary first: here that took four times as long.
    required = Requirements(
        call.endpoint,
        call.is_streamed,
        _NOTHING if _REQUIRED_IN_CHAT.isdisjoint(body) else _params_in_chat(body),
        _NOTHING if is_plain else _kinds_in_chat(body["messages"]),
        estimate_input_tokens(body, is_plain=is_plain),
        None if _THINKING_IN_CHAT.isdisjoint(body) else _asks_reasoning(body),
    )
    required.field_names = _NAMES_IN_CHAT
    required.call = call
    return required


def _asks_reasoning(body: Mapping[str, Any]) -> bool | None:
    """By chat's own word, or those of vendors: an object that is switched off, or a plain no."""
    said = [body[name] for name in _THINKING_IN_CHAT if body.get(name) not in (None, "default")]
    if not said:
        return None
    return not any(
        value in ("none", False)
        or (isinstance(value, dict) and (value.get("effort") == "none" or value.get("type") == "disabled"))
        for value in said
    )


def required_by_conversation(conversation: Conversation, call: Call) -> Requirements:
    """The same, of a request in any format."""
    kind = conversation.output.kind if conversation.output else OutputKind.TEXT
    asked = {
        "tools": any(map(_has_to_run, conversation.tools)),
        "response_format": kind is OutputKind.JSON,
        "structured_outputs": kind is OutputKind.SCHEMA,
        "logprobs": bool(conversation.sampling.logprobs),
    }
    form = client_field(conversation.source, "output")
    return Requirements(
        call.endpoint,
        is_streamed=call.is_streamed,
        params=frozenset(name for name, is_asked in asked.items() if is_asked),
        input_types=_kinds_in(conversation),
        input_tokens=estimate_input_tokens(call.body),
        asks_reasoning=conversation.reasoning.is_asked if conversation.reasoning else None,
        field_names={
            "response_format": form,
            "structured_outputs": form,
            "logprobs": client_field(conversation.source, "logprobs"),
            "messages": client_field(conversation.source, "messages"),
        },
        request=conversation,
        call=call,
    )


def _has_to_run(tool: Tool | Native) -> bool:
    """Whether other formats are told of it as a function, or cannot do without it."""
    return not isinstance(tool, Native) or tool.value.get("type") in _AS_FUNCTIONS


def _kinds_in(conversation: Conversation) -> frozenset[str]:
    """Of input besides text, inside the results of tools too."""
    kinds = kinds_of(conversation.messages) & _KINDS.keys()
    return frozenset([_KINDS[kind] for kind in kinds]) if kinds else _NOTHING


def _params_in_chat(body: Mapping[str, Any]) -> frozenset[str]:
    form = _FORMS.get((body.get("response_format") or {}).get("type"))
    return frozenset([name for name in ("tools", "logprobs") if body.get(name)] + ([form] if form else []))


def _kinds_in_chat(messages: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Of input besides text."""
    if are_texts(messages):
        return _NOTHING
    contents = of_kind([message.get("content") for message in messages], list)
    kinds = {part["type"] for part in chain.from_iterable(contents)}
    return frozenset([_KINDS_IN_CHAT[kind] for kind in kinds & _KINDS_IN_CHAT.keys()])

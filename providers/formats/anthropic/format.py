"""Anthropic Messages, in both directions; see formats.base.Format."""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from gateway.core.envelopes import anthropic_envelope
from providers.formats.anthropic.answer_reader import AnthropicStreamReader, read_answer
from providers.formats.anthropic.answer_writer import AnthropicStreamWriter, write_answer
from providers.formats.anthropic.finish import read_failure
from providers.formats.anthropic.request_reader import read_request
from providers.formats.anthropic.request_writer import write_request
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tools import plainly, wants_one_call
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import COMMENT
from providers.formats.openai.format import OPENAI_NAMES
from providers.wire.access import Access, ModelList
from providers.wire.estimate import estimate_input_tokens
from providers.wire.events import CitationAdded, Native, Rare
from providers.wire.sse import named_event

_NAMES = OPENAI_NAMES.but(
    {
        "tool_arguments": "messages.content.input",
        "tool_result": "messages.content.tool_use_id",
        "file": "messages.content.source",
        "tool_name": "tools.name",
        "tool_strict": "tools.strict",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "stop": "stop_sequences",
        "user": "metadata.user_id",
        "output": "output_config.format",
        "effort": "output_config.effort",
        "budget_tokens": "thinking.budget_tokens",
        "is_error": "messages.content.is_error",
        "reasoning": "messages.content.thinking",
        "cache": "messages.content.cache_control",
        "max_output_tokens": "max_tokens",
    },
    also={"system": "messages"},
)


class AnthropicFormat:
    name = "anthropic"
    access = Access(
        key_header="x-api-key",
        betas_header="anthropic-beta",
        models=ModelList(headers={"anthropic-version": "2023-06-01"}),
    )
    field_names = _NAMES
    endpoint = "messages"
    usage_name = "usage"
    usage_details: Collection[str] = ()
    heartbeat = COMMENT
    end = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    end_marks: Collection[bytes] = ()
    form_fields: Collection[str] = ("output_config",)
    can_limit_calls = True

    wants_one_call = staticmethod(wants_one_call)
    read_request = staticmethod(read_request)
    write_request = staticmethod(write_request)
    plainly = staticmethod(plainly)
    read_answer = staticmethod(read_answer)
    write_answer = staticmethod(write_answer)
    reader = AnthropicStreamReader
    writer = AnthropicStreamWriter
    frame = staticmethod(named_event)
    failure = staticmethod(read_failure)
    usage = staticmethod(write_usage)
    error_body = staticmethod(anthropic_envelope)

    def tell_late(self, value: MutableMapping[str, Any], told: str) -> None:
        """It has no place."""

    def lacks_usage(self, value: Mapping[str, Any]) -> str | None:
        """Its SDKs add the end's to the beginning's."""
        match value.get("type"):
            case "message_start":
                message = value.get("message")
                return "message" if isinstance(message, Mapping) and not message.get("usage") else None
            case "message_delta":
                return None if value.get("usage") else ""
        return None

    def can_tell(self, event: Rare) -> bool:
        """It cites whatever is cited, and generates no files."""
        return isinstance(event, CitationAdded) or (isinstance(event, Native) and event.origin == ORIGIN)

    def count_tokens(self, body: Mapping[str, Any]) -> Mapping[str, int]:
        """The answer of `/v1/messages/count_tokens`, whose requests have no `max_tokens`. Raises BadRequest."""
        read_request({**body, "max_tokens": 0})
        return {"input_tokens": estimate_input_tokens(body)}

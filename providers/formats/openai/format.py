"""OpenAI's chat completions as one of the wire formats."""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from gateway.core.envelopes import openai_envelope
from providers.formats.base import COMMENT
from providers.formats.field_names import FieldNames
from providers.formats.openai.answer_reader import OpenAIStreamReader, read_answer
from providers.formats.openai.answer_writer import OpenAIStreamWriter, write_answer
from providers.formats.openai.custom_tools import plainly
from providers.formats.openai.request_reader import read_request
from providers.formats.openai.request_writer import write_request
from providers.formats.openai.signatures import ORIGIN
from providers.formats.openai.tools import wants_one_call
from providers.formats.openai.usage import write_usage
from providers.wire.access import Access
from providers.wire.events import CitationAdded, FileGenerated, Native, Rare
from providers.wire.failure import classify
from providers.wire.sse import event

OPENAI_NAMES = FieldNames(
    {
        "messages": "messages",
        "name": "messages.name",
        "tool_arguments": "messages.tool_calls.function.arguments",
        "tool_result": "messages.tool_call_id",
        "file": "messages.content.file",
        "image_detail": "messages.content.image_url.detail",
        "tool_name": "tools.function.name",
        "tool_strict": "tools.function.strict",
        "tool_choice": "tool_choice",
        "parallel_tool_calls": "parallel_tool_calls",
        "stop": "stop",
        "top_k": "top_k",
        "logit_bias": "logit_bias",
        "output": "response_format",
        "effort": "reasoning_effort",
        "budget_tokens": "reasoning.max_tokens",
        "verbosity": "verbosity",
        "service_tier": "service_tier",
        "frequency_penalty": "frequency_penalty",
        "presence_penalty": "presence_penalty",
        "seed": "seed",
        "logprobs": "logprobs",
        "audio": "messages.content.input_audio",
        "metadata": "metadata",
        "user": "user",
        "is_error": "messages.content",
        "reasoning": "messages.reasoning_content",
        "cache": "messages.content.prompt_cache_breakpoint",
        "temperature": "temperature",
        "top_p": "top_p",
        "max_output_tokens": "max_completion_tokens",
    },
    also={"max_tokens": "max_output_tokens"},
)


class OpenAIFormat:
    """See providers.formats.base.Format."""

    name = "openai"
    access = Access()
    field_names = OPENAI_NAMES
    endpoint = "chat.completions"
    usage_name = "usage"
    usage_details: Collection[str] = ()
    heartbeat = COMMENT
    end = event(b"[DONE]")
    end_marks: Collection[bytes] = ()
    form_fields: Collection[str] = ("response_format",)
    can_limit_calls = True

    wants_one_call = staticmethod(wants_one_call)
    read_request = staticmethod(read_request)
    write_request = staticmethod(write_request)
    read_answer = staticmethod(read_answer)
    write_answer = staticmethod(write_answer)
    plainly = staticmethod(plainly)
    reader = OpenAIStreamReader
    writer = OpenAIStreamWriter
    failure = staticmethod(classify)
    usage = staticmethod(write_usage)

    def tell_late(self, value: MutableMapping[str, Any], told: str) -> None:
        """It has no place."""

    def lacks_usage(self, value: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """It comes in a chunk of its own."""
        return None

    def can_tell(self, event: Rare) -> bool:
        """It annotates pages only."""
        match event:
            case CitationAdded():
                return event.url is not None
            case FileGenerated():
                return event.is_image and not event.is_thought
            case Native():
                return event.origin == ORIGIN

    def frame(self, value: Mapping[str, Any], data: bytes) -> bytes:  # noqa: ARG002
        return event(data)

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:  # noqa: ARG002
        return openai_envelope(error)

"""OpenAI's Responses as one of the wire formats."""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from gateway.core.envelopes import openai_envelope
from providers.formats.base import COMMENT
from providers.formats.openai.answer_writer import file_of
from providers.formats.openai.format import OPENAI_NAMES
from providers.formats.openai.tools import wants_one_call
from providers.formats.responses.answer_reader import ResponsesStreamReader, read_answer
from providers.formats.responses.answer_writer import ResponsesStreamWriter, write_answer
from providers.formats.responses.own_tools import plainly
from providers.formats.responses.repair import DETAILS
from providers.formats.responses.request_reader import read_request
from providers.formats.responses.request_writer import write_request
from providers.formats.responses.signatures import ORIGIN
from providers.formats.responses.usage import write_usage
from providers.wire.access import Access
from providers.wire.estimate import estimate_input_tokens
from providers.wire.events import CitationAdded, FileGenerated, Native, Rare
from providers.wire.failure import classify
from providers.wire.sse import named_event

_NAMES = OPENAI_NAMES.but(
    {
        "messages": "input",
        "name": "input.name",
        "tool_arguments": "input.arguments",
        "tool_result": "input.call_id",
        "file": "input.content.input_file",
        "image_detail": "input.content.detail",
        "tool_name": "tools.name",
        "tool_strict": "tools.strict",
        "output": "text.format",
        "effort": "reasoning.effort",
        "verbosity": "text.verbosity",
        "logprobs": "top_logprobs",
        "is_error": "input.output",
        "reasoning": "input.summary",
        "cache": "input.content.prompt_cache_breakpoint",
        "max_output_tokens": "max_output_tokens",
    },
    also={"instructions": "messages"},
)
_ENDS = frozenset({"response.completed", "response.incomplete"})


class ResponsesFormat:
    """See providers.formats.base.Format."""

    name = "responses"
    access = Access()
    field_names = _NAMES
    endpoint = "responses"
    usage_name = "usage"
    usage_details: Collection[str] = DETAILS
    heartbeat = COMMENT
    end = b""
    end_marks: Collection[bytes] = (b'"response.completed"', b'"response.incomplete"')
    form_fields: Collection[str] = ("text",)
    can_limit_calls = True

    wants_one_call = staticmethod(wants_one_call)
    read_request = staticmethod(read_request)
    plainly = staticmethod(plainly)
    write_request = staticmethod(write_request)
    read_answer = staticmethod(read_answer)
    write_answer = staticmethod(write_answer)
    reader = ResponsesStreamReader
    writer = ResponsesStreamWriter
    frame = staticmethod(named_event)
    failure = staticmethod(classify)
    usage = staticmethod(write_usage)

    def tell_late(self, value: MutableMapping[str, Any], told: str) -> None:
        """In the response itself, as what was left out."""
        if isinstance(response := value.get("response"), dict):
            response["told_late"] = told

    def lacks_usage(self, value: Mapping[str, Any]) -> str | None:
        """It comes with the whole response."""
        if value.get("type") not in _ENDS:
            return None
        response = value.get("response")
        return "response" if isinstance(response, Mapping) and not response.get("usage") else None

    def can_tell(self, event: Rare) -> bool:
        """It annotates pages and OpenAI's files, and holds pictures by their data."""
        match event:
            case CitationAdded():
                return event.url is not None or file_of(event) is not None
            case FileGenerated():
                return event.is_image and event.data is not None and not event.is_thought
            case Native():
                return event.origin == ORIGIN

    def count_tokens(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of `/v1/responses/input_tokens`. Raises BadRequest."""
        read_request(body)
        return {"object": "response.input_tokens", "input_tokens": estimate_input_tokens(body)}

    def error_body(self, error: Mapping[str, Any], request_id: str) -> Mapping[str, Any]:  # noqa: ARG002
        return openai_envelope(error)

"""OpenAI's chat completions as one of the wire formats."""

from collections.abc import Mapping
from typing import Any

from gateway.core.envelopes import openai_envelope
from providers.formats.base import COMMENT, Telling
from providers.formats.openai.answer_reader import OpenAIStreamReader, read_answer
from providers.formats.openai.answer_writer import OpenAIStreamWriter, write_answer
from providers.formats.openai.request_reader import read_request
from providers.formats.openai.request_writer import write_request
from providers.formats.openai.signatures import ORIGIN
from providers.formats.openai.usage import write_usage
from providers.wire.conversation import Conversation
from providers.wire.events import CitationAdded, FileGenerated, Native, Rare
from providers.wire.failure import classify
from providers.wire.sse import event


class OpenAIFormat:
    """See providers.formats.base.Format."""

    name = "openai"
    endpoint = "chat.completions"
    usage_name = "usage"
    heartbeat = COMMENT
    end = event(b"[DONE]")
    can_limit_calls = True

    read_request = staticmethod(read_request)
    write_request = staticmethod(write_request)
    read_answer = staticmethod(read_answer)
    write_answer = staticmethod(write_answer)
    reader = OpenAIStreamReader
    writer = OpenAIStreamWriter
    failure = staticmethod(classify)
    usage = staticmethod(write_usage)

    def plainly(self, conversation: Conversation, notes: Telling) -> Conversation:  # noqa: ARG002
        """What only chat has is refused by other formats, or left out."""
        return conversation

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

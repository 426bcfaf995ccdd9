"""Google Gemini's generateContent, in both directions; see formats.base.Format."""

from gateway.core.envelopes import google_envelope
from providers.formats.gemini.answer_reader import GeminiStreamReader, read_answer
from providers.formats.gemini.answer_writer import GeminiStreamWriter, write_answer, write_frame
from providers.formats.gemini.finish import read_failure
from providers.formats.gemini.request_reader import read_request
from providers.formats.gemini.request_writer import write_request
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools import plainly
from providers.formats.gemini.usage import write_usage
from providers.wire.events import Native, Rare


class GeminiFormat:
    name = "gemini"
    endpoint = "generate_content"
    usage_name = "usageMetadata"
    # Google's SDK takes a comment for an answer that is broken.
    heartbeat = b"\r\n"
    end = b""
    can_limit_calls = False

    read_request = staticmethod(read_request)
    write_request = staticmethod(write_request)
    plainly = staticmethod(plainly)
    read_answer = staticmethod(read_answer)
    write_answer = staticmethod(write_answer)
    reader = GeminiStreamReader
    writer = GeminiStreamWriter
    frame = staticmethod(write_frame)
    failure = staticmethod(read_failure)
    usage = staticmethod(write_usage)
    error_body = staticmethod(google_envelope)

    def can_tell(self, event: Rare) -> bool:
        """Every file and every source have a place."""
        return not isinstance(event, Native) or event.origin == ORIGIN

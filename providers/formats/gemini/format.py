"""Google Gemini's generateContent, in both directions; see formats.base.Format."""

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from gateway.core.envelopes import google_envelope
from providers.formats.gemini.answer_reader import GeminiStreamReader, read_answer
from providers.formats.gemini.answer_writer import GeminiStreamWriter, write_answer, write_frame
from providers.formats.gemini.finish import read_failure
from providers.formats.gemini.request_reader import read_request
from providers.formats.gemini.request_writer import write_request
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools import plainly
from providers.formats.gemini.usage import write_usage
from providers.formats.openai.format import OPENAI_NAMES
from providers.wire.access import Access, ModelList
from providers.wire.events import Native, Rare

_NAMES = OPENAI_NAMES.but(
    {
        "messages": "contents",
        "tool_arguments": "contents.parts.functionCall.args",
        "tool_result": "contents.parts.functionResponse.id",
        "file": "contents.parts.fileData.fileUri",
        "tool_name": "tools.functionDeclarations.name",
        "tool_choice": "toolConfig.functionCallingConfig",
        "stop": "generationConfig.stopSequences",
        "top_k": "generationConfig.topK",
        "output": "generationConfig.responseJsonSchema",
        "effort": "generationConfig.thinkingConfig.thinkingLevel",
        "budget_tokens": "generationConfig.thinkingConfig.thinkingBudget",
        "service_tier": "serviceTier",
        "metadata": "labels",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "presence_penalty": "generationConfig.presencePenalty",
        "seed": "generationConfig.seed",
        "logprobs": "generationConfig.responseLogprobs",
        "audio": "contents.parts.inlineData",
        "is_error": "contents.parts.functionResponse.response",
        "reasoning": "contents.parts.thought",
        "temperature": "generationConfig.temperature",
        "top_p": "generationConfig.topP",
        "max_output_tokens": "generationConfig.maxOutputTokens",
    },
    also={"systemInstruction": "messages"},
    # Whatever the request did.
    complains_in_snake_case=True,
)


class GeminiFormat:
    name = "gemini"
    # Source: https://ai.google.dev/api/models#method:-models.list.
    access = Access("/v1beta", "x-goog-api-key", models=ModelList("models?pageSize=1000", prefix="models/"))
    field_names = _NAMES
    endpoint = "generate_content"
    usage_name = "usageMetadata"
    usage_details: Collection[str] = ()
    # Google's SDK takes a comment for an answer that is broken.
    heartbeat = b"\r\n"
    end = b""
    end_marks: Collection[bytes] = (b'"finishReason"',)
    form_fields: Collection[str] = (
        "generationConfig",
        "generation_config",
    )
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

    def wants_one_call(self, body: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return False

    def tell_late(self, value: MutableMapping[str, Any], told: str) -> None:
        """This member says more about an end."""
        for candidate in value.get("candidates") or ():
            said = candidate.get("finishMessage")
            candidate["finishMessage"] = f"{said}; {told}" if said else told

    def lacks_usage(self, value: Mapping[str, Any]) -> str | None:
        """It comes with the end."""
        if value.get("usageMetadata"):
            return None
        return (
            "" if any(candidate.get("finishReason") for candidate in value.get("candidates") or ()) else None
        )

    def can_tell(self, event: Rare) -> bool:
        """Every file and every source have a place."""
        return not isinstance(event, Native) or event.origin == ORIGIN

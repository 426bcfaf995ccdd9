"""What the API document says of the surfaces in other vendors' forms, which their own documents describe in full."""

from typing import Any

from gateway.openapi.bodies import ROUTING

Schema = dict[str, Any]

_SAY = "Say hello."
_MESSAGE: Schema = {"model": "demo/chat", "max_tokens": 100, "messages": [{"role": "user", "content": _SAY}]}
_CONTENTS: Schema = {"contents": [{"role": "user", "parts": [{"text": _SAY}]}]}
_ANTHROPIC = "https://platform.claude.com/docs/en/api/messages"
_RESPONSES = "https://platform.openai.com/docs/api-reference/responses"
_GEMINI = "https://ai.google.dev/api/generate-content"
_MODEL: Schema = {
    "name": "model",
    "in": "path",
    "required": True,
    "description": "An id or an alias, such as `demo/chat`.",
    "schema": {"type": "string"},
}

# Path: operation, summary, description, request, answer, where it is described.
OPERATIONS: dict[str, tuple[str, str, str, Schema, Schema, str]] = {
    "/v1/messages": (
        "messages_create",
        "Chat in Anthropic's form",
        (
            "Anthropic's Messages, for any model; streamed with `stream`. What a provider's format cannot say is "
            "refused by name."
        ),
        _MESSAGE,
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hello."}],
        },
        _ANTHROPIC,
    ),
    "/v1/messages/count_tokens": (
        "messages_count_tokens",
        "Estimate the tokens of a message",
        "An estimate from characters; no provider is asked.",
        {name: value for name, value in _MESSAGE.items() if name != "max_tokens"},
        {"input_tokens": 9},
        _ANTHROPIC,
    ),
    "/v1/responses": (
        "responses_create",
        "Chat in the form of OpenAI's Responses",
        (
            "For any model; streamed with `stream`. Answers are stored for a time unless `store` is false, and "
            "`previous_response_id` continues from one. `conversation` and `background` are refused."
        ),
        {"model": "demo/chat", "input": _SAY},
        {"id": "resp_1", "object": "response", "status": "completed", "output": []},
        _RESPONSES,
    ),
    "/v1/responses/input_tokens": (
        "responses_input_tokens",
        "Estimate the tokens of a response's input",
        "An estimate from characters, with all that `previous_response_id` continues from; no provider is asked.",
        {"model": "demo/chat", "input": _SAY},
        {"object": "response.input_tokens", "input_tokens": 9},
        "https://platform.openai.com/docs/api-reference/responses/input-tokens",
    ),
    "/v1/completions": (
        "completions_create",
        "Complete a prompt",
        (
            "OpenAI's legacy completions, as a chat of one message. One prompt, one choice; `echo`, `best_of`, "
            "`suffix` and `logprobs` are refused."
        ),
        {"model": "demo/chat", "prompt": _SAY},
        {"id": "cmpl-1", "object": "text_completion", "choices": [{"index": 0, "text": "Hello."}]},
        "https://platform.openai.com/docs/api-reference/completions",
    ),
    "/v1beta/models/{model}:generateContent": (
        "generate_content",
        "Chat in Gemini's form",
        "For any model; also below `/v1/models/`. The key may come as `x-goog-api-key`.",
        _CONTENTS,
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP"}
            ]
        },
        _GEMINI,
    ),
    "/v1beta/models/{model}:streamGenerateContent": (
        "stream_generate_content",
        "Chat in Gemini's form, streamed",
        "Server-sent events, as with `alt=sse`.",
        _CONTENTS,
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hel"}]}}]},
        _GEMINI,
    ),
    "/v1beta/models/{model}:countTokens": (
        "count_tokens",
        "Estimate the tokens of Gemini's contents",
        "An estimate from characters; no provider is asked.",
        _CONTENTS,
        {"totalTokens": 3},
        _GEMINI,
    ),
}


# Generators read it as one text, as a body of OpenAPI 3.0 is.
EVENTS: Schema = {"type": "string", "description": "Server-sent events."}
# How a stream begins, where the answer may be one.
_STREAMS = {
    "/v1/messages": 'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1"}}\n\n',
    "/v1/responses": 'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n',
    "/v1/completions": 'data: {"id":"cmpl-1","object":"text_completion","choices":[]}\n\n',
    "/v1beta/models/{model}:streamGenerateContent": 'data: {"candidates":[]}\n\n',
}
_COUNTS = {
    "/v1/messages/count_tokens",
    "/v1/responses/input_tokens",
    "/v1beta/models/{model}:countTokens",
}
_ALWAYS_STREAMED = {"/v1beta/models/{model}:streamGenerateContent"}


def said_of(path: str) -> Schema:
    """The operation's own words; what all inference has in common comes beside them."""
    operation_id, summary, description, request, answer, source = OPERATIONS[path]
    free: Schema = {"type": "object", "additionalProperties": True}
    said: Schema = {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "externalDocs": {"url": source},
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": free | {"properties": ROUTING}, "example": request}},
        },
        "answer": _answers_of(path, {"schema": free, "example": answer}),
    }
    said["is_count"] = path in _COUNTS
    return said | ({"path_parameters": [_MODEL]} if "{model}" in path else {})


def _answers_of(path: str, whole: Schema) -> Schema:
    """By media type."""
    answers = {} if path in _ALWAYS_STREAMED else {"application/json": whole}
    if events := _STREAMS.get(path):
        answers["text/event-stream"] = {"schema": EVENTS, "example": events}
    return answers

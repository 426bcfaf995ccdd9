"""What the API document says beyond what Django's views say of themselves.

Inference is answered before Django, so its operations are written here by hand.
"""

from typing import Any

from gateway.core.envelopes import openai_envelope
from gateway.openapi.bodies import (
    CHAT_EXAMPLE,
    EMBEDDINGS_EXAMPLE,
    EXAMPLE_MODEL,
    STREAM_EXAMPLE,
    Schema,
    ref,
    schemas,
    text,
)
from gateway.openapi.surface_schema import OPERATIONS, said_of

_LANE_PARAMETER: Schema = {
    "name": "x-gateway-lane",
    "in": "header",
    "description": "Where the call is to be made; the deployment's own choice where it is left out.",
    "schema": {"type": "string", "enum": ["auto", "worker", "direct"]},
}
_SHOW_TRANSLATED_PARAMETER: Schema = {
    "name": "x-gateway-show-translated",
    "in": "header",
    "description": "`1` asks for the header `x-gateway-translated` with the answer.",
    "schema": {"type": "string", "enum": ["0", "1"]},
}
_METHODS = ("get", "post", "put", "patch", "delete")


def complete_document(result: Schema, **_context: object) -> Schema:
    """Add the operations that Django does not answer, and what all operations have in common."""
    result["paths"] = dict(sorted((result["paths"] | _paths()).items()))
    components = result.setdefault("components", {})
    components["headers"] = _headers()
    components["responses"] = _ERROR_RESPONSES
    components["schemas"] = dict(sorted((components.get("schemas", {}) | schemas()).items()))
    for path, item in result["paths"].items():
        if path.startswith("/v1/"):
            _add_common_answers(path, item)
    return result


def _add_common_answers(path: str, item: Schema) -> None:
    for method in _METHODS:
        if method in item:
            answers = item[method]["responses"]
            answers.setdefault("401", ref("Unauthorised", "responses"))
            if "{id}" in path:
                answers.setdefault("404", ref("NotFound", "responses"))
            if "requestBody" in item[method]:
                answers.setdefault("400", ref("Refused", "responses"))


def _paths() -> dict[str, Schema]:
    return {
        "/v1/chat/completions": {"post": _chat_operation()},
        "/v1/embeddings": {"post": _embeddings_operation()},
        **{path: {"post": _inference_operation(**said_of(path))} for path in OPERATIONS},
        "/healthz": {"get": _healthz_operation()},
        "/readyz": {"get": _readyz_operation()},
    }


def _chat_operation() -> Schema:
    question = {"model": EXAMPLE_MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
    return _inference_operation(
        operationId="chat_completions_create",
        summary="Chat",
        description="OpenAI's chat completions. Fields that are not listed here are passed on to the "
        "provider. With `stream` the answer is a series of server-sent events, ended by `[DONE]`; a stream "
        "that breaks ends with an event that holds an `error` instead.",
        requestBody=_body("ChatCompletionRequest", plain=question, streamed=question | {"stream": True}),
        answer={
            "application/json": {"schema": ref("ChatCompletion"), "example": CHAT_EXAMPLE},
            "text/event-stream": {
                "schema": text("Events whose data is a ChatCompletionChunk."),
                "example": STREAM_EXAMPLE,
            },
        },
    )


def _embeddings_operation() -> Schema:
    question = {"model": "openai/text-embedding-3-small", "input": ["Gates keep houses."]}
    return _inference_operation(
        operationId="embeddings_create",
        summary="Embed texts",
        description="OpenAI's embeddings. Only ever answered by the model asked for: vectors of two models "
        "cannot be compared.",
        requestBody=_body("EmbeddingsRequest", plain=question),
        answer={"application/json": {"schema": ref("Embeddings"), "example": EMBEDDINGS_EXAMPLE}},
    )


def _inference_operation(
    *, answer: Schema, path_parameters: list[Schema] | None = None, **said: Any
) -> Schema:
    success = {
        "description": "The provider's answer.",
        "headers": {name: ref(name, "headers") for name in _headers() if name != "Retry-After"},
        "content": answer,
    }
    failures = {
        "400": "Refused",
        "401": "Unauthorised",
        "403": "Forbidden",
        "404": "UnknownModel",
        "410": "Retired",
        "413": "TooLarge",
        "429": "TooMany",
        "502": "ProviderFailed",
        "503": "Unavailable",
        "504": "ProviderTimedOut",
    }
    return {
        "tags": ["inference"],
        "security": [{"key": []}],
        "parameters": [*(path_parameters or ()), _LANE_PARAMETER, _SHOW_TRANSLATED_PARAMETER],
        **said,
        "responses": {"200": success} | {code: ref(name, "responses") for code, name in failures.items()},
    }


def _body(schema: str, **examples: Schema) -> Schema:
    content = {"schema": ref(schema), "examples": {name: {"value": it} for name, it in examples.items()}}
    return {"required": True, "content": {"application/json": content}}


def _healthz_operation() -> Schema:
    return {
        "tags": ["machines"],
        "operationId": "healthz",
        "summary": "Whether the process is alive",
        "security": [],
        "responses": {"200": _json_answer("It is.", {"type": "object"}, {"status": "ok"})},
    }


def _readyz_operation() -> Schema:
    ready = {"status": "ready", "reasons": [], "degraded": [], "database": "up", "store": "up", "workers": 1}
    unready = ready | {"status": "unready", "reasons": ["The process is draining: it takes no new calls."]}
    return {
        "tags": ["machines"],
        "operationId": "readyz",
        "summary": "Whether calls should be sent to this process",
        "security": [],
        "responses": {
            "200": _json_answer("They should.", ref("Readiness"), ready),
            "503": _json_answer("They should not; `reasons` says why.", ref("Readiness"), unready),
        },
    }


def _json_answer(description: str, schema: Schema, example: Schema) -> Schema:
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _headers() -> dict[str, Schema]:
    texts = {
        "x-request-id": ("This request's id; quote it when you ask us about it.", "req_0192f6c8a7b14d2e"),
        "x-gateway-provider": ("The provider that answered.", "openai"),
        "x-gateway-model": ("The model that answered.", EXAMPLE_MODEL),
        "x-gateway-attempts": ("How many offerings were tried.", "1"),
        "x-gateway-lane": ("Where the call was made: `worker` or `direct`.", "worker"),
        "x-gateway-translated": (
            "What was said to the provider in other words; only where it was asked for.",
            "max_tokens -> max_completion_tokens",
        ),
        "Deprecation": ("Since when the model is deprecated (RFC 9745).", "@1767225600"),
        "Sunset": ("When the model retires (RFC 8594).", "Wed, 01 Jul 2026 00:00:00 GMT"),
        "Link": ("The model's successor.", '</v1/models/openai/gpt-5-mini>; rel="successor-version"'),
        "Retry-After": ("Seconds after which the request may succeed.", "3"),
    }
    return {
        name: {"description": about, "schema": {"type": "string"}, "example": example}
        for name, (about, example) in texts.items()
    }


def _error(about: str, message: str, code: str, *, waits: bool = False, status: int = 400) -> Schema:
    example = openai_envelope({"message": message, "code": code, "status": status})
    headers = {name: ref(name, "headers") for name in ("x-request-id", *(["Retry-After"] if waits else []))}
    return {"headers": headers} | _json_answer(about, ref("ErrorEnvelope"), example)


_ERROR_RESPONSES: dict[str, Schema] = {
    "Refused": _error("A field is missing or wrong.", "messages: at least one is needed.", "invalid_request"),
    "Unauthorised": _error(
        "No key, or one that is not valid.",
        "This key is not valid.",
        "invalid_api_key",
        status=401,
    ),
    "Forbidden": _error(
        "The key calls no models.",
        "This is a feed key: it reads the catalogue and calls no model. Use an inference key.",
        "permission_denied",
        status=403,
    ),
    "UnknownModel": _error(
        "No such model.", f"Unknown model 'gpt4'. Near it: '{EXAMPLE_MODEL}'.", "model_not_found"
    ),
    "NotFound": _error(
        "Nothing of that id is there for this key.", "There is no model 'gpt4'.", "model_not_found"
    ),
    "Retired": _error(
        "The model was retired.", "Model 'x' was retired on 2026-03-01; use 'y'.", "model_retired"
    ),
    "TooLarge": _error("The body is larger than allowed.", "The body is over 10 MB.", "request_too_large"),
    "TooMany": _error(
        "A limit is reached.",
        "60 requests a minute are used up.",
        "rate_limit_exceeded",
        waits=True,
        status=429,
    ),
    "ProviderFailed": _error(
        "Every provider failed.",
        "The provider cannot be reached.",
        "provider_unreachable",
        status=503,
    ),
    "Unavailable": _error(
        "Nothing can serve the call now.",
        "No worker is alive.",
        "no_worker",
        waits=True,
        status=503,
    ),
    "ProviderTimedOut": _error(
        "The provider took too long.",
        "The provider did not answer in time.",
        "provider_timeout",
        status=503,
    ),
}

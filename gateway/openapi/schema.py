"""What the API document says beyond what Django's views say of themselves.

Inference is answered before Django, so its operations are written here by hand.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.openapi import explanation, refusals
from gateway.openapi.bodies import (
    CHAT_EXAMPLE,
    EMBEDDINGS_EXAMPLE,
    EXAMPLE_MODEL,
    STREAM_EXAMPLE,
    Schema,
    json_answer,
    ref,
    schemas,
)
from gateway.openapi.reference import METHODS
from gateway.openapi.surface_schema import EVENTS, OPERATIONS, said_of

_LANE_PARAMETER: Schema = {
    "name": "x-gateway-lane",
    "in": "header",
    "description": "Where the call is to be made; the deployment's own choice where it is left out.",
    "schema": {"type": "string", "enum": ["auto", "worker", "direct"]},
}
_SHOW_TRANSLATED_PARAMETER: Schema = {
    "name": "x-gateway-show-translated",
    "in": "header",
    "description": "`1`: `x-gateway-translated` also lists what was only renamed.",
    "schema": {"type": "string", "enum": ["0", "1"]},
}
_TIMEOUT_PARAMETER: Schema = {
    "name": "x-gateway-timeout-ms",
    "in": "header",
    "description": "How long you wait for the whole answer, or for a stream to begin; then a 504 `client_deadline`.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 86_400_000},
}

_WRONG_METHOD: Schema = {
    "description": "The address takes GET only.",
    "headers": {"Allow": ref("Allow", "headers")},
}
_FEED = "application/atom+xml"
_OF_REFUSALS = ("Retry-After", "WWW-Authenticate", "Allow")


def complete_document(result: Schema, **_context: object) -> Schema:
    """Add the operations that Django does not answer, and what all operations have in common."""
    for path, item in (edge := _edge_paths()).items():
        result["paths"].setdefault(path, {}).update(item)
    for path, method, operation in _operations(result["paths"]):
        operation.setdefault("security", [])
        refusals.declare(path, operation, is_edge=method in edge.get(path, {}))
        if _FEED in operation["responses"].get("200", {}).get("content", {}):
            # Feeds are for everybody where the catalogue's pages are.
            operation["security"].append({})
    result["paths"] = dict(sorted((result["paths"] | _health_paths()).items()))
    components = result.setdefault("components", {})
    components["headers"] = _headers()
    components["responses"] = refusals.components()
    described = (
        components.get("schemas", {})
        | schemas()
        | refusals.schemas()
        | {"RouteExplanation": explanation.EXPLANATION}
    )
    components["schemas"] = dict(sorted(described.items()))
    return result


def _operations(paths: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, item in paths.items():
        yield from ((path, method, item[method]) for method in METHODS if method in item)


def _edge_paths() -> dict[str, Schema]:
    return {
        "/v1/chat/completions": {"post": _chat_operation()},
        "/v1/embeddings": {"post": _embeddings_operation()},
        **{path: {"post": _inference_operation(**said_of(path))} for path in OPERATIONS},
        explanation.EXPLAIN_PATH: {"post": _inference_operation(**explanation.SAID)},
    }


def _health_paths() -> dict[str, Schema]:
    return {
        "/healthz": {"get": _healthz_operation()},
        "/readyz": {"get": _readyz_operation()},
    }


def _chat_operation() -> Schema:
    question = {"model": "demo/chat", "messages": [{"role": "user", "content": "Say hello."}]}
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
                "schema": EVENTS | {"description": "Server-sent events whose data is a ChatCompletionChunk."},
                "example": STREAM_EXAMPLE,
            },
        },
    )


def _embeddings_operation() -> Schema:
    question = {"model": "demo/embed", "input": ["Gates keep houses."]}
    return _inference_operation(
        operationId="embeddings_create",
        summary="Embed texts",
        description="OpenAI's embeddings. Only ever answered by the model asked for: vectors of two models "
        "cannot be compared.",
        requestBody=_body("EmbeddingsRequest", plain=question),
        answer={"application/json": {"schema": ref("Embeddings"), "example": EMBEDDINGS_EXAMPLE}},
    )


def _inference_operation(
    *, answer: Schema, path_parameters: Sequence[Schema] = (), is_count: bool = False, **said: Any
) -> Schema:
    success = {
        "description": "The provider's answer.",
        "headers": {name: ref(name, "headers") for name in _headers() if name not in _OF_REFUSALS},
        "content": answer,
    }
    return {
        "tags": ["inference"],
        "security": [{"key": []}],
        "parameters": [
            *path_parameters,
            *(() if is_count else (_LANE_PARAMETER, _TIMEOUT_PARAMETER, _SHOW_TRANSLATED_PARAMETER)),
        ],
        **said,
        "responses": {"200": success},
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
        "responses": {
            "200": json_answer("It is.", {"type": "object"}, {"status": "ok"}),
            "405": _WRONG_METHOD,
        },
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
            "200": json_answer("They should.", ref("Readiness"), ready),
            "405": _WRONG_METHOD,
            "503": json_answer("They should not; `reasons` says why.", ref("Readiness"), unready),
        },
    }


def _headers() -> dict[str, Schema]:
    texts = {
        "x-request-id": ("This request's id; quote it when you ask us about it.", "req_0192f6c8a7b14d2e"),
        "x-gateway-provider": ("The provider that answered.", "openai"),
        "x-gateway-model": ("The model that answered.", EXAMPLE_MODEL),
        "x-gateway-attempts": ("How many offerings were tried.", "1"),
        "x-gateway-lane": ("Where the call was made: `worker` or `direct`.", "worker"),
        "x-gateway-translated": (
            "What was lost on the way to the provider; if asked for, also what was put differently.",
            "metadata -> left out, top_k -> temperature=0",
        ),
        "Deprecation": ("Since when the model is deprecated (RFC 9745).", "@1767225600"),
        "Sunset": ("When the model retires (RFC 8594).", "Wed, 01 Jul 2026 00:00:00 GMT"),
        "x-gateway-cost": ("What the call cost, USD; not of streams.", "0.00042"),
        "x-gateway-fallback-from": ("What was named first, where another one answers.", EXAMPLE_MODEL),
        "x-gateway-route": ("The named route of which the model is a member.", "house/fast"),
        "x-gateway-redirected-from": ("The retired model that was asked for.", "openai/gpt-4"),
        "x-gateway-warning": ("What the client should know, such as a model's end that is near.", "…"),
        "x-ratelimit-limit-requests": ("Requests that the tightest limit allows.", "60"),
        "x-ratelimit-remaining-requests": ("How many of them are left.", "59"),
        "x-ratelimit-reset-requests": ("When all of them are there again.", "1s"),
        "Link": ("The model's successor.", '</v1/models/openai/gpt-5-mini>; rel="successor-version"'),
        "Retry-After": ("Seconds after which the request may succeed.", "3"),
        "WWW-Authenticate": ("How to send a key.", "Bearer"),
        "Allow": ("The methods that the address takes.", "POST"),
    }
    return {
        name: {"description": about, "schema": {"type": "string"}, "example": example}
        for name, (about, example) in texts.items()
    }

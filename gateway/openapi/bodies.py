"""The bodies of inference and health, as the API document describes them.

What is assumed of a request's field that is left out is said in words: generators take fields with a `default` for ones
that are always there, and demand them of whoever asks.

Source: OpenAI's API reference.
"""

from typing import Any

Schema = dict[str, Any]
EXAMPLE_MODEL = "openai/gpt-6.2-sol"


def ref(name: str, kind: str = "schemas") -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def object_(required: tuple[str, ...], properties: Schema, **more: Any) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", **needed, "properties": properties, **more}


def list_(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def json_answer(description: str, schema: Schema, example: Schema) -> Schema:
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def schemas() -> dict[str, Schema]:
    return {
        "ChatMessage": _CHAT_MESSAGE,
        "ProviderWishes": _PROVIDER_WISHES,
        "ChatCompletionRequest": _CHAT_REQUEST,
        "ChatCompletion": _chat_answer("chat.completion", "message"),
        "ChatCompletionChunk": _chat_answer("chat.completion.chunk", "delta"),
        "TokenUsage": _USAGE,
        "EmbeddingsRequest": _EMBEDDINGS_REQUEST,
        "Embeddings": _EMBEDDINGS,
        "Readiness": _READINESS,
    }


def _chat_answer(kind: str, part: str) -> Schema:
    choice = object_(
        ("index", part),
        {
            "index": {"type": "integer"},
            part: ref("ChatMessage") if part == "message" else {"type": "object"},
            "finish_reason": text("stop, length, tool_calls or content_filter.", nullable=True),
        },
    )
    return object_(
        ("id", "object", "created", "model", "choices"),
        {
            "id": {"type": "string"},
            "object": {"type": "string", "enum": [kind]},
            "created": {"type": "integer", "description": "Unix seconds."},
            "model": {"type": "string"},
            "choices": list_(choice),
            "usage": ref("TokenUsage"),
        },
    )


_MODEL = text(
    "A model's id or alias, a named route, or `auto` for the healthiest model that can do what the request needs; "
    "`provider:model` for one provider alone, and `:cheap`, `:fast` or `:free` at the end for which of several."
)
_CHAT_MESSAGE = object_(
    ("role",),
    {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {
            "description": "Text, or a list of parts (text, images).",
            "nullable": True,
            "oneOf": [{"type": "string"}, list_({"type": "object"})],
        },
        "tool_calls": list_({"type": "object"}),
        "tool_call_id": {"type": "string"},
    },
    additionalProperties=True,
)
_SLUGS = list_({"type": "string"}, nullable=True)
_WORDS = list_({"type": "string"}, minItems=1, nullable=True)
_AMOUNT: Schema = {"oneOf": [{"type": "number"}, {"type": "string"}]}
_SORT = {"type": "string", "enum": ["price", "latency", "throughput"]}


def _threshold(description: str) -> Schema:
    number = {"type": "number", "minimum": 0}
    percentiles = object_((), dict.fromkeys(("p50", "p75", "p90", "p99"), number))
    return {"description": description, "nullable": True, "oneOf": [number, percentiles]}


_PROVIDER_WISHES = object_(
    (),
    {
        "require_parameters": {
            "type": "boolean",
            "nullable": True,
            "description": "Only offerings that declare every parameter of the request; false where left out.",
        },
        "only": _SLUGS | {"description": "No other providers than these, by slug."},
        "ignore": _SLUGS | {"description": "None of these providers."},
        "order": _SLUGS | {"description": "These providers first, in this order."},
        "allow_fallbacks": {
            "type": "boolean",
            "nullable": True,
            "description": "False: nobody after those in `order`; without it, nobody after the first. Else true.",
        },
        "sort": {
            "description": "What decides the order; as an object, over all `models` together with `none`.",
            "nullable": True,
            "oneOf": [
                _SORT,
                object_((), {"by": _SORT, "partition": {"type": "string", "enum": ["model", "none"]}}),
            ],
        },
        "max_price": object_(
            (),
            dict.fromkeys(("prompt", "completion", "request", "image"), _AMOUNT),
            nullable=True,
            description="In USD, by the catalogue: for a million tokens, for one request and for one image.",
        ),
        "zdr": {
            "type": "boolean",
            "nullable": True,
            "description": "True: only where nothing of the call is kept once it is answered.",
        },
        "data_collection": text(
            "`deny`: only where nothing of it is used for the provider's own ends.",
            enum=["allow", "deny"],
            nullable=True,
        ),
        "quantizations": _WORDS
        | {"description": "Only these, such as bf16; `unknown` where nobody tells it."},
        "regions": _WORDS | {"description": "Only within these, such as eu or us-east-1."},
        "preferred_min_throughput": _threshold("Tokens a second: those that keep to it come first."),
        "preferred_max_latency": _threshold("Seconds to the first token: those that keep to it come first."),
    },
    description="Which providers may be asked. Any surface takes it in the body; no provider sees it.",
)
ROUTING: Schema = {
    "models": list_({"type": "string"}, maxItems=16, nullable=True)
    | {"description": "Names that are tried in this order after `model`, where it cannot answer or fails."},
    "fallback_on": list_(
        {"type": "string", "enum": ["context_length_exceeded", "content_filter"]}, minItems=1, nullable=True
    )
    | {"description": "Troubles of the request itself for which the next model may answer."},
    "min_reasoning_level": {
        "type": "string",
        "enum": ["low", "medium", "high"],
        "description": "No model answers that is not known to reason at this level or above.",
    },
    "provider": ref("ProviderWishes"),
}
"""What the body of every surface that generates text may say of who answers."""
_CHAT_REQUEST = object_(
    ("messages",),
    {
        "model": _MODEL,
        **ROUTING,
        "messages": list_(ref("ChatMessage"), minItems=1),
        "stream": {
            "type": "boolean",
            "description": "Whether the answer is a series of events; false where left out.",
        },
        "stream_options": object_((), {"include_usage": {"type": "boolean"}}),
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        "max_tokens": {"type": "integer", "minimum": 1},
        "max_completion_tokens": {"type": "integer", "minimum": 1},
        "stop": {"oneOf": [{"type": "string"}, list_({"type": "string"})]},
        "tools": list_({"type": "object"}),
        "tool_choice": {"oneOf": [{"type": "string"}, {"type": "object"}]},
        "response_format": {"type": "object"},
        "reasoning_effort": {"type": "string"},
        "seed": {"type": "integer"},
    },
    additionalProperties=True,
)
_USAGE = object_(
    ("prompt_tokens", "total_tokens"),
    {
        **{name: {"type": "integer"} for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
        "is_estimated": {
            "type": "boolean",
            "description": "The provider reported no usage that makes sense.",
        },
        "cost": {"type": "number", "description": "USD; in streams whose client asked for usage."},
    },
    additionalProperties=True,
)
_EMBEDDINGS_REQUEST = object_(
    ("model", "input"),
    {
        "model": text("An embedding model's id or alias."),
        "input": {
            "description": "A text, a list of texts, or tokens.",
            "oneOf": [
                {"type": "string"},
                list_({"type": "string"}),
                list_({"type": "integer"}),
                list_(list_({"type": "integer"})),
            ],
        },
        "dimensions": {"type": "integer", "minimum": 1},
        "encoding_format": {
            "type": "string",
            "enum": ["float", "base64"],
            "description": "Of the vectors; `float` where left out.",
        },
        "input_type": text(
            "What the vectors are for, where the provider knows kinds: query, document, classification, clustering "
            "or similarity, or the provider's own word."
        ),
        "truncation": {
            "type": "boolean",
            "description": "Whether the provider may cut a text that is too long, where it can.",
        },
        "provider": ref("ProviderWishes"),
    },
    additionalProperties=True,
)
_EMBEDDINGS = object_(
    ("object", "data", "model", "usage"),
    {
        "object": {"type": "string", "enum": ["list"]},
        "data": list_(
            object_(
                ("object", "index", "embedding"),
                {
                    "object": {"type": "string", "enum": ["embedding"]},
                    "index": {"type": "integer"},
                    "embedding": {"oneOf": [list_({"type": "number"}), text("Base64 of 32-bit floats.")]},
                },
            )
        ),
        "model": {"type": "string"},
        "usage": ref("TokenUsage"),
    },
)
_READINESS = object_(
    ("status", "reasons", "degraded", "database"),
    {
        "status": {"type": "string", "enum": ["ready", "degraded", "unready"]},
        "reasons": list_({"type": "string"}, description="Why no calls should come here."),
        "degraded": list_({"type": "string"}, description="What is wrong, though calls are served."),
        "database": {"type": "string", "enum": ["up", "down", "unknown"]},
        "database_silence_s": {"type": "number", "description": "Since it last answered."},
        "store": {"type": "string", "enum": ["up", "down", "memory"]},
        "snapshot_revision": {"type": "integer"},
        "snapshot_age_s": {"type": "number"},
        "spool_lag_s": {"type": "number"},
        "spool_trouble": {
            "type": "string",
            "description": "Why calls cannot be recorded; empty where they can.",
        },
        "workers": {"type": "integer", "description": "Workers whose heartbeat is fresh."},
        "lane": {"type": "string", "enum": ["auto", "worker", "direct"]},
        "is_draining": {"type": "boolean"},
        "demo": {"type": "boolean", "description": "Whether the bundled demo providers run."},
    },
)
CHAT_EXAMPLE: Schema = {
    "id": "chatcmpl-7f3a",
    "object": "chat.completion",
    "created": 1795305600,
    "model": EXAMPLE_MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}
STREAM_EXAMPLE = (
    'data: {"id":"chatcmpl-7f3a","object":"chat.completion.chunk","created":1795305600,'
    f'"model":"{EXAMPLE_MODEL}","choices":[{{"index":0,"delta":{{"content":"Hello."}},"finish_reason":null}}]}}\n\n'
    "data: [DONE]\n\n"
)
EMBEDDINGS_EXAMPLE: Schema = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.0123, -0.0456]}],
    "model": "openai/text-embedding-3-small",
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}

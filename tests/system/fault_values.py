"""The tables from which malformed requests are generated: types, values and names that the product refuses."""

from typing import Any

CHAT, EMBEDDINGS, MODELS = "/v1/chat/completions", "/v1/embeddings", "/v1/models"
LIST, KEYS = "/v1/gateway/models", "/v1/keys"

GOOD_BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"model": "demo/chat", "messages": [{"role": "user", "content": "hello"}]},
    EMBEDDINGS: {"model": "demo/embed", "input": "hello"},
    KEYS: {"name": "a key"},
}
# One value of each JSON type; none of them is right for a parameter that takes another type.
SAMPLES: dict[str, Any] = {
    "text": "\u00b1 nonsense",
    "number": 0.5,
    "huge": 10**18,
    "boolean": True,
    "list": [{"nonsense": 1}],
    "object": {"nonsense": []},
}
TEXT, NUMBER, BOOLEAN, LISTED, OBJECT = {"text"}, {"number"}, {"boolean"}, {"list"}, {"object"}
# What is wrong inside a list or an object is in the tables of values.
CHAT_TYPES: dict[str, set[str]] = {
    "model": TEXT,
    "messages": LISTED,
    "audio": OBJECT,
    "frequency_penalty": NUMBER,
    "presence_penalty": NUMBER,
    "logit_bias": OBJECT,
    "logprobs": BOOLEAN,
    "top_logprobs": set(),
    "max_completion_tokens": set(),
    "max_tokens": set(),
    "metadata": OBJECT,
    "modalities": LISTED,
    "n": set(),
    "parallel_tool_calls": BOOLEAN,
    "prediction": OBJECT,
    "project_id": set(),
    "prompt_cache_key": TEXT,
    "reasoning_effort": set(),
    "response_format": OBJECT,
    "safety_identifier": TEXT,
    "seed": {"huge"},
    "service_tier": TEXT,
    "stop": TEXT | LISTED,
    "store": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "temperature": NUMBER,
    "tool_choice": OBJECT,
    "tools": LISTED,
    "top_k": set(),
    "top_p": NUMBER,
    "user": TEXT,
    "verbosity": set(),
    "web_search_options": OBJECT,
}
EMBEDDINGS_TYPES: dict[str, set[str]] = {
    "model": TEXT,
    "input": TEXT | LISTED,
    "dimensions": set(),
    "encoding_format": set(),
    "input_type": TEXT,
    "project_id": set(),
    "truncation": BOOLEAN,
    "user": TEXT,
}
KEY_TYPES: dict[str, set[str]] = {
    "name": {"text", "number", "huge"},
    "requests_per_minute": set(),
    "concurrency": set(),
    "model_patterns": LISTED,
    "expires_at": set(),
    "lane": set(),
}
TOOL = {"type": "function", "function": {"name": "f"}}
# (parameters, which of them is to blame)
CHAT_VALUES: list[tuple[dict[str, Any], str]] = [
    *(({"temperature": value}, "temperature") for value in (-0.1, 2.1, -1e300, 1e300)),
    *(({"top_p": value}, "top_p") for value in (-0.01, 1.01)),
    *(({name: value}, name) for name in ("frequency_penalty", "presence_penalty") for value in (-2.1, 2.1)),
    *(({"n": value}, "n") for value in (0, -1, 129, 1.5, 2**53)),
    *(
        ({name: value}, name)
        for name in ("max_tokens", "max_completion_tokens")
        for value in (0, -1, 1.5, 2**60)
    ),
    *(({"top_logprobs": value}, "top_logprobs") for value in (-1, 21, 1.5)),
    *(({"top_k": value}, "top_k") for value in (-1, 1.5)),
    *(({"seed": value}, "seed") for value in (2**63, -(2**63) - 1, 0.5)),
    ({"model": ""}, "model"),
    ({"model": "m" * 201}, "model"),
    ({"model": None}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": None}, "messages"),
    ({"messages": [None]}, "messages[0]"),
    ({"messages": ["hello"]}, "messages[0]"),
    ({"messages": [[]]}, "messages[0]"),
    ({"messages": [{}]}, "messages[0].role"),
    ({"messages": [{"content": "hello"}]}, "messages[0].role"),
    ({"messages": [{"role": "robot", "content": "hello"}]}, "messages[0].role"),
    ({"messages": [{"role": 5, "content": "hello"}]}, "messages[0].role"),
    ({"messages": [{"role": ["user"], "content": "hello"}]}, "messages[0].role"),
    *(({"messages": [{"role": role}]}, "messages[0].content") for role in ("user", "system", "developer")),
    *(({"messages": [{"role": "user", "content": v}]}, "messages[0].content") for v in (None, 5, True, {})),
    ({"messages": [{"role": "user", "content": ["hello"]}]}, "messages[0].content[0]"),
    ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": 1}]}]}, "messages[0].content[0].type"),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
        "messages[0].content[0].text",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
        "messages[0].content[0].image_url",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        "messages[0].content[0].image_url.url",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": 1}}]}]},
        "messages[0].content[0].input_audio.data",
    ),
    ({"messages": [{"role": "user", "content": "x", "name": 5}]}, "messages[0].name"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
    ({"messages": [{"role": "assistant", "tool_calls": [1]}]}, "messages[0].tool_calls[0]"),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": "{}"}}]}]},
        "messages[0].tool_calls[0].function.name",
    ),
    (
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]},
        "messages[0].tool_calls[0].function.arguments",
    ),
    ({"messages": [*GOOD_BODIES[CHAT]["messages"], {"role": "x"}]}, "messages[1].role"),
    ({"messages": [GOOD_BODIES[CHAT]["messages"][0]] * 50_001}, "messages"),
    ({"tools": [None]}, "tools[0]"),
    ({"tools": [{}]}, "tools[0].type"),
    ({"tools": [{"type": 1}]}, "tools[0].type"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
    ({"tools": [{"type": "function", "function": {"name": "f" * 257}}]}, "tools[0].function.name"),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
        "tools[0].function.parameters",
    ),
    ({"tools": [{"type": "function", "function": {"name": "f", "strict": 1}}]}, "tools[0].function.strict"),
    ({"tools": [TOOL, {"type": "function", "function": "f"}]}, "tools[1].function"),
    ({"tools": [TOOL] * 1_025}, "tools"),
    ({"tool_choice": "sometimes"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": 1}}, "tool_choice.type"),
    ({"response_format": {"type": "xml"}}, "response_format.type"),
    ({"response_format": {"type": "json_schema", "json_schema": []}}, "response_format.json_schema"),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": 1}}},
        "response_format.json_schema.name",
    ),
    ({"stop": [1]}, "stop[0]"),
    ({"stop": ["x"] * 65}, "stop"),
    ({"stream": "true"}, "stream"),
    ({"stream": 1}, "stream"),
    ({"stream_options": {"include_usage": True}}, "stream_options"),
    ({"stream": True, "stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
    ({"logit_bias": {"50256": "x"}}, "logit_bias.50256"),
    ({"logit_bias": {"50256": 101}}, "logit_bias.50256"),
    ({"logit_bias": {str(number): 0 for number in range(1025)}}, "logit_bias"),
    ({"metadata": {"a": 1}}, "metadata.a"),
    ({"metadata": {str(number): "x" for number in range(65)}}, "metadata"),
    ({"modalities": [1]}, "modalities[0]"),
    ({"modalities": ["text"] * 65}, "modalities"),
    ({"user": "u" * 513}, "user"),
    ({"safety_identifier": "s" * 129}, "safety_identifier"),
    ({"service_tier": "s" * 21}, "service_tier"),
    ({"project_id": "p" * 65}, "project_id"),
    ({"project_id": "two words"}, "project_id"),
    ({"project_id": "../.."}, "project_id"),
    ({"messages": [{"role": "user", "content": "x" * 4_000_000}]}, "messages"),
]
EMBEDDINGS_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"model": "auto"}, "model"),
    ({"model": "demo/chat"}, "model"),
    *(({"input": value}, "input") for value in (None, "", [], 5, {})),
    *(({"input": value}, "input[0]") for value in ([0.5], [True], [-1], [[]], [None], [{}])),
    *(({"input": value}, "input[0][0]") for value in ([[-1]], [["one"]], [[1.5]])),
    ({"input": [1, "two"]}, "input[1]"),
    ({"input": ["one", None]}, "input[1]"),
    ({"input": ["one", {"text": "two"}]}, "input[1]"),
    ({"input": [[1, "two"]]}, "input[0][1]"),
    ({"input": ["one"] * 2049}, "input"),
    *(({"dimensions": value}, "dimensions") for value in (0, -1, 1.5, 65_537, 2**70)),
    ({"encoding_format": "hex"}, "encoding_format"),
    ({"user": "u" * 513}, "user"),
]
KEY_VALUES: list[tuple[dict[str, Any], str]] = [
    *(({"name": value}, "name") for value in (None, "", "   ", "n" * 101, "a\x00b")),
    *(
        ({name: value}, name)
        for name in ("requests_per_minute", "concurrency")
        for value in (0, -1, 1.5, 2**31, 2**70, "many")
    ),
    *(({"model_patterns": value}, "model_patterns") for value in (None, ["x"] * 1000)),
    ({"model_patterns": [""]}, "model_patterns.0"),
    ({"model_patterns": ["p" * 201]}, "model_patterns.0"),
    ({"model_patterns": [1, {}]}, "model_patterns.1"),
    *(
        ({"expires_at": value}, "expires_at")
        for value in ("soon", "2001-01-01", "2026-13-01T00:00:00Z", "9" * 99)
    ),
    ({"lane": "scenic"}, "lane"),
    ({"scope": "everything"}, "scope"),
    ({"team": "other"}, "team"),
    ({"colour": "red"}, "colour"),
    ({"": 1}, ""),
]


BAD_AUTHORIZATIONS = (
    "",
    "Bearer",
    "Bearer -",
    "Basic dXNlcjpwYXNz",
    "sk-gw-aaaaaaaaaaaa-" + "b" * 43,
    "Bearer sk-gw-aaaaaaaaaaaa-" + "b" * 43,
    "Bearer sk-gw-" + "é" * 40,
    "Bearer " + "x" * 60_000,
    "Bearer a b c",
    "Token abc",
)

ODD_IDS = (
    "nobody/nothing",
    "demo/",
    "demo/chat/",
    "Demo/Chat",
    "demo/chat\x00",
    "\x00",
    "demo chat",
    " demo/chat",
    "../../etc/passwd",
    "' OR 1=1 --",
    "%",
    "%2e%2e",
    "<script>alert(1)</script>",
    "模型",
    "\U0001f916",
    "x" * 200,
    "x/" * 100,
    "*",
    "demo/*",
    "auto/",
    "__class__",
)

LIST_QUERIES: list[tuple[str, str]] = [
    *(
        (f"limit={value}", "limit")
        for value in (
            "0",
            "251",
            "-1",
            "",
            "ten",
            "1.5",
            "1e2",
            "+5",
            " 5",
            "٣",
            "0x10",
            "9" * 5000,
            "5%00",
            "%ff",
        )
    ),
    *((f"offset={value}", "offset") for value in ("-1", "5001", "", "two", "1.5", "9" * 5000, "%00", "٣")),
    *(
        (f"organisation={value}", "organisation")
        for value in ("nobody", "", "%00", "OpenAI", "a" * 5000, "%ff")
    ),
    *((f"format={value}", "format") for value in ("xml", "", "JSON", "%00")),
    *((f"feed={value}", "feed") for value in ("xml", "")),
    *((f"privacy_scope={value}", "privacy_scope") for value in ("mine", "", "%00")),
    *((f"privacy={value}", "privacy") for value in ("mine", "")),
    *((f"availability={value}", "availability") for value in ("some", "")),
    ("limit=5&limit=6", "limit"),
    ("offset=5&offset=6", "offset"),
    ("format=json&format=json", "format"),
    ("organization=openai", "organization"),
    ("Limit=5", "Limit"),
    ("limit%00=5", "limit\x00"),
    ("nonsense", "nonsense"),
    ("a%5B%5D=1", "a"),
    ("%F0%9F%A4%96=1", "\U0001f916"),
]
KEY_QUERIES: list[tuple[str, str]] = [
    *(
        (f"{name}={value}", name)
        for name in ("limit", "offset")
        for value in ("-1", "", "ten", "1.5", "9" * 5000, "%00", "1000001")
    ),
    *((f"team={value}", "team") for value in ("other", "no slug", "", "%00")),
    ("colour=red", "colour"),
]

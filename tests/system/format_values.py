"""The same tables for surfaces of generated text beside OpenAI's chat: each names what is wrong in its own way."""

from typing import Any

COMPLETIONS, RESPONSES = "/v1/completions", "/v1/responses"
MESSAGES, COUNT_TOKENS = "/v1/messages", "/v1/messages/count_tokens"
GENERATE = "/v1beta/models/demo/chat:generateContent"

SAY: dict[str, Any] = {"role": "user", "content": "hello"}
ASK: dict[str, Any] = {"role": "user", "parts": [{"text": "hello"}]}
GOOD_FORMAT_BODIES: dict[str, dict[str, Any]] = {
    COMPLETIONS: {"model": "demo/chat", "prompt": "hello"},
    RESPONSES: {"model": "demo/chat", "input": "hello"},
    MESSAGES: {"model": "demo/chat", "messages": [SAY], "max_tokens": 50},
    COUNT_TOKENS: {"model": "demo/chat", "messages": [SAY]},
    GENERATE: {"contents": [ASK]},
}

TEXT, NUMBER, BOOLEAN, LISTED, OBJECT = {"text"}, {"number"}, {"boolean"}, {"list"}, {"object"}
NONE: set[str] = set()
_SPOKEN = {
    "model": TEXT,
    "messages": LISTED,
    "system": TEXT | LISTED,
    "stop_sequences": LISTED,
    "temperature": NUMBER,
    "top_p": NUMBER,
    "top_k": NONE,
    "metadata": OBJECT,
    "output_config": OBJECT,
    "thinking": OBJECT,
    "tools": LISTED,
    "tool_choice": OBJECT,
    "service_tier": NONE,
}
FORMAT_TYPES: dict[str, dict[str, set[str]]] = {
    COMPLETIONS: {
        "model": TEXT,
        "prompt": TEXT,
        "best_of": NONE,
        "echo": NONE,
        "frequency_penalty": NUMBER,
        "logit_bias": OBJECT,
        "logprobs": NONE,
        "max_tokens": NONE,
        "n": NONE,
        "presence_penalty": NUMBER,
        "project_id": NONE,
        "seed": {"huge"},
        "stop": TEXT | LISTED,
        "stream": BOOLEAN,
        "stream_options": NONE,
        "suffix": NONE,
        "temperature": NUMBER,
        "tools": NONE,
        "top_p": NUMBER,
        "user": TEXT,
    },
    RESPONSES: {
        "model": TEXT,
        "input": TEXT | LISTED,
        "background": NONE,
        "conversation": NONE,
        "include": LISTED,
        "instructions": TEXT,
        "max_output_tokens": NONE,
        "max_tool_calls": NONE,
        "metadata": OBJECT,
        "parallel_tool_calls": BOOLEAN,
        "previous_response_id": NONE,
        "project_id": NONE,
        "prompt_cache_key": TEXT,
        "reasoning": OBJECT,
        "safety_identifier": TEXT,
        "service_tier": TEXT,
        "store": BOOLEAN,
        "stream": BOOLEAN,
        "stream_options": NONE,
        "temperature": NUMBER,
        "text": OBJECT,
        "tool_choice": OBJECT,
        "tools": LISTED,
        "top_logprobs": NONE,
        "top_p": NUMBER,
        "truncation": NONE,
        "user": TEXT,
    },
    MESSAGES: _SPOKEN | {"max_tokens": NONE, "project_id": NONE, "stream": BOOLEAN},
    COUNT_TOKENS: _SPOKEN,
    GENERATE: {
        "contents": LISTED | OBJECT,
        "generationConfig": OBJECT,
        "labels": OBJECT,
        "project_id": NONE,
        "serviceTier": TEXT,
        "systemInstruction": OBJECT,
        "toolConfig": OBJECT,
        "tools": LISTED | OBJECT,
    },
}

Case = tuple[dict[str, Any], str]
"""The parameters, and which of them is to blame."""


def _each(name: str, *values: Any) -> list[Case]:
    return [({name: value}, name) for value in values]


def _inside(place: str, path: str, *values: Any) -> list[Case]:
    """Single items of a list."""
    return [({place: [value]}, f"{place}[0]{path}") for value in values]


_NUMBERS = [
    *_each("temperature", -0.1, 2.1, 1e300),
    *_each("top_p", -0.01, 1.01),
]
_RESPONSES_ITEMS = [
    *_inside("input", "", None, "hello", 5, []),
    *_inside("input", ".type", {}, {"type": 5}, {"content": "hello"}),
    *_inside("input", ".role", {"type": "message"}, {"role": "robot", "content": "x"}),
    *_inside("input", ".content", {"role": "user", "content": 5}, {"role": "user", "content": {}}),
    *_inside("input", ".content[0]", {"role": "user", "content": ["hello"]}),
    *_inside("input", ".content[0].type", {"role": "user", "content": [{}]}),
    *_inside("input", ".content[0].type", {"role": "user", "content": [{"type": "nonsense"}]}),
    *_inside("input", ".content[0].text", {"role": "user", "content": [{"type": "input_text", "text": 1}]}),
    *_inside("input", ".content[0].image_url", {"role": "user", "content": [{"type": "input_image"}]}),
    *_inside("input", ".call_id", {"type": "function_call", "name": "f"}),
    *_inside("input", ".name", {"type": "function_call", "call_id": "c"}),
    *_inside("input", ".call_id", {"type": "function_call_output", "call_id": "c", "output": "x"}),
]
_RESPONSES_TOOLS = [
    *_inside("tools", "", None, "f", 5),
    *_inside("tools", ".type", {}, {"type": 1}),
    *_inside("tools", ".name", {"type": "function"}, {"type": "function", "name": 1}),
    *_inside("tools", ".parameters", {"type": "function", "name": "f", "parameters": []}),
    *_inside("tools", ".strict", {"type": "function", "name": "f", "strict": 1}),
    ({"tool_choice": "sometimes"}, "tool_choice"),
    ({"tool_choice": {}}, "tool_choice.type"),
    ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
    *_inside("include", "", 1, None),
]
_SPOKEN_CASES = [
    *_each("model", "", "m" * 201, None),
    *_each("temperature", -0.1, 1.1, 1e300),
    *_each("top_p", -0.01, 1.01),
    *_each("top_k", -1, 1.5),
    ({"messages": []}, "messages"),
    ({"messages": None}, "messages"),
    *_inside("messages", "", None, "hello", []),
    *_inside("messages", ".role", {}, {"content": "x"}, {"role": "robot", "content": "x"}, {"role": 5}),
    *_inside("messages", ".content", {"role": "user", "content": 5}, {"role": "user", "content": {}}),
    *_inside("messages", ".content[0]", {"role": "user", "content": ["hello"]}),
    *_inside("messages", ".content[0].type", {"role": "user", "content": [{}]}),
    *_inside("messages", ".content[0].text", {"role": "user", "content": [{"type": "text", "text": 1}]}),
    *_inside("messages", ".content[0].text", {"role": "user", "content": [{"type": "text"}]}),
    *_inside("messages", ".content[0].source", {"role": "user", "content": [{"type": "image"}]}),
    *_inside(
        "messages", ".content[0].source.type", {"role": "user", "content": [{"type": "image", "source": {}}]}
    ),
    *_inside(
        "messages",
        ".content",
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]},
    ),
    *_inside("stop_sequences", "", 1, None),
    *_inside("tools", "", None, "f"),
    *_inside("tools", ".name", {}, {"name": 1}),
    *_inside("tools", ".input_schema", {"name": "f", "input_schema": []}),
    ({"tool_choice": {}}, "tool_choice.type"),
    ({"tool_choice": {"type": "sometimes"}}, "tool_choice.type"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"thinking": {}}, "thinking.type"),
    ({"thinking": {"type": "sometimes"}}, "thinking.type"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": "many"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": -5}}, "thinking.budget_tokens"),
    ({"output_config": {"effort": "enormous"}}, "output_config.effort"),
    ({"output_config": {"format": {}}}, "output_config.format.type"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ({"metadata": {"user_id": 5}}, "metadata.user_id"),
]
# Anthropic might know it; a provider of another format does not.
_SPOKEN_ELSEWHERE = [
    *_inside("messages", ".content[0].type", {"role": "user", "content": [{"type": "nonsense"}]}),
    *_inside("messages", ".colour", SAY | {"colour": "red"}),
    *_inside("tools", ".colour", {"name": "f", "input_schema": {}, "colour": "red"}),
    *_inside("tools", ".type", {"type": "web_search_20250305", "name": "web_search"}),
    ({"system": [{"type": "image"}]}, "system[0].type"),
    ({"colour": "red"}, "colour"),
]
_GEMINI_CONFIG: list[tuple[str, tuple[Any, ...]]] = [
    ("temperature", (-0.1, 2.1, 1e300, "warm", True)),
    ("topP", (-0.01, 1.01, "most", [])),
    ("top_p", (1.01,)),
    ("topK", (0, -1, 1.5, "few")),
    ("maxOutputTokens", (0, -1, 1.5, 2**60, "many", True)),
    ("max_output_tokens", (-1,)),
    ("candidateCount", (0, -1, 2.5, "two")),
    ("frequencyPenalty", (-2.1, 2.1, "much")),
    ("presencePenalty", (-2.1, 2.1)),
    ("seed", (2**63, 1.5, "x")),
    ("stopSequences", (5, [1], {})),
    ("responseLogprobs", (1, "yes")),
    ("logprobs", (-1, 21, 1.5)),
    ("responseMimeType", (5, [])),
    ("responseSchema", (5, [])),
    ("responseJsonSchema", (5, [])),
    ("thinkingConfig", (5, [])),
]
_GEMINI_CASES = [
    *(
        ({"generationConfig": {name: v}}, f"generationConfig.{name}")
        for name, vs in _GEMINI_CONFIG
        for v in vs
    ),
    ({"generation_config": {"topP": 1.01}}, "generation_config.topP"),
    *(
        ({"generationConfig": {"thinkingConfig": {name: value}}}, f"generationConfig.thinkingConfig.{name}")
        for name, value in (("thinkingBudget", "much"), ("thinkingBudget", -2), ("thinkingLevel", "HUGE"))
    ),
    ({"contents": []}, "contents"),
    ({"contents": None}, "contents"),
    *_inside("contents", "", None, "hello", 5),
    *_inside("contents", ".parts", {}, {"role": "user", "parts": []}, {"parts": 5}, {"parts": "hello"}),
    *_inside("contents", ".role", {"role": "robot", "parts": [{"text": "x"}]}, {"role": 5, "parts": []}),
    *_inside("contents", ".parts[0]", {"parts": [None]}, {"parts": ["x"]}, {"parts": [{}]}),
    *_inside("contents", ".parts[0]", {"parts": [{"text": "x", "inlineData": {}}]}),
    *_inside("contents", ".parts[0].text", {"parts": [{"text": 5}]}, {"parts": [{"text": ["x"]}]}),
    *_inside("contents", ".parts[0].inlineData.mimeType", {"parts": [{"inlineData": {"data": "eA=="}}]}),
    *_inside("contents", ".parts[0].functionCall.name", {"parts": [{"functionCall": {}}]}),
    *_inside("contents", ".parts[0].functionResponse.name", {"parts": [{"functionResponse": {}}]}),
    ({"systemInstruction": {"parts": [{"text": 5}]}}, "systemInstruction.parts[0].text"),
    *_inside("tools", "", None, "f"),
    *_inside("tools", ".functionDeclarations", {"functionDeclarations": 5}),
    *_inside("tools", ".functionDeclarations[0].name", {"functionDeclarations": [{}]}),
    *_inside("tools", ".functionDeclarations[0].name", {"functionDeclarations": [{"name": 5}]}),
    (
        {"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}},
        "toolConfig.functionCallingConfig.mode",
    ),
    ({"labels": {"a": 1}}, "labels"),
    ({"project_id": "two words"}, "project_id"),
]
FORMAT_VALUES: dict[str, list[Case]] = {
    COMPLETIONS: [
        *_NUMBERS,
        *_each("model", "", "m" * 201, None),
        *_each("prompt", None, "", [], ["one", "two"], [1, 2]),
        *_each("max_tokens", -1, 1.5, 2**60),
        *_each("n", 0, 2),
        *_each("best_of", 0, 2),
        *_each("logprobs", 0, 5),
        *_each("frequency_penalty", -2.1, 2.1),
        *_each("presence_penalty", -2.1, 2.1),
        *_each("project_id", "two words", "p" * 65),
        *_each("user", "u" * 513),
        ({"messages": [SAY]}, "messages"),
        ({"stop": [1]}, "stop[0]"),
        ({"logit_bias": {"50256": 101}}, "logit_bias.50256"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
    ],
    RESPONSES: [
        *_NUMBERS,
        *_RESPONSES_ITEMS,
        *_RESPONSES_TOOLS,
        *_each("model", "", "m" * 201, None),
        *_each("input", None, "", []),
        *_each("max_output_tokens", 0, -1, 1.5, 2**60),
        *_each("top_logprobs", -1, 21, 1.5),
        *_each("project_id", "two words", "p" * 65),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"text": {"format": {}}}, "text.format.type"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.name"),
        ({"text": {"verbosity": "endless"}}, "text.verbosity"),
        ({"text": {"colour": "red"}}, "text.colour"),
        ({"reasoning": {"effort": "enormous"}}, "reasoning.effort"),
        ({"reasoning": {"summary": 5}}, "reasoning.summary"),
        ({"reasoning": {"colour": "red"}}, "reasoning.colour"),
        ({"colour": "red"}, "colour"),
    ],
    MESSAGES: [
        *_SPOKEN_CASES,
        *_SPOKEN_ELSEWHERE,
        *_each("max_tokens", None, -1, 1.5, 2**60),
        *_each("project_id", "two words", "p" * 65),
    ],
    COUNT_TOKENS: _SPOKEN_CASES,
    GENERATE: _GEMINI_CASES,
}

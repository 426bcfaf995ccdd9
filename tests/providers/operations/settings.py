"""Makes random requests that say settings and tools beside one word, always the same for a seed, and offerings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from providers.formats.answer_tool import ANSWER_TOOL
from providers.operations.registry import KNOWN_QUIRKS
from providers.wire.upstream import Upstream

NAMES = ("f", "g", "a.b", "ü", "x" * 70, "web_search", ANSWER_TOOL)
SCHEMAS = (
    {"type": "object"},
    {"type": "object", "properties": {"city": {"type": "string"}}},
    {"type": "object", "properties": {"a b": {}}, "additionalProperties": True},
    {"anyOf": [{"type": "object"}]},
    {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
)
_WORDS = frozenset({"messages", "input", "contents"})
SAID = {"role": "user", "content": "hi"}
STOPS = (["END"], ["\n"], [" "], ["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e", "f"], [])
TEMPERATURES = (0, 0.0, 0.5, 1, 1.0, 1.5, 2)
TOP_PS = (0.1, 0.95, 1, 1.0)
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
BUDGETS = (1_024, 2_000, 40_000)
LIMITS = (1, 1_024, 1_025, 9_000)
MODELS = (
    "m",
    "claude-3-opus",
    "claude-opus-4-5",
    "claude-opus-4-8",
    "gemini-2.5",
    "gemini-3-pro",
    "gpt-5",
    "gpt-5.2",
)
PARAMS = (
    *("temperature", "top_p", "top_k", "seed", "stop", "logit_bias", "reasoning", "reasoning_effort"),
    *("thinking_budget", "verbosity", "user", "safety_identifier", "metadata", "max_tokens", "tools"),
)


class Maker:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def body(self, client: str) -> dict[str, Any]:
        """A request of one word in the words of that client."""
        make = {"openai": self._chat, "responses": self._responses, "anthropic": self._messages}
        return make.get(client, self._gemini)()

    def like(self, body: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        """The body with one or two members of another one's, or without them."""
        names = sorted((body.keys() | other.keys()) - _WORDS)
        changed = self._random.sample(names, min(len(names), self._random.randrange(1, 3)))
        kept = {name: value for name, value in body.items() if name not in changed}
        return kept | {name: other[name] for name in changed if name in other}

    def upstream(self) -> Upstream:
        return Upstream(
            self._random.choice(MODELS),
            is_streamed=self._happens(),
            params=self._params(),
            max_output_tokens=self._random.choice((None, *LIMITS)),
            quirks=self._quirks(),
            searches=self._happens(0.3),
        )

    def like_upstream(self, upstream: Upstream) -> Upstream:
        changes: list[dict[str, Any]] = [
            {"name": self._random.choice(MODELS)},
            {"is_streamed": not upstream.is_streamed},
            {"params": self._params()},
            {"max_output_tokens": self._random.choice((None, *LIMITS))},
            {"quirks": self._quirks()},
            {"searches": not upstream.searches},
        ]
        return replace(upstream, **self._random.choice(changes))

    def _params(self) -> frozenset[str]:
        return frozenset(self._some(PARAMS, 5))

    def _quirks(self) -> frozenset[str]:
        return frozenset(self._some(sorted(KNOWN_QUIRKS), 2))

    def _chat(self) -> dict[str, Any]:
        said = self._fields(
            max_tokens=LIMITS,
            max_completion_tokens=LIMITS,
            temperature=TEMPERATURES,
            top_p=TOP_PS,
            top_k=(1, 40),
            seed=(0, 7),
            stop=STOPS,
            frequency_penalty=(0, 0.5),
            presence_penalty=(0, 0.5),
            logit_bias=({"7": 1}, {"7": 2}, {}),
            logprobs=(True, False),
            top_logprobs=(0, 3),
            reasoning_effort=EFFORTS,
            reasoning=({"effort": "high"}, {"max_tokens": 2_000}, {"exclude": True}),
            verbosity=("low", "medium"),
            service_tier=("auto", "default", "flex", "priority", "fast", "made_up"),
            user=("ann", "bob"),
            metadata=({"a": "b"},),
            response_format=({"type": "json_object"}, {"type": "text"}),
            n=(1, 2),
            parallel_tool_calls=(True, False),
        )
        tools = [{"type": "function", "function": self._function("parameters")} for _ in range(self._count())]
        named = self._choice(tools, lambda name: {"type": "function", "function": {"name": name}})
        return {"messages": [SAID], **said, **named}

    def _responses(self) -> dict[str, Any]:
        said = self._fields(
            max_output_tokens=LIMITS,
            temperature=TEMPERATURES,
            top_p=TOP_PS,
            top_logprobs=(0, 3),
            reasoning=(*({"effort": effort} for effort in EFFORTS), {"summary": "auto"}),
            text=({"verbosity": "low"}, {"verbosity": "medium"}, {"format": {"type": "json_object"}}),
            service_tier=("auto", "default", "flex", "priority", "made_up"),
            safety_identifier=("ann", "bob"),
            parallel_tool_calls=(True, False),
        )
        tools = [{"type": "function", **self._function("parameters")} for _ in range(self._count())]
        if self._happens(0.1):
            tools.append({"type": "web_search"})
        named = self._choice(tools, lambda name: {"type": "function", "name": name})
        return {"input": [SAID], **said, **named}

    def _messages(self) -> dict[str, Any]:
        said = self._fields(
            temperature=TEMPERATURES[:5],
            top_p=TOP_PS,
            top_k=(1, 40),
            stop_sequences=STOPS,
            thinking=(
                *({"type": "enabled", "budget_tokens": tokens} for tokens in BUDGETS),
                *({"type": "adaptive"}, {"type": "disabled"}),
            ),
            output_config=({"effort": "low"}, {"effort": "max"}),
            service_tier=("auto", "standard_only"),
            metadata=({"user_id": "ann"}, {"user_id": "bob"}),
        )
        tools = [self._function("input_schema") for _ in range(self._count())]
        choices = [{"type": kind} for kind in ("auto", "any", "none")]
        choices += [{"type": "tool", "name": name} for name in NAMES[:3]]
        choice = {"tool_choice": self._random.choice(choices)} if self._happens(0.4) else {}
        return {
            "messages": [SAID],
            "max_tokens": self._random.choice(LIMITS),
            **said,
            **self._listed(tools),
            **choice,
        }

    def _gemini(self) -> dict[str, Any]:
        config = self._fields(
            maxOutputTokens=LIMITS,
            temperature=TEMPERATURES,
            topP=TOP_PS,
            topK=(1, 40),
            seed=(0, 7),
            stopSequences=STOPS,
            frequencyPenalty=(0, 0.5),
            responseLogprobs=(True, False),
            thinkingConfig=(
                *({"thinkingBudget": tokens} for tokens in (-1, 0, *BUDGETS)),
                *({"thinkingLevel": "HIGH"}, {"includeThoughts": True}),
            ),
            responseMimeType=("application/json", "text/plain"),
        )
        said = self._fields(serviceTier=("standard", "flex", "priority"), labels=({"a": "b"},))
        functions = [self._function("parametersJsonSchema") for _ in range(self._count())]
        tools = {"tools": [{"functionDeclarations": functions}]} if functions else {}
        calling = self._fields(
            mode=("AUTO", "ANY", "NONE", "VALIDATED"), allowedFunctionNames=(["f"], ["f", "g"], ["a.b"])
        )
        choice = {"toolConfig": {"functionCallingConfig": calling}} if calling else {}
        contents = [{"role": "user", "parts": [{"text": "hi"}]}]
        return {"contents": contents, "generationConfig": config, **said, **tools, **choice}

    def _function(self, schema: str) -> dict[str, Any]:
        told = {schema: self._random.choice(SCHEMAS)} | self._fields(description=("says it", ""))
        return {"name": self._random.choice(NAMES), **told}

    def _choice(self, tools: Sequence[Mapping[str, Any]], named: Any) -> dict[str, Any]:
        words: list[Any] = ["auto", "none", "required", *map(named, NAMES[:3])]
        choice = {"tool_choice": self._random.choice(words)} if self._happens(0.4) else {}
        return self._listed(tools) | choice

    def _listed(self, tools: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {"tools": tools} if tools else {}

    def _fields(self, **values: Sequence[Any]) -> dict[str, Any]:
        """A few of them, so that two requests are often alike."""
        return {name: self._random.choice(each) for name, each in values.items() if self._happens(0.12)}

    def _some(self, values: Sequence[str], most: int) -> list[str]:
        return self._random.sample(values, self._random.randrange(most + 1)) if self._happens() else []

    def _count(self) -> int:
        return self._random.choice((0, 0, 1, 1, 2))

    def _happens(self, share: float = 0.5) -> bool:
        return self._random.random() < share

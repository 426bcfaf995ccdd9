"""What each client format calls the fields of a Conversation, to name a parameter in its client's own words."""

import re
from collections.abc import Mapping
from functools import cache

_CHAT: Mapping[str, str] = {
    "messages": "messages",
    "name": "messages.name",
    "tool_arguments": "messages.tool_calls.function.arguments",
    "tool_result": "messages.tool_call_id",
    "file": "messages.content.file",
    "image_detail": "messages.content.image_url.detail",
    "tool_name": "tools.function.name",
    "tool_strict": "tools.function.strict",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "stop": "stop",
    "top_k": "top_k",
    "logit_bias": "logit_bias",
    "output": "response_format",
    "effort": "reasoning_effort",
    "budget_tokens": "reasoning.max_tokens",
    "verbosity": "verbosity",
    "service_tier": "service_tier",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
    "logprobs": "logprobs",
    "audio": "messages.content.input_audio",
    "metadata": "metadata",
    "user": "user",
    "is_error": "messages.content",
    "reasoning": "messages.reasoning_content",
    "cache": "messages.content.prompt_cache_breakpoint",
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_completion_tokens",
}
_RESPONSES = {
    **_CHAT,
    "messages": "input",
    "name": "input.name",
    "tool_arguments": "input.arguments",
    "tool_result": "input.call_id",
    "file": "input.content.input_file",
    "image_detail": "input.content.detail",
    "tool_name": "tools.name",
    "tool_strict": "tools.strict",
    "output": "text.format",
    "effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "logprobs": "top_logprobs",
    "is_error": "input.output",
    "reasoning": "input.summary",
    "cache": "input.content.prompt_cache_breakpoint",
    "max_output_tokens": "max_output_tokens",
}
_MESSAGES = {
    **_CHAT,
    "tool_arguments": "messages.content.input",
    "tool_result": "messages.content.tool_use_id",
    "file": "messages.content.source",
    "tool_name": "tools.name",
    "tool_strict": "tools.strict",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
    "output": "output_config.format",
    "effort": "output_config.effort",
    "budget_tokens": "thinking.budget_tokens",
    "is_error": "messages.content.is_error",
    "reasoning": "messages.content.thinking",
    "cache": "messages.content.cache_control",
    "max_output_tokens": "max_tokens",
}
_GENERATE_CONTENT = {
    **_CHAT,
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
}
_BY_SOURCE = {
    "responses": _RESPONSES,
    "anthropic": _MESSAGES,
    "gemini": _GENERATE_CONTENT,
    "completions": {**_CHAT, "messages": "prompt", "max_output_tokens": "max_tokens"},
}
# Other names under which providers complain of the same.
_ALSO: Mapping[str, Mapping[str, str]] = {
    "openai": {"max_tokens": "max_output_tokens"},
    "responses": {"instructions": "messages"},
    "anthropic": {"system": "messages"},
    "gemini": {"systemInstruction": "messages"},
}
_INDEX = re.compile(r"\[[^\]]*\]|\.\d+(?=\.|$)")
_SNAKE = re.compile(r"_([a-z])")


def client_field(source: str, field: str) -> str:
    """`field` as clients of the wire format `source` write it; as OpenAI's chat does where the source is not known."""
    return _BY_SOURCE.get(source, _CHAT)[field]


def to_client_field(param: str, provider: str, client: str) -> str:
    """What a provider complains of, as clients of another format write it: the part of the request, if not the place.

    A name that only the provider knows stays as it is.
    """
    names = _INDEX.sub("", param)
    if provider == "gemini":
        # Google writes it in snake case, whatever the request did.
        names = _SNAKE.sub(lambda found: found.group(1).upper(), names)
    parts = names.split(".")
    known = _fields(provider)
    prefixes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    field = next((known[prefix] for prefix in prefixes if prefix in known), None)
    return param if field is None else client_field(client, field)


@cache
def _fields(source: str) -> Mapping[str, str]:
    """By the format's own name for it. Inside a message, a place may be many things: that is the messages."""
    names = _BY_SOURCE.get(source, _CHAT)
    inside = names["messages"] + "."
    named = {name: field for field, name in names.items() if not name.startswith(inside)}
    return {**named, **_ALSO.get(source, {})}

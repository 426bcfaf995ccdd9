"""All wire formats for generated text, by the name that providers' rows and surfaces use."""

from collections.abc import Mapping

from providers.formats.anthropic.format import AnthropicFormat
from providers.formats.base import Format
from providers.formats.completions import CompletionsFormat
from providers.formats.gemini.format import GeminiFormat
from providers.formats.openai.format import OpenAIFormat
from providers.formats.responses.format import ResponsesFormat

ANTHROPIC = AnthropicFormat()
RESPONSES = ResponsesFormat()
GEMINI = GeminiFormat()
FORMATS: Mapping[str, Format] = {each.name: each for each in (OpenAIFormat(), RESPONSES, ANTHROPIC, GEMINI)}
"""What providers speak."""
CLIENT_FORMATS: Mapping[str, Format] = {**FORMATS, CompletionsFormat.name: CompletionsFormat()}
"""What clients speak."""

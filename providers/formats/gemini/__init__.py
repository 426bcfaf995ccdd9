"""Google Gemini's generateContent, as clients speak it to us and as we speak it to Google."""

from providers.formats.gemini.format import GeminiFormat

GEMINI = GeminiFormat()

__all__ = ["GEMINI", "GeminiFormat"]

"""Google Gemini's generateContent, as clients speak it to us and as we speak it to Google."""

from providers.formats.base import Format
from providers.formats.gemini.form import GeminiFormat

GEMINI: Format = GeminiFormat()

__all__ = ["GEMINI", "GeminiFormat"]

"""One class for each wire format; a vendor is a row, not a class."""

from providers.adapters.base import Adapter
from providers.adapters.openai import OpenAIAdapter

ADAPTERS: dict[str, Adapter] = {"openai": OpenAIAdapter()}
"""By the wire format that a provider's row names."""

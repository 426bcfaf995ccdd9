"""One inference call in the canonical form, whatever surface it came through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class InferenceCall:
    """`body` is OpenAI's request for `endpoint`, with every unknown field kept.

    `endpoint` is of the published vocabulary: `chat.completions` or `embeddings`.
    """

    endpoint: str
    body: Mapping[str, Any]
    is_streamed: bool = False
    wants_usage: bool = False
    """The client asked for a usage chunk in its stream; else it is asked for all the same, and hidden."""

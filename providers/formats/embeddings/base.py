"""What every wire format of embeddings can do. Pure.

client ── read_request ──▶ EmbeddingRequest ── write_request ──▶ provider
client ◀── write_answer ── EmbeddingAnswer ◀── read_answer ── provider
"""

from collections.abc import Mapping
from typing import Any, Protocol

from providers.formats.base import WrittenRequest
from providers.wire.access import Access
from providers.wire.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream


class EmbeddingFormat(Protocol):
    """One wire format, as providers speak it."""

    name: str
    access: Access

    def write_request(self, request: EmbeddingRequest, upstream: Upstream) -> WrittenRequest:
        """Raises TranslationError."""

    def read_answer(self, value: Any) -> EmbeddingAnswer:
        """Of a whole 2xx body. Raises UpstreamFailure where it is none or reports an error."""

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        """Classify an answer that is not 2xx. `headers` have lower-case names."""

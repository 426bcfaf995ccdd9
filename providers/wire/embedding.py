"""A request for embeddings and its answer, in one form for every wire format. Pure values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from providers.wire.usage import Usage

Input = str | Sequence[int]
"""A text, or a text's token numbers."""
Vector = list[float] | str
"""Numbers, or base64 of the same as little-endian 32-bit floats."""


class Encoding(StrEnum):
    FLOAT = "float"
    BASE64 = "base64"


class EmbeddingKind(StrEnum):
    """What the vectors are for. Models that know kinds put other words before each text."""

    QUERY = "query"
    DOCUMENT = "document"
    CLASSIFICATION = "classification"
    CLUSTERING = "clustering"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """All but the model. None: nothing was said.

    `may_truncate` allows the provider to cut a text that is too long; unsaid, such a text is an error, as at OpenAI.
    `extra` holds fields without a place here, by the client's names. `sent` is the client's own body, for a provider
    that speaks as the client does.
    """

    inputs: tuple[Input, ...]
    dimensions: int | None = None
    encoding: Encoding = Encoding.FLOAT
    kind: EmbeddingKind | None = None
    may_truncate: bool | None = None
    user_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class EmbeddingAnswer:
    """One vector for each input, in the inputs' order. `usage` is None where the provider reported none."""

    vectors: tuple[Vector, ...] = field(repr=False)
    usage: Usage | None = None

"""OpenAI's embeddings as clients speak them to us.

Source: types of the `openai` package 3.54. `input_type` and `truncation` are not OpenAI's: clients that know them send
them beside its fields, in the words of Voyage, Cohere or Google.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import AnswerFacts, BadRequest
from providers.formats.embeddings.vectors import encode
from providers.formats.fields import Fields
from providers.formats.openai.usage import write_embeddings_usage
from providers.wire.embedding import EmbeddingAnswer, EmbeddingKind, EmbeddingRequest, Encoding, Input
from providers.wire.usage import Usage

_KINDS: Mapping[str, EmbeddingKind] = {
    **{kind.value: kind for kind in EmbeddingKind},
    "search_query": EmbeddingKind.QUERY,
    "search_document": EmbeddingKind.DOCUMENT,
    "passage": EmbeddingKind.DOCUMENT,
    "retrieval_query": EmbeddingKind.QUERY,
    "retrieval_document": EmbeddingKind.DOCUMENT,
    "semantic_similarity": EmbeddingKind.SIMILARITY,
}


def read_request(body: Mapping[str, Any]) -> EmbeddingRequest:
    """Raises BadRequest."""
    fields = Fields(body)
    fields.skip("model")
    kind = fields.any("input_type")
    known = _KINDS.get(kind.lower()) if isinstance(kind, str) else None
    # A kind that only its own provider knows is for that provider to judge.
    unknown = {} if kind is None or known else {"input_type": kind}
    return EmbeddingRequest(
        inputs=_inputs(fields.any("input")),
        dimensions=_dimensions(fields),
        encoding=_encoding(fields),
        kind=known,
        may_truncate=fields.flag("truncation"),
        user_id=fields.text("user"),
        extra=fields.rest() | unknown,
        sent=body,
    )


def write_answer(answer: EmbeddingAnswer, encoding: Encoding, facts: AnswerFacts) -> dict[str, Any]:
    """Raises UpstreamFailure for a vector that cannot be encoded so."""
    data = [
        {"object": "embedding", "index": index, "embedding": encode(vector, encoding)}
        for index, vector in enumerate(answer.vectors)
    ]
    usage = write_embeddings_usage(answer.usage or Usage())
    return {"object": "list", "data": data, "model": facts.model, "usage": usage}


def _inputs(value: Any) -> tuple[Input, ...]:
    """A list of numbers is one input."""
    if _is_input(value):
        return (value,)
    if not isinstance(value, list) or not value:
        raise BadRequest("'input' has to be a string, a list of strings, or token numbers.", param="input")
    for index, each in enumerate(value):
        if not _is_input(each):
            path = f"input[{index}]"
            raise BadRequest(f"'{path}' has to be a string or a list of token numbers.", param=path)
    return tuple(value)


def _is_input(value: Any) -> bool:
    is_tokens = isinstance(value, list) and bool(value) and set(map(type, value)) == {int}
    return is_tokens or isinstance(value, str)


def _dimensions(fields: Fields) -> int | None:
    dimensions = fields.integer("dimensions")
    if dimensions is not None and dimensions < 1:
        raise fields.wrong("dimensions", "has to be at least 1")
    return dimensions


def _encoding(fields: Fields) -> Encoding:
    named = fields.text("encoding_format")
    if named not in {None, *Encoding}:
        raise fields.wrong("encoding_format", "has to be 'float' or 'base64'")
    return Encoding(named or Encoding.FLOAT)

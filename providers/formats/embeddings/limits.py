"""What a provider's embeddings cannot do, refused by the name of the parameter."""

from collections.abc import Collection, Mapping
from typing import Any

from providers.formats.base import BadRequest, CannotTranslate
from providers.wire.embedding import EmbeddingKind, EmbeddingRequest
from providers.wire.upstream import Upstream

# They say whose request it is, and nothing about the vectors.
_HARMLESS = frozenset({"project_id", "metadata"})


def texts_only(request: EmbeddingRequest) -> list[str]:
    """Raises CannotTranslate for token numbers."""
    texts = [each for each in request.inputs if isinstance(each, str)]
    if len(texts) < len(request.inputs):
        message = (
            "The chosen provider embeds texts, not token numbers: each model has its own. Send strings in "
            "'input' (in LangChain: check_embedding_ctx_length=False)."
        )
        raise CannotTranslate(message, param="input")
    return texts


def at_most(most: int, request: EmbeddingRequest) -> None:
    """Raises BadRequest."""
    count = len(request.inputs)
    if count > most:
        message = f"The chosen provider embeds at most {most} inputs in one call, and 'input' has {count}."
        raise BadRequest(message, param="input", code="too_many_inputs")


def is_declared(upstream: Upstream, *names: str) -> bool:
    """Whether the offering takes a parameter, as clients or as its provider spell it; unknown is yes."""
    return not upstream.params or not upstream.params.isdisjoint(names)


def needs_declared(upstream: Upstream, param: str, *names: str) -> None:
    """Raises CannotTranslate."""
    if not is_declared(upstream, param, *names):
        raise CannotTranslate(f"The chosen offering does not take '{param}'.", param=param)


def write_width(request: EmbeddingRequest, upstream: Upstream, own: str) -> dict[str, Any]:
    """The number of dimensions under the provider's `own` name, which clients may know. Raises TranslationError."""
    both = {"dimensions": request.dimensions, own: request.extra.get(own)}
    widths = {name: value for name, value in both.items() if value is not None}
    if not widths:
        return {}
    if len(widths) > 1:
        raise BadRequest(f"'dimensions' and '{own}' say the same: send one of them.", param=own)
    name, width = widths.popitem()
    needs_declared(upstream, name, "dimensions", own)
    return {own: width}


def write_kind(
    request: EmbeddingRequest, upstream: Upstream, words: Mapping[EmbeddingKind, str], own: str = "input_type"
) -> dict[str, str]:
    """The kind in the provider's `words`, under its `own` name. Raises CannotTranslate."""
    if request.kind is None:
        return {}
    needs_declared(upstream, "input_type", own)
    if request.kind not in words:
        message = f"The chosen provider has no embeddings of the kind '{request.kind}'."
        raise CannotTranslate(message, param="input_type", code="invalid_value")
    return {own: words[request.kind]}


def refuse_extras(request: EmbeddingRequest, known: Collection[str] = ()) -> None:
    """Raises CannotTranslate for the first field that could change the vectors."""
    for name in request.extra:
        if name not in _HARMLESS and name not in known:
            raise CannotTranslate(f"The chosen provider has no '{name}'.", param=name)


def name_kind(request: EmbeddingRequest, written: str | None) -> list[str]:
    """For WrittenRequest.translated: the kind, where it is not in the client's own word."""
    return (
        [] if written is None or request.sent.get("input_type") == written else [f"input_type -> {written}"]
    )

"""An adapter for embeddings: OpenAI's form for the client, whatever the provider speaks."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.adapters.base import Answer, StreamReader, UpstreamRequest
from providers.facts import ProviderFacts
from providers.formats.base import AnswerFacts, SaidTools, TranslationError
from providers.formats.embeddings.base import EmbeddingFormat
from providers.formats.embeddings.client import read_request, write_answer
from providers.formats.embeddings.repair import is_complete, repair
from providers.formats.registry import OPENAI_EMBEDDINGS
from providers.wire.call import Call
from providers.wire.embedding import EmbeddingAnswer, EmbeddingRequest
from providers.wire.estimate import estimate_usage
from providers.wire.failure import FailureKind, UpstreamFailure, bad_response
from providers.wire.json_text import read_json
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing


class EmbeddingsAdapter:
    """See providers.adapters.base.Adapter. `own` is what the provider speaks."""

    def __init__(self, own: EmbeddingFormat) -> None:
        self._own = own

    def request(self, call: Call, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest:
        """Raises UpstreamFailure of the kind CALLER for what the provider's format cannot say."""
        try:
            written = self._own.write_request(_read(call), upstream)
        except TranslationError as error:
            raise UpstreamFailure(
                FailureKind.CALLER, error.message, code=error.code, status=400, param=error.param
            ) from None
        headers = {
            **self._own.access.headers(provider.secret, provider.quirks, is_streamed=False),
            **written.headers,
        }
        url = provider.base_url.rstrip("/") + written.path
        return UpstreamRequest(url, headers, orjson.dumps(written.body), translated=written.translated)

    def answer(
        self,
        call: Call,
        model: str,
        status: int,
        body: bytes,
        issuer: str = "",  # noqa: ARG002
        tools: SaidTools | None = None,  # noqa: ARG002
    ) -> Answer:
        """Bytes go on untouched where the provider's answer is whole and as the client asked for it."""
        try:
            value, shown = read_json(body)
        except ValueError:
            raise bad_response(status=status) from None
        asked, answer = _read(call), self._own.read_answer(value)
        if len(answer.vectors) != len(asked.inputs):
            raise bad_response(
                f"The provider's answer has {len(answer.vectors)} embeddings for {len(asked.inputs)} inputs.",
                status=status,
            )
        usage = answer.usage or estimate_usage(call.body, output_chars=0)
        is_relayed = (
            self._own is OPENAI_EMBEDDINGS and answer.usage is not None and is_complete(value, asked.encoding)
        )
        if not is_relayed:
            whole = EmbeddingAnswer(answer.vectors, usage)
            shown = orjson.dumps(self._write(value, whole, asked, AnswerFacts(call.id, call.created, model)))
        return Answer(shown, usage)

    def stream(
        self,
        call: Call,
        model: str,
        cost_usd: Costing | None = None,
        issuer: str = "",
        tools: SaidTools | None = None,
    ) -> StreamReader:
        raise NotImplementedError("Embeddings are not streamed.")

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return self._own.failure(status, headers, body)

    def _write(
        self, value: Any, answer: EmbeddingAnswer, asked: EmbeddingRequest, facts: AnswerFacts
    ) -> dict[str, Any]:
        if self._own is OPENAI_EMBEDDINGS:
            return repair(value, answer, asked.encoding, facts)
        return write_answer(answer, asked.encoding, facts)


def _read(call: Call) -> EmbeddingRequest:
    return call.request if isinstance(call.request, EmbeddingRequest) else read_request(call.body)

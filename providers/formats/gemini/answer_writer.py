"""Writes events as an answer for a client."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.base import AnswerFacts
from providers.formats.gemini.answer_parts import AnswerParts
from providers.formats.gemini.finish import write_finish
from providers.formats.gemini.logprobs import average, write_logprobs
from providers.formats.gemini.usage import write_usage
from providers.wire.events import CitationAdded, Event, Finished, TextDelta, UsageSeen


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> dict[str, Any]:
    parts = AnswerParts()
    for event in events:
        parts.take(event)
    parts.close()
    candidate = {"content": {"parts": parts.let_go(), "role": "model"}, "index": 0}
    answer: dict[str, Any] = {"candidates": [candidate | about(events)]}
    for event in events:
        if isinstance(event, Finished):
            candidate_end(answer, event)
        elif isinstance(event, UsageSeen):
            answer["usageMetadata"] = write_usage(event.usage)
    return answer | named(facts)


def about(events: Sequence[Event]) -> dict[str, Any]:
    """What a candidate tells beside its content: sources and log probabilities."""
    told: dict[str, Any] = {}
    cited = [_citation(event) for event in events if isinstance(event, CitationAdded)]
    logprobs = [entry for event in events if isinstance(event, TextDelta) for entry in event.logprobs]
    if cited:
        told["citationMetadata"] = {"citationSources": cited}
    if logprobs:
        told |= {"logprobsResult": write_logprobs(logprobs), "avgLogprobs": average(logprobs)}
    return told


def candidate_end(answer: Mapping[str, Any], finished: Finished) -> None:
    answer["candidates"][0]["finishReason"] = write_finish(finished)


def named(facts: AnswerFacts) -> dict[str, str]:
    return {"modelVersion": facts.model, "responseId": facts.id}


def _citation(event: CitationAdded) -> dict[str, Any]:
    """A place in a document that was sent has no address; its words stand as the title."""
    told = {"uri": event.url, "title": event.title or event.cited_text}
    return {name: value for name, value in told.items() if value}

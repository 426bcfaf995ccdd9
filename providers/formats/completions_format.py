"""Legacy completions as a format that clients speak: to providers they are chat."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats import completions
from providers.formats.base import AnswerFacts, AnswerWriter
from providers.formats.chat.format import ChatFormat
from providers.wire.conversation import Conversation
from providers.wire.events import Event


class CompletionsFormat(ChatFormat):
    """See providers.formats.base.Format."""

    name = "completions"
    endpoint = "completions"
    usage_name = "usage"

    def read_request(self, body: Mapping[str, Any]) -> Conversation:
        return completions.read_request(body)

    def write_answer(self, events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
        return completions.write_answer(events, facts)

    def writer(self, facts: AnswerFacts) -> AnswerWriter:
        return completions.CompletionsStreamWriter(facts)

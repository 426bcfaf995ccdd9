"""Legacy completions as a format that clients speak: to providers they are chat."""

from providers.formats import completions
from providers.formats.chat.format import ChatFormat
from providers.wire.events import Rare


class CompletionsFormat(ChatFormat):
    """See providers.formats.base.Format."""

    name = "completions"
    endpoint = "completions"
    usage_name = "usage"

    read_request = staticmethod(completions.read_request)
    write_answer = staticmethod(completions.write_answer)
    writer = completions.CompletionsStreamWriter  # type: ignore[assignment]  # another AnswerWriter

    def can_tell(self, event: Rare) -> bool:  # noqa: ARG002
        return False

"""Writes a request of a client for a provider, whichever formats they speak. Pure."""

from dataclasses import replace

from providers.formats.base import Format, Upstream, WrittenRequest
from providers.formats.histories import results_behind_calls
from providers.formats.limits import LIMITS
from providers.formats.losses import Kind
from providers.formats.notes import Notes
from providers.formats.said_tools import fit_ids, fit_tools
from providers.formats.searches import stand_in
from providers.wire.conversation import Conversation
from providers.wire.parts import has_natives_or_calls


def write_for(own: Format, client: Format, conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """A request of that client for a provider that speaks `own`. Raises CannotTranslate."""
    if not (conversation.tools or has_natives_or_calls(conversation)):
        return own.write_request(conversation, upstream)
    notes, said = Notes(conversation.source), None
    limits = LIMITS.get(own.name, LIMITS["openai"])
    if conversation.source == own.name:
        plain = fit_ids(conversation, limits, notes)
    else:
        plain = client.plainly(conversation, notes)
        messages = results_behind_calls(plain.messages, notes)
        plain = plain if messages is plain.messages else replace(plain, messages=messages)
        if upstream.searches and (found := stand_in(own.name, plain)):
            plain = found.conversation
            for path, words in found.lost.items():
                notes.lose_path(path, Kind.HINT, words)
        plain, said = fit_tools(plain, limits, notes)
    written = own.write_request(plain, upstream)
    return replace(
        written,
        translated=(*notes.translated, *written.translated),
        lost=(*written.lost, *notes.worst_first()),
        told=(*notes.told, *written.told),
        worst=max(notes.worst, written.worst),
        tools=said,
    )

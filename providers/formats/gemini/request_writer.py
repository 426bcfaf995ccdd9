"""Writes a request for a provider.

Source: https://ai.google.dev/api/generate-content.
"""

import re
from urllib.parse import quote

from providers.formats.answer_tool import ask_by_tool
from providers.formats.base import CannotTranslate, Upstream, WrittenRequest
from providers.formats.extras import in_place
from providers.formats.field_names import client_field
from providers.formats.gemini.config_writer import MODALITIES, modalities_of, write_config
from providers.formats.gemini.contents_writer import ContentsWriter
from providers.formats.gemini.fields import camel
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools_writer import write_tools
from providers.formats.marks import leave_marks
from providers.formats.notes import Notes, leave_natives
from providers.wire.conversation import Conversation

_VERBS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}
_COLLECTION = re.compile(r"(models|tunedModels)/(.+)")
_TIERS = {"default": "standard", "standard_only": "standard", "flex": "flex", "priority": "priority"}
_ANY_TIER = frozenset({None, "auto"})


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """Raises CannotTranslate. The user's id and marks for caching are left out: there is no place for them."""
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        conversation = leave_natives(conversation, notes, said=_sayable(conversation))
    conversation = ask_by_tool(conversation, upstream, notes.translated)
    body = write_tools(conversation, notes.translated)
    needs_signatures = not upstream.takes_thinking_budget
    body |= ContentsWriter(conversation, notes, needs_signatures=needs_signatures).write()
    config = write_config(conversation, upstream, notes)
    if config:
        body["generationConfig"] = config
    body |= _tier(conversation)
    # Other clients' metadata is for their own records, and need not fit into labels.
    if conversation.source == ORIGIN and conversation.metadata is not None:
        body["labels"] = dict(conversation.metadata)
    if conversation.source != ORIGIN and conversation.extra.get("store") is False:
        body["store"] = False
    if conversation.source != ORIGIN and conversation.metadata:
        notes.lose("metadata", "")
    if conversation.user_id:
        notes.lose("user", "")
    leave_marks(conversation, notes)
    if conversation.source == ORIGIN:
        body = in_place(body, conversation, rename=camel)
    return notes.written(_path(upstream), body)


def _sayable(conversation: Conversation) -> list[str]:
    return [MODALITIES] if modalities_of(conversation) else []


def _path(upstream: Upstream) -> str:
    match = _COLLECTION.fullmatch(upstream.name)
    collection, name = match.groups() if match else ("models", upstream.name)
    return f"/{collection}/{quote(name, safe='')}:{_VERBS[upstream.is_streamed]}"


def _tier(conversation: Conversation) -> dict[str, str]:
    tier = conversation.service_tier
    if tier in _ANY_TIER:
        return {}
    if tier not in _TIERS:
        raise CannotTranslate(
            f"This provider has no service tier '{tier}'.",
            param=client_field(conversation.source, "service_tier"),
            code="invalid_value",
        )
    return {"serviceTier": _TIERS[tier]}

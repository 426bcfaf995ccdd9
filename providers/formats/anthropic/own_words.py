"""What a client of this format said goes to a provider of it word for word, but for what Anthropic always refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.anthropic.notes import Notes
from providers.formats.anthropic.seal import ORIGIN, read_seal
from providers.formats.anthropic.tool_names import write_call_id

_Object = Mapping[str, Any]
_CALL_IDS = {"tool_use": "id", "tool_result": "tool_use_id"}


def own_words(said: _Object, notes: Notes) -> dict[str, Any]:
    """`said` as in Conversation, without empty texts and thoughts of other formats' models. Raises CannotTranslate.

    Calls that other formats' models made get ids of Anthropic's alphabet.
    """
    messages = _kept_messages(said["messages"], notes)
    if not messages:
        raise notes.refuse("messages", "The chosen provider needs at least one message that says something.")
    return {**said, "messages": messages}


def _kept_messages(messages: Sequence[_Object], notes: Notes) -> list[_Object]:
    kept = [_kept_message(message, notes) for message in messages]
    return [message for message in kept if message["content"]]


def _kept_message(message: _Object, notes: Notes) -> _Object:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {**message, "content": content}
    blocks = [block for block in content if not _is_empty(block)]
    own = [_own_block(block) for block in blocks if not _is_foreign(block)]
    if len(own) < len(blocks):
        notes.note("reasoning", "(left out: not Anthropic's)")
    return {**message, "content": own}


def _own_block(block: _Object) -> _Object:
    name = _CALL_IDS.get(block["type"], "")
    call_id = block.get(name)
    # Only where a block may stand has its reader looked into it; what is wrong elsewhere is for Anthropic to say.
    return {**block, name: write_call_id(call_id)} if isinstance(call_id, str) else block


def _is_empty(block: _Object) -> bool:
    return block["type"] == "text" and not block.get("text")


def _is_foreign(block: _Object) -> bool:
    signature = block.get("signature") or ""
    return (
        block["type"] == "thinking" and isinstance(signature, str) and read_seal(signature).origin != ORIGIN
    )

"""Conversations without the words of their clients, in turns, as another format's writer takes them."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

from providers.formats.turns import merge_turns
from providers.wire.conversation import Conversation, Wording


def in_turns(conversation: Conversation) -> Conversation:
    return replace(conversation, messages=merge_turns(conversation.messages))


def anew(conversation: Conversation) -> Conversation:
    """Told by nobody: all of it has to be written anew."""
    anew: Conversation = _without_wording(in_turns(conversation))
    return anew


def _without_wording(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_without_wording, value))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    return replace(
        value,
        **{
            member.name: None
            if isinstance(getattr(value, member.name), Wording)
            else _without_wording(getattr(value, member.name))
            for member in fields(value)
        },
    )

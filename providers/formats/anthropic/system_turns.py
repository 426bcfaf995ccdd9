"""Puts what the system says behind the first turn where Anthropic's models take it. Pure.

One message of the system may follow a turn of the user, and then an answer comes or nothing. Where the model takes
none, or no turn of the user is there, it is said in the user's turn.
Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages (November 2026).
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from providers.formats.field_names import client_field
from providers.formats.notes import Notes

Turn = dict[str, Any]
_role_of = itemgetter("role")


def place_system(turns: Sequence[Turn], notes: Notes, *, takes_later_system: bool) -> list[Turn]:
    """`turns` as they are written, in their order. Those among which the system says nothing stay as they are."""
    if "system" not in map(_role_of, turns):
        return list(turns)
    placed: list[Turn] = []
    for is_answer, group in groupby(turns, lambda turn: turn["role"] == "assistant"):
        run = list(group)
        if is_answer or all(turn["role"] == "user" for turn in run):
            placed += run
        else:
            placed += _place(run, notes, takes_later_system=takes_later_system)
    return placed


def _place(run: Sequence[Turn], notes: Notes, *, takes_later_system: bool) -> list[Turn]:
    """`run` is what stands between two answers."""
    where = f"{client_field(notes.source, 'messages')} of the system"
    of_user = [turn for turn in run if turn["role"] == "user"]
    if not (takes_later_system and of_user):
        notes.tell_path(where, "content of the user")
        return [_turn("user", run)]
    if run[-1]["role"] == "user":
        notes.note_path(where, "behind the user's turn")
    return [_turn("user", of_user), _turn("system", [turn for turn in run if turn["role"] == "system"])]


def _turn(role: str, turns: Sequence[Turn]) -> Turn:
    """What they say in one; results of tools stand in front."""
    blocks = [block for turn in turns for block in _blocks(turn["content"])]
    return {"role": role, "content": sorted(blocks, key=lambda block: block["type"] != "tool_result")}


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content

"""Messages that are only texts are read at once; they come out as the format's own reader has them."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from providers.formats.base import BadRequest, Format
from providers.formats.contents import PlainReader
from providers.formats.registry import ANTHROPIC, GEMINI, OPENAI, RESPONSES

_NAMES = {OPENAI: "messages", ANTHROPIC: "messages", RESPONSES: "input", GEMINI: "contents"}
_ABSENT = object()
_ROLES = (
    "user",
    "assistant",
    "model",
    "system",
    "developer",
    "tool",
    "stranger",
    "",
    None,
    7,
    ["user"],
    _ABSENT,
)
_KINDS = ("text", "input_text", "output_text", "refusal", "stranger", None, 7, ["text"], _ABSENT)
_TEXTS = ("hello", "", None, 7, ["hello"], _ABSENT)
_OF_TEXT: tuple[Mapping[str, Any], ...] = (
    {},
    {"annotations": []},
    {"citations": None},
    {"logprobs": []},
    {"index": 0},
    {"cache_control": {"type": "ephemeral"}},
    {"stranger": 1},
)
_MEMBERS: tuple[Mapping[str, Any], ...] = (
    {},
    {"type": "message"},
    {"type": "stranger"},
    {"type": ["message"]},
    {"name": "Ann"},
    {"id": "msg_1", "status": "completed", "phase": "final_answer"},
    {"refusal": None},
    {"tool_calls": []},
    {"stranger": 1},
)


def _without_absent(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not _ABSENT}


def _texts() -> Iterator[dict[str, Any]]:
    for kind, text in product(_KINDS, _TEXTS):
        yield _without_absent({"type": kind, "text": text})
    for kind, more in product(("text", "input_text", "output_text", _ABSENT), _OF_TEXT):
        yield _without_absent({"type": kind, "text": "hello", **more})


def _messages(content: str) -> Iterator[Any]:
    parts = list(_texts())
    plain = [parts[0], parts[6], parts[12]]
    wholes = [
        "hello",
        "",
        None,
        7,
        {},
        _ABSENT,
        [],
        ["hello"],
        [None],
        plain[0],
        plain,
        *([part] for part in parts),
    ]
    for role, whole in product(_ROLES, wholes):
        yield _without_absent({"role": role, content: whole})
    for role, members in product(("user", "assistant", "model", "system"), _MEMBERS):
        yield {"role": role, content: "hello", **members}
        yield {"role": role, content: [{"text": "hello"}], **members}
    yield from ("hello", None, 7, [], {})


def _outcome(format_: Format, message: Any) -> object:
    name = _NAMES[format_]
    try:
        return format_.read_request({"model": "m", "max_tokens": 9, name: [message]})
    except BadRequest as refusal:
        return str(refusal), refusal.param


@pytest.mark.parametrize("format_", _NAMES, ids=lambda each: each.name)
def test_a_plain_message_is_read_as_any_other_is(format_: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = list(_messages("parts" if format_ == GEMINI else "content"))
    read: list[bool] = []
    at_once = PlainReader.read

    def noted(self: PlainReader, value: Any) -> Any:
        message = at_once(self, value)
        read.append(message is not None)
        return message

    monkeypatch.setattr(PlainReader, "read", noted)
    quick = [_outcome(format_, message) for message in messages]
    assert 0 < sum(read) < len(read)
    monkeypatch.setattr(PlainReader, "read", lambda self, value: None)
    slow = [_outcome(format_, message) for message in messages]
    different = [each for each in zip(messages, quick, slow, strict=True) if each[1] != each[2]]
    assert different == []

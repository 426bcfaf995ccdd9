"""Reads contents and systemInstruction into messages."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from providers.formats.base import BadRequest
from providers.formats.contents import PlainReader
from providers.formats.gemini.media import read_file, read_inline
from providers.formats.gemini.members import Members, required
from providers.formats.gemini.signatures import ORIGIN, read_signature
from providers.formats.wording import as_read, give_wording, members_of
from providers.wire.conversation import (
    Audio,
    Json,
    Message,
    Native,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Wording,
)
from providers.wire.events import ReasoningSigned

_ROLES = {"user": Role.USER, "function": Role.USER, "model": Role.ASSISTANT}
_KINDS = ("text", "functionCall", "functionResponse", "inlineData", "fileData")
_ANY_KIND = frozenset(_KINDS)
_OF_CONTENT = frozenset({"role", "parts"})
_KNOWN = frozenset({*_KINDS, "thought", "thoughtSignature"})


class ContentsReader:
    def __init__(self) -> None:
        self._calls = Calls()

    def read(self, body: Members) -> tuple[Message, ...]:
        """The system instruction first. Raises BadRequest."""
        turns = [
            _PLAIN.read(value) or self._turn(body.entry("contents", number))
            for number, value in enumerate(body.entries("contents"))
        ]
        if not turns:
            raise BadRequest("'contents' must hold at least one content.", param="contents")
        instruction = body.object("systemInstruction")
        if instruction is not None:
            turns.insert(0, self._content(instruction, Role.SYSTEM, instruction.objects("parts")))
        return tuple(turns)

    def _turn(self, content: Members) -> Message:
        role = _role(content)
        parts = content.objects("parts")
        if not parts:
            raise required(content, "parts")
        return self._content(content, role, parts)

    def _content(self, content: Members, role: Role, parts: list[Members]) -> Message:
        read = tuple([read for part in parts for read in self._part(part)])
        return as_read(Message(role, read), ORIGIN, content.value, content.others(_OF_CONTENT))

    def _part(self, part: Members) -> list[Part]:
        """What stands in one part has one wording. An empty text says nothing, and stands for what says nothing."""
        own = part.others(_KNOWN)
        kinds = part.present(_ANY_KIND)
        if own and not kinds:
            # What Gemini's own tools did, say: only it can take that back.
            return [Native(ORIGIN, part.value, next(iter(own)))]
        read = list(self._known_part(part, kinds, own)) or [Text("")]
        return _as_read(read, part.value, own)

    def _known_part(self, part: Members, kinds: list[str], own: dict[str, Any]) -> Iterable[Part]:
        """`own` is added to: what only Gemini understands, by path."""
        if not kinds and "thoughtSignature" in part:
            return _signed(_read_signed(part))
        if len(kinds) != 1:
            raise BadRequest(f"'{part.path}' must hold exactly one of {', '.join(_KINDS)}.", param=part.path)
        kind, signed = kinds[0], _read_signed(part)
        if kind == "text":
            return _text(part, signed)
        value = Members(part.raw(kind), part.path_of(kind))
        if kind == "functionCall":
            own |= value.others({"id", "name", "args"})
            return [self._call(value, signed)]
        if kind == "functionResponse":
            own |= value.others({"id", "name", "response", "parts"})
            return [self._result(value), *_signed(signed)]
        return [read_inline(value) if kind == "inlineData" else read_file(value), *_signed(signed)]

    def _call(self, call: Members, signed: ReasoningSigned | None) -> ToolCall:
        name = _name(call)
        arguments = _json(call, "args")
        signature, origin = (signed.signature, signed.origin) if signed else (None, "")
        return ToolCall(self._calls.add(name, call.text("id")), name, arguments, signature, origin)

    def _result(self, response: Members) -> ToolResult:
        call_id = self._calls.answer(response, _name(response))
        text, is_error = _said(response)
        media = [self._result_media(part) for part in response.objects("parts")]
        return ToolResult(call_id, (*([Text(text)] if text else []), *media), is_error)

    def _result_media(self, part: Members) -> Any:
        blob, file = part.object("inlineData"), part.object("fileData")
        if (blob is None) == (file is None):
            raise BadRequest(f"'{part.path}' must hold one of inlineData and fileData.", param=part.path)
        media = read_inline(blob) if blob is not None else read_file(file or part)
        if isinstance(media, Audio):
            raise BadRequest(f"'{part.path}' must not hold audio.", param=part.path)
        return media


def _as_read(parts: list[Part], value: Json, own: Mapping[str, Json]) -> list[Part]:
    """All of what one part of its client says."""
    wording = Wording(ORIGIN, value, tuple(map(members_of, parts)), own)
    return [give_wording(each, wording) for each in parts]


class _PlainReader(PlainReader):
    def text_of(self, text: str, part: Json) -> Text:
        return Text(text, None, Wording(ORIGIN, part, ((Text, text, None),), {}))


_PLAIN = _PlainReader(
    ORIGIN,
    {"user": Role.USER, "model": Role.ASSISTANT},
    dict.fromkeys(Role, (None,)),
    content="parts",
    takes_string=False,
)


def _role(content: Members) -> Role:
    role = content.text("role") or "user"
    if role not in _ROLES:
        path = content.path_of("role")
        raise BadRequest(f"'{path}' must be user or model, not '{role}'.", param=path)
    return _ROLES[role]


def _name(call: Members) -> str:
    name = call.text("name")
    if not name:
        raise required(call, "name")
    return name


def _text(part: Members, signed: ReasoningSigned | None) -> list[Part]:
    """A signature of a text stands after it, as thoughts without words: it may come later than the text, too."""
    text = part.text("text") or ""
    if part.flag("thought"):
        signed = signed or ReasoningSigned(origin=ORIGIN)
        thoughts = Reasoning(text, signed.signature, signed.encrypted, signed.origin, signed.id)
        return [thoughts] if text or signed.signature or signed.encrypted else []
    return [*([Text(text)] if text else []), *_signed(signed)]


def _signed(signed: ReasoningSigned | None) -> Iterator[Reasoning]:
    if signed is not None:
        yield Reasoning("", signed.signature, signed.encrypted, signed.origin, signed.id)


def _read_signed(part: Members) -> ReasoningSigned | None:
    signature = part.text("thoughtSignature")
    return read_signature(signature) if signature else None


def _said(response: Members) -> tuple[str, bool]:
    """A tool's text, and whether it is an error; Google's own words for them are `output` and `error`."""
    if "response" not in response:
        return "", False
    told = response.raw("response")
    if isinstance(told, dict) and len(told) == 1:
        ((name, value),) = told.items()
        if name in {"result", "output", "error"} and isinstance(value, str):
            return value, name == "error"
    return _json(response, "response"), False


def _json(members: Members, name: str) -> str:
    """An object as text, an empty one where it is absent."""
    value = {} if members.object(name) is None else members.raw(name)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        path = members.path_of(name)
        raise BadRequest(f"'{path}' is nested too deeply.", param=path) from None


class Calls:
    """Ids are optional in Gemini's format; without them results answer calls of their name, in order."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._open: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[str]] = defaultdict(deque)
        """By name: the ids of its calls in order, also of some that are no longer open."""

    def add(self, name: str, call_id: str | None) -> str:
        """The call's id, which is its place in the conversation if the client gave none."""
        call_id = call_id or f"call_{len(self._names)}"
        self._names[call_id] = name
        self._open[call_id] += 1
        self._waiting[name].append(call_id)
        return call_id

    def answer(self, response: Members, name: str) -> str:
        """The id of the call that a functionResponse answers. Raises BadRequest."""
        call_id = response.text("id") or self._oldest(name)
        if call_id not in self._names:
            raise BadRequest(
                f"There is no functionCall '{response.text('id') or name}' before '{response.path}'.",
                param=response.path,
            )
        if self._open[call_id]:
            self._open[call_id] -= 1
        return call_id

    def _oldest(self, name: str) -> str | None:
        waiting = self._waiting[name]
        while waiting and not self._open[waiting[0]]:
            waiting.popleft()
        return waiting[0] if waiting else None

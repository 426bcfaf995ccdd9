"""Fits a chat request in its client's own words to a provider: what that calls otherwise, or does not take."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from providers.formats.known_models import known_model
from providers.formats.losses import Kind
from providers.formats.notes import Notes
from providers.formats.openai.signatures import INPUT_QUIRKS, MEMBERS, thoughts_for
from providers.formats.sampling import TUNING, is_unsaid, lacks, lacks_reasoning, refused_thinking
from providers.wire.quirks import quirk
from providers.wire.upstream import Upstream

REASONING_OBJECT = quirk("reasoning_object", "Takes OpenRouter's reasoning object")
_NO_STREAM_OPTIONS = quirk(
    "no_stream_options", "Refuses stream_options, so that the usage of its streams is estimated"
)
SYSTEM_IN_FRONT = quirk(
    "system_in_front",
    "Its template takes the system's words as the first message only: later ones are moved into it",
)
_LIMITS = ("max_tokens", "max_completion_tokens")
USERS = ("safety_identifier", "user")
_SYSTEM = frozenset({"system", "developer"})
IN_FRONT = "messages of the system -> the first message"
BEHIND_CALLS = "tool messages -> right behind their calls"
_EFFORT = ("reasoning_effort",)
TUNING_FIELDS = frozenset({*TUNING, *_EFFORT})


def fit(body: dict[str, Any], upstream: Upstream) -> list[str]:
    """Change the body in place; what was said in other words, as in WrittenRequest."""
    translated = _rename_limit(body, upstream) if upstream.params else []
    if quirks := upstream.quirks:
        if REASONING_OBJECT in quirks:
            translated += _say_effort(body)
        if not INPUT_QUIRKS.isdisjoint(quirks) and (messages := body.get("messages")):
            body["messages"] = _fit_thoughts(messages, quirks, translated)
        if SYSTEM_IN_FRONT in quirks:
            translated += put_system_in_front(body)
    if upstream.user_id is not None:
        translated += _hide_user(body, upstream.user_id)
    if upstream.is_streamed:
        translated += ask_for_stream(body, upstream)
    return translated


def leave_tuning(body: dict[str, Any], upstream: Upstream, notes: Notes) -> None:
    """Change the body in place: without what the model is known to refuse, or the offering does not declare."""
    refused = refused_thinking(upstream, body.get("reasoning_effort"))
    for name in (*TUNING, *_EFFORT):
        value = body.get(name)
        if value is not None and (
            lacks_reasoning(upstream) if name in _EFFORT else name in refused or lacks(upstream, name)
        ):
            del body[name]
            if not (value == "none" if name in _EFFORT else is_unsaid(name, value)):
                notes.lose_path(name, Kind.TUNING)
    has_both = body.get("temperature") is not None and body.get("top_p") is not None
    if has_both and known_model(upstream.name).takes_one_sampler and body.pop("top_p") != 1:
        notes.lose_path("top_p", Kind.TUNING)


def ask_for_stream(body: dict[str, Any], upstream: Upstream) -> list[str]:
    """Usage is asked for where that can be; what was left out, usage is told all the same."""
    body["stream"] = True
    options = body.get("stream_options")
    if _NO_STREAM_OPTIONS in upstream.quirks:
        body.pop("stream_options", None)
        return ["stream_options -> left out"] if options else []
    body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return []


def put_system_in_front(body: dict[str, Any]) -> list[str]:
    """Change the body in place: one message holds whatever the system or a developer says, before all others."""
    messages: Sequence[Mapping[str, Any]] = body.get("messages") or ()
    said = [message for message in messages if message.get("role") in _SYSTEM]
    if not said or (len(said) == 1 and messages[0] is said[0] and said[0]["role"] == "system"):
        return []
    others = [message for message in messages if message.get("role") not in _SYSTEM]
    first = {**said[0], "role": "system", "content": _joined([message.get("content") for message in said])}
    body["messages"] = [first, *others]
    return [IN_FRONT]


def put_results_behind_calls(body: dict[str, Any]) -> list[str]:
    """Change the body in place: what a tool gave stands right behind the message that called it, as servers demand.

    A result that answers no earlier call stays where it is: its server says so.
    """
    messages: Sequence[Mapping[str, Any]] = body.get("messages") or ()
    runs: list[list[Mapping[str, Any]]] = []
    asked_in: dict[str, list[Mapping[str, Any]]] = {}
    is_apart = False
    for message in messages:
        run = asked_in.get(message.get("tool_call_id") or "") if message.get("role") == "tool" else None
        if run is not None:
            is_apart = is_apart or run is not runs[-1]
            run.append(message)
            continue
        runs.append([message])
        asked_in |= {each["id"]: runs[-1] for each in message.get("tool_calls") or () if each.get("id")}
    if not is_apart:
        return []
    body["messages"] = [message for run in runs for message in run]
    return [BEHIND_CALLS]


def _joined(contents: Sequence[Any]) -> str | list[Any]:
    """Plain text where all of it is, since every server takes that."""
    if all(isinstance(content, str) for content in contents):
        return "\n\n".join(contents)
    listed = ([{"type": "text", "text": each}] if isinstance(each, str) else each or [] for each in contents)
    return [part for parts in listed for part in parts]


def limit_name(params: Set[str], asked: str = "") -> str:
    """What a provider calls the most tokens: as the client does (`asked`), unless only the other name is declared.

    The older one is understood nearly everywhere.
    """
    name = "max_completion_tokens" if "max_completion_tokens" in params else "max_tokens"
    return asked if asked and (asked in params or name not in params) else name


def _rename_limit(body: dict[str, Any], upstream: Upstream) -> list[str]:
    """Unless both names were used."""
    for asked, other in (_LIMITS, _LIMITS[::-1]):
        if (
            asked in body
            and body.get(other) is None
            and (name := limit_name(upstream.params, asked)) != asked
        ):
            body[name] = body.pop(asked)
            return [f"{asked} -> {name}"]
    return []


def _hide_user(body: dict[str, Any], user_id: str) -> list[str]:
    names = [name for name in USERS if body.get(name)]
    body |= dict.fromkeys(names, user_id)
    return [f"{name} -> hashed" for name in names]


def _say_effort(body: dict[str, Any]) -> list[str]:
    if body.get("reasoning_effort") is None or body.get("reasoning") is not None:
        return []
    body["reasoning"] = {"effort": body.pop("reasoning_effort")}
    return ["reasoning_effort -> reasoning.effort"]


def _fit_thoughts(
    messages: Sequence[Mapping[str, Any]], quirks: Set[str], translated: list[str]
) -> Sequence[Mapping[str, Any]]:
    """Clients send thoughts back under the name by which they came, whoever had them."""
    fitted = []
    for message in messages:
        kept = thoughts_for(quirks, message) if message.get("role") == "assistant" else {}
        translated += (note for note in _notes(message, kept) if note not in translated)
        fitted.append(_without_thoughts(message) | kept)
    return fitted


def _without_thoughts(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in MEMBERS}


def _notes(message: Mapping[str, Any], kept: Mapping[str, Any]) -> list[str]:
    words = f"messages.{next(iter(kept))}" if kept else "left out"
    return [f"messages.{name} -> {words}" for name in MEMBERS if message.get(name) and name not in kept]

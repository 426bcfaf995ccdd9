"""What an offering would lose of a request for generated text, before it is asked: its writer tells, on a sketch.

Pure. A sketch is the request without what every format has: texts, plain calls and their results.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any

from providers.facts import ProviderFacts
from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.base import TranslationError
from providers.formats.extras import refuse_choices
from providers.formats.known_models import known_model
from providers.formats.losses import Kind
from providers.formats.notes import Notes
from providers.formats.openai.fit import TUNING_FIELDS, leave_tuning
from providers.formats.registry import CLIENT_FORMATS, FORMATS, OPENAI, RESPONSES
from providers.formats.sampling import REASONING, TUNING, UNSAID
from providers.formats.translation import write_for
from providers.operations.base import Requirements, Verdict
from providers.wire.call import Call
from providers.wire.conversation import (
    Audio,
    ChoiceMode,
    Conversation,
    File,
    Image,
    Message,
    Native,
    Reasoning,
    Role,
    Text,
    Tool,
    ToolResult,
)
from providers.wire.estimate import are_texts
from providers.wire.quirks import quirk
from providers.wire.upstream import THINKING_BUDGET, Upstream

_SPEAKS_RESPONSES = quirk(
    "speaks_responses",
    "Speaks OpenAI's Responses too, at the same address: its clients are passed on to that",
)
# Fields of a chat request that every format has, whatever they hold.
_PLAIN = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
        "parallel_tool_calls",
    }
)
_TUNING = frozenset(TUNING) | REASONING | {THINKING_BUDGET}
_ODD = (Native, Image, Audio, File, Reasoning)
_SOMETHING = Message(Role.USER, (Text("."),))
_LOSES_NOTHING = Verdict()
_CHAT = OPENAI.name
_MOST_KEPT_CHARS = 1_024
"""Of one request's settings: whatever clients make long would be held hundreds of times."""


def may_lose(required: Requirements, call: Call) -> bool:
    """Whether there is anything to weigh; of a chat request, without reading it for providers of chat."""
    if call.format == _CHAT:
        return not _is_plain_body(call)
    return _sketch_of(required, call)[0] is not None


def weigh(required: Requirements, call: Call, provider: ProviderFacts, upstream: Upstream) -> Verdict:
    """Of one offering of that provider."""
    own = spoken_format(call.format, provider)
    if own == call.format == _CHAT:
        if TUNING_FIELDS.isdisjoint(call.body):
            return _LOSES_NOTHING
        sketch, verdicts = None, required.verdicts
    else:
        sketch, verdicts = _sketch_of(required, call)
        if sketch is None:
            return _LOSES_NOTHING
    # Chat's writer may say whatever is declared; all others look at what tuning is.
    params = upstream.params if own == _CHAT and sketch is not None else _tuning_in(upstream.params)
    kind = (own, params, *_kind_of(upstream, sketch))
    verdict = verdicts.get(kind)
    if verdict is None:
        verdict = verdicts[kind] = (
            _weigh_relayed(call, upstream) if sketch is None else _weigh_written(own, call, sketch, upstream)
        )
    return verdict


def _kind_of(upstream: Upstream, sketch: Conversation | None) -> tuple[object, ...]:
    """What of an offering a writer looks at: where it is the same, so is what is lost.

    How long an answer may be bounds thoughts alone; else it matters only whether that is known.
    """
    most = upstream.max_output_tokens
    bounds = most if sketch is not None and sketch.reasoning else most is None
    # Models that are known are few, and each is there once.
    return upstream.quirks, id(known_model(upstream.name)), bounds, upstream.searches


@lru_cache(maxsize=4096)
def _tuning_in(params: frozenset[str]) -> tuple[bool, frozenset[str]]:
    """And whether any are declared at all."""
    return bool(params), params & _TUNING


def spoken_format(client: str, provider: ProviderFacts) -> str:
    """The client's, where the provider speaks that too at the same address."""
    speaks_both = client == RESPONSES.name and _SPEAKS_RESPONSES in provider.quirks
    return client if speaks_both else provider.wire_format


def _weigh_relayed(call: Call, upstream: Upstream) -> Verdict:
    notes = Notes(_CHAT)
    leave_tuning({name: call.body.get(name) for name in TUNING_FIELDS}, upstream, notes)
    return Verdict(notes.worst, lost=notes.worst_first())


def _weigh_written(own: str, call: Call, sketch: Conversation, upstream: Upstream) -> Verdict:
    known = replace(upstream, user_id=sketch.user_id and "x")
    try:
        if own != sketch.source:
            refuse_choices(sketch)
        written = write_for(FORMATS[own], CLIENT_FORMATS[call.format], sketch, known)
    except TranslationError as refusal:
        # Their frames hold the request, and this may be kept for longer.
        refusal.__context__ = None
        return Verdict(Kind.RELIED_ON, refusal.with_traceback(None))
    return Verdict(written.worst, lost=written.lost)


def _sketch_of(required: Requirements, call: Call) -> tuple[Conversation | None, dict[object, Verdict]]:
    """Made once for all offerings; None where there is nothing to lose. With it, the verdicts so far."""
    if required.sketch is None:
        sketch = _make_sketch(required, call)
        settings = None if sketch is None else _settings_of(sketch)
        required.sketch = (
            sketch,
            {} if settings is None else _kept_verdicts((call.format, call.is_streamed, *settings)),
        )
    return required.sketch


def _settings_of(sketch: Conversation) -> tuple[object, ...] | None:
    """All that such a sketch says, where it is settings and plain tools alone: programs send the same in every call."""
    if len(sketch.messages) > 1 or sketch.extra or sketch.output or sketch.metadata:
        return None
    if sketch.sampling.logit_bias is not None or not all(map(_is_plain_tool, sketch.tools)):
        return None
    chosen = sketch.tool_choice.names if sketch.tool_choice else ()
    effort = sketch.reasoning.effort if sketch.reasoning else None
    words = (*sketch.sampling.stop, *chosen, sketch.service_tier, sketch.verbosity, effort)
    if sum(len(word) for word in words if word) > _MOST_KEPT_CHARS:
        return None
    # A choice of what is not there is refused: the same choice beside other tools may be right.
    found = tuple(tool.name for tool in sketch.functions if tool.name in chosen)
    return (
        *(sketch.max_output_tokens, sketch.sampling, len(sketch.tools), sketch.tool_choice, found),
        *(sketch.parallel_tool_calls, sketch.reasoning, sketch.verbosity, sketch.service_tier),
        bool(sketch.user_id),
    )


@lru_cache(maxsize=512)
def _kept_verdicts(settings: tuple[object, ...]) -> dict[object, Verdict]:  # noqa: ARG001
    """Of all requests with these settings, by kind of offering: whatever is the same is lost alike."""
    return {}


def _make_sketch(required: Requirements, call: Call) -> Conversation | None:
    conversation = required.request
    if not isinstance(conversation, Conversation):
        if _is_plain_body(call):
            return None
        conversation = CLIENT_FORMATS[call.format].read_request(call.body)
    odd = tuple(sketch for message in conversation.messages if (sketch := _odd_in(message)))
    if not odd and _is_plain(conversation):
        return None
    return replace(conversation, messages=(*odd, _SOMETHING), tools=_odd_tools(conversation))


def _is_plain_body(call: Call) -> bool:
    return call.body.keys() <= _PLAIN and are_texts(call.body["messages"])


def _is_plain(conversation: Conversation) -> bool:
    choice = conversation.tool_choice
    return (
        not conversation.extra
        and conversation.sampling == UNSAID
        and not (conversation.reasoning or conversation.output or conversation.verbosity)
        and not (conversation.user_id or conversation.metadata or conversation.service_tier)
        and (choice is None or not (choice.names or choice.mode is ChoiceMode.REQUIRED))
        and all(map(_is_plain_tool, conversation.tools))
    )


def _is_plain_tool(tool: Tool | Native) -> bool:
    """Nothing of it matters to any writer but that it is there, and is chosen or not."""
    return isinstance(tool, Tool) and not (
        tool.strict or tool.cache or tool.name == ANSWER_TOOL or _owns(tool)
    )


def _odd_tools(conversation: Conversation) -> tuple[Tool | Native, ...]:
    """With one of the plain ones, where there are any, and those that are chosen by name."""
    chosen = conversation.tool_choice.names if conversation.tool_choice else ()
    first = conversation.functions[:1]
    return tuple(
        tool
        for tool in conversation.tools
        if not _is_plain_tool(tool) or tool in first or (isinstance(tool, Tool) and tool.name in chosen)
    )


def _odd_in(message: Message) -> Message | None:
    parts = [odd for part in message.parts for odd in _odd_parts(part)]
    if not parts and not message.name and not _owns(message):
        return None
    return replace(message, parts=tuple(parts) or _SOMETHING.parts)


def _odd_parts(part: Any) -> list[Any]:
    """What a tool gave is asked for without the call that it answers."""
    if isinstance(part, ToolResult):
        marked = [Text(".", part.cache)] if part.cache else []
        return marked + [odd for inner in part.parts for odd in _odd_parts(inner)]
    return [part] if isinstance(part, _ODD) or _owns(part) or getattr(part, "cache", None) else []


def _owns(thing: Any) -> bool:
    return thing.wording is not None and bool(thing.wording.own)

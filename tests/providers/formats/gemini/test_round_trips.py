"""Any conversation and any answer keep their meaning through Gemini's format."""

from dataclasses import replace

import orjson

from providers.formats.base import AnswerFacts, Upstream
from providers.formats.registry import GEMINI
from providers.wire.conversation import ChoiceMode, Image, OutputKind, Text, ToolCall, ToolResult
from providers.wire.events import TextDelta, UsageSeen
from tests.providers.formats.anew import in_turns
from tests.providers.formats.conversations import SAMPLING, Ability, make_conversation
from tests.providers.formats.events import make_events, meaning, random_cuts, read_in_pieces
from tests.used import used

CAN = Ability(
    "gemini",
    results=frozenset({Text, Image}),
    sampling=frozenset(SAMPLING) - {"logit_bias"},
    has_errors=True,
    has_marks=False,
    has_encrypted=False,
    efforts=("none", "minimal", "low", "medium", "high", "xhigh"),
    has_budgets=True,
    has_verbosity=False,
)
FACTS = AnswerFacts("gen-1", 1, "google/gemini-3-pro")
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


def own(conversation):
    """As Gemini says it: see the functions below. Calls cannot be kept from being made at once."""
    messages = tuple(
        replace(message, parts=tuple(map(_part, message.parts))) for message in conversation.messages
    )
    sampling = conversation.sampling
    if sampling.top_logprobs is not None:
        sampling = replace(sampling, logprobs=True)
    return replace(
        conversation,
        messages=messages,
        sampling=sampling,
        tools=_tools(conversation),
        output=_output(conversation.output),
        parallel_tool_calls=None,
        metadata={"team": "blue"},
        service_tier="flex",
    )


def _part(part):
    """An image's address says its type, the texts of a result are one, and calls are signed."""
    match part:
        case Image() if part.url:
            return replace(part, media_type="image/png")
        case ToolCall():
            return replace(part, signature="c2ln", origin="gemini")
        case ToolResult():
            said = "\n".join(inner.text for inner in part.parts if isinstance(inner, Text))
            images = [_part(inner) for inner in part.parts if isinstance(inner, Image)]
            return replace(part, parts=(*([Text(said)] if said else []), *images))
    return part


def _tools(conversation):
    """All are strict or none, and only where the model may choose; Gemini always keeps to a schema if it must call."""
    choice = conversation.tool_choice
    is_auto = choice is None or choice.mode is ChoiceMode.AUTO
    is_strict = is_auto and any(tool.strict for tool in conversation.tools)
    return tuple(replace(tool, strict=True if is_strict else None) for tool in conversation.tools)


def _output(output):
    """A schema bears no name, and is always kept to. Text is what comes unasked."""
    if output is None or output.kind is OutputKind.TEXT:
        return None
    return replace(output, name=None, strict=None)


def is_same(read, conversation):
    """A strict tool makes a choice of what is none."""
    if any(tool.strict for tool in conversation.tools):
        read = replace(read, tool_choice=conversation.tool_choice)
    return read == conversation


def test_conversation_keeps_its_meaning(subtests):
    for seed in range(300):
        with subtests.test(seed=seed):
            conversation = own(make_conversation(seed, CAN))
            written = GEMINI.write_request(conversation, Upstream("gemini-3-pro", is_streamed=False))
            assert is_same(
                in_turns(GEMINI.read_request(orjson.loads(orjson.dumps(written.body)))), conversation
            )


def own_events(seed):
    """With log probabilities. Gemini reports no writes to a cache."""
    events = make_events(seed, "gemini", has_refusals=False)
    logged = [
        TextDelta(event.text, (LOGPROB,)) if isinstance(event, TextDelta) else event for event in events
    ]
    usage = UsageSeen(used(20, 10, 5, 0, 4, input_image_tokens=7))
    return [usage if isinstance(event, UsageSeen) else event for event in logged]


def told(events):
    """Joined; log probabilities belong to the whole text."""
    logprobs = tuple(entry for event in events if isinstance(event, TextDelta) for entry in event.logprobs)
    bare = [TextDelta(event.text) if isinstance(event, TextDelta) else event for event in events]
    return meaning(bare), logprobs


def test_answer_keeps_its_meaning(subtests):
    for seed in range(150):
        with subtests.test(seed=seed):
            events = own_events(seed)
            assert told(GEMINI.read_answer(GEMINI.write_answer(events, FACTS))) == told(events)


def test_stream_keeps_its_meaning_however_it_is_cut(subtests):
    for seed in range(150):
        with subtests.test(seed=seed):
            events = own_events(seed)
            writer = GEMINI.writer(FACTS)
            written = b"".join(writer.write([event]) for event in events) + writer.finish()
            assert told(read_in_pieces(GEMINI.reader(), written, random_cuts(seed, len(written)))) == told(
                events
            )


def test_stream_keeps_its_meaning_byte_by_byte():
    events = own_events(3)
    writer = GEMINI.writer(FACTS)
    written = writer.write(events) + writer.finish()
    assert told(read_in_pieces(GEMINI.reader(), written, range(1, len(written)))) == told(events)

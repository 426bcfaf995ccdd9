"""Streams that are not as their format has them: the clients' own SDKs read them whole, or are told of an error."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from providers.engine import Timeouts
from providers.formats.base import AnswerFacts
from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import RunningEdge, recorded, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.hostile.raw_provider import CLOSE, HANG, RESET, RawProvider, raw_provider
from tests.hostile.sdk_readers import ERRORS, SDKS, read_bytes
from tests.upstream.speaking import EVENTS, SAID

LINE_ENDS = re.compile(rb"\r\n|\n|\r")
BROKEN = b'data: {"broken": [\n\n'
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
ANY_SDK = pytest.mark.parametrize("client", SDKS)


def good(name: str) -> list[bytes]:
    """The events of a whole stream."""
    writer = FORMATS[name].writer(AnswerFacts("upstream-1", 1_780_000_000, "upstream"))
    data = writer.write(EVENTS) + writer.finish()
    return [block + b"\n\n" for block in LINE_ENDS.sub(b"\n", data).split(b"\n\n") if block]


def among(events: list[bytes], *strangers: bytes) -> bytes:
    """Strangers between all events."""
    return b"".join(event + b"".join(strangers) for event in events)


def without_names(events: list[bytes]) -> bytes:
    return re.sub(rb"event: .*\n", b"", b"".join(events))


REPAIRED: Mapping[str, Callable[[list[bytes]], bytes]] = {
    "as it should be": b"".join,
    "byte order mark": lambda events: b"\xef\xbb\xbf" + b"".join(events),
    "other line ends": lambda events: b"".join(events).replace(b"\n", b"\r\n"),
    "old line ends": lambda events: b"".join(events).replace(b"\n", b"\r"),
    "no space": lambda events: b"".join(events).replace(b"data: ", b"data:"),
    "no last blank line": lambda events: b"".join(events)[:-1],
    "no last line end": lambda events: b"".join(events)[:-2],
    "comments": lambda events: among(events, b": hello\n\n"),
    "comments inside": lambda events: b"".join(b": hello\n" + event for event in events),
    "ids and retries": lambda events: among(events, b"id: 7\nretry: 3000\n\n", b": hello\n\n"),
    "ids inside": lambda events: b"".join(b"id: 7\n" + event for event in events),
    "events without data": lambda events: among(events, b"event: ping\n\n"),
    "no names": without_names,
    "wrong names": lambda events: re.sub(rb"event: .*\n", b"event: message\n", b"".join(events)),
    "data in lines": lambda events: b"".join(events).replace(b'data: {"', b'data: {\ndata: "'),
    "one broken event": lambda events: events[0] + BROKEN + b"".join(events[1:]),
    "one event that is none": lambda events: events[0] + b"data: ping\n\n" + b"".join(events[1:]),
    "end said twice": lambda events: b"".join(events) + events[-1],
    "end said after the end": lambda events: b"".join(events) + b"data: [DONE]\n\n" * 3,
    "text after the end": lambda events: b"".join(events) + events[1] + BROKEN * 3,
    "broken UTF-8 elsewhere": lambda events: b"".join(events).replace(b'"upstream-1"', b'"upstream-\xff"'),
}
IMPATIENT = Timeouts(connect_s=30, first_byte_s=30, idle_s=0.5, total_s=60)
STRAY = {"stray [DONE]": lambda events: among(events, b"data: [DONE]\n\n")}


@pytest.fixture(scope="module")
def provider() -> Iterator[RawProvider]:
    with raw_provider() as provider:
        yield provider


@pytest.fixture(scope="module", params=list(FORMATS))
def spoken(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def edge(spoken, provider) -> Iterator[RunningEdge]:
    facts = a_provider(1, base_url=provider.base_url, wire_format=spoken)
    with running_edge([a_model(offerings=(an_offering(1, max_output_tokens=1000),))], [facts]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(edge):
    edge.forget()
    edge.records.clear()


@ANY_SDK
@pytest.mark.parametrize("fault", [*REPAIRED, *STRAY])
def test_sdk_reads_the_whole_answer_all_the_same(edge, provider, spoken, client, fault):
    if (fault in STRAY and spoken == "openai") or (fault == "text after the end" and spoken == "gemini"):
        pytest.skip("one format ends with [DONE], and another has no event that is its end")
    provider.stream((REPAIRED | STRAY)[fault](good(spoken)))
    assert SDKS[client](edge, "worker" if len(fault) % 2 else "direct") == SAID
    assert recorded(edge).outcome == "finished"


@ANY_SDK
@LANES
def test_broken_text_is_repaired(edge, provider, spoken, client, lane):
    provider.stream(b"".join(good(spoken)).replace(b"Hello", b"Hel\xfflo"))
    assert SDKS[client](edge, lane) == SAID.replace("Hello", "Hel\N{REPLACEMENT CHARACTER}lo")


@ANY_SDK
@LANES
def test_two_broken_events_end_the_stream_with_an_error(edge, provider, spoken, client, lane):
    events = good(spoken)
    text = next(place for place, event in enumerate(events) if b"Hello" in event) + 1
    provider.stream(b"".join(events[:text]) + BROKEN * 2 + b"".join(events[text:]))
    with pytest.raises(ERRORS):
        SDKS[client](edge, lane)


@ANY_SDK
@pytest.mark.parametrize("then", [CLOSE, RESET])
def test_answer_that_is_cut_in_its_text_ends_with_an_error(edge, provider, spoken, client, then):
    events = good(spoken)
    text = next(place for place, event in enumerate(events) if b"there" in event)
    provider.stream(b"".join(events[:text]) + events[text][:-9], then)
    with pytest.raises(ERRORS):
        SDKS[client](edge, "direct")
    assert recorded(edge).outcome in {"cut", "failed"}


OTHER_SHAPES = [
    b'{"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}',
    b'data: {"id": "x", "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}\n\n',
    b'data: {"id": "x", "choices": [{"index": 0, "text": "hi", "finish_reason": "stop"}]}\n\n',
    b'data: {"some": "thing"}\n\ndata: {"else": 1}\n\n',
    b'data: {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]}\n\n',
    b'data: {"candidates": "hi"}\n\ndata: {"candidates": [{"content": "hi", "finishReason": "STOP"}]}\n\n',
    b'data: {"object": "response", "status": "completed", "output": []}\n\n',
    b'data: "hi"\n\n',
    b"data: 7\n\n",
    b"data: []\n\n",
    b"data: null\n\n",
    b"data: [DONE]\n\n",
    b"<html>hello</html>",
    b"\n\n\n",
]


@ANY_SDK
@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_json_of_another_shape_is_a_failure_before_the_first_byte(edge, provider, client, shape):
    provider.stream(shape)
    answer = read_bytes(edge, client)
    assert answer.status_code == 502, answer.text
    assert recorded(edge).outcome == "failed"


@pytest.fixture
def houses(spoken, provider):
    """A provider that breaks off, and another one of the same format that answers well."""
    with raw_provider() as healthy:
        healthy.stream(b"".join(good(spoken)))
        offerings = tuple(an_offering(n, provider_id=n, max_output_tokens=1000) for n in (1, 2))
        facts = [
            a_provider(number, base_url=one.base_url, wire_format=spoken)
            for number, one in ((1, provider), (2, healthy))
        ]
        with running_edge([a_model(offerings=offerings)], facts) as running:
            yield running


@ANY_SDK
def test_cut_after_what_only_opens_an_answer_goes_to_the_next_provider(houses, provider, spoken, client):
    events = good(spoken)
    text = next(place for place, event in enumerate(events) if b"Hello" in event)
    openings = events[:text] or [b'data: {"responseId": "x", "usageMetadata": {"promptTokenCount": 7}}\n\n']
    for then in (CLOSE, RESET):
        houses.forget()
        houses.records.clear()
        provider.stream(b"".join(openings), then)
        assert SDKS[client](houses, "direct") == SAID
        assert houses.records.settled(2).outcomes == ["failed_over", "finished"]


@ANY_SDK
@pytest.mark.parametrize("then", [RESET, HANG])
def test_end_that_was_told_is_the_end_whatever_the_connection_does(provider, spoken, client, then):
    facts = a_provider(1, base_url=provider.base_url, wire_format=spoken)
    offering = an_offering(1, max_output_tokens=1000)
    timeouts = {"timeouts": IMPATIENT} if then == HANG else {}
    with running_edge([a_model(offerings=(offering,))], [facts], **timeouts) as running:
        events = [event for event in good(spoken) if b"[DONE]" not in event and b"message_stop" not in event]
        provider.stream(b"".join(events), then)
        assert SDKS[client](running, "direct") == SAID
        assert recorded(running).outcome == "finished"


@LANES
def test_events_go_on_byte_for_byte(edge, provider, spoken, lane):
    events = good(spoken)
    if spoken == "gemini":
        events = [event.replace(b"\n", b"\r\n") for event in events]
    strange = [
        event.replace(b'"upstream"', b'  "up\\u0073tream" ,  "new": [1.0, 1e2, {}]') for event in events
    ]
    if spoken == "responses":
        pytest.skip("this surface tells in the answer whether it is stored")
    provider.stream(b"".join(strange))
    told = read_bytes(edge, spoken, lane).content
    # Usage and the end are told in the relay's own words.
    own = [
        event for event in strange if spoken == "openai" and (b'"choices":[]' in event or b"[DONE]" in event)
    ]
    events = [event for event in strange if event not in own]
    assert told.startswith(b"".join(events))
    assert own or told == b"".join(events)


OWN_WORDS = {
    "anthropic": b'data: {"type":"content_block_delta","index":0,"delta":{"type":"vendors_delta","x":"Watching"}}\n\n',
    "responses": b'data: {"type":"response.image_generation_call.in_progress","item_id":"Watching"}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"parts":[{"inlineData":{"data":"Watching"}}]}}]}\n\n',
}


def test_what_only_its_own_clients_understand_is_not_held_back(edge, provider, spoken):
    """Pictures and vendors' tools take long: nobody is to think that nothing comes."""
    if spoken not in OWN_WORDS:
        pytest.skip("its relay knows no such events")
    provider.stream(OWN_WORDS[spoken], RESET)
    answer = read_bytes(edge, spoken)
    assert answer.status_code == 200
    assert "Watching" in answer.text
    assert recorded(edge).outcome == "cut"

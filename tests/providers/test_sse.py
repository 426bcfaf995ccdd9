"""The splitter gives the same events however they are framed and however the reads are cut."""

import pytest

from providers.wire.sse import LIMIT_BYTES, OversizedEvent, SseSplitter, event

EVENTS = ['{"text": "Grüße"}'.encode(), '{"text": "🎈"}'.encode(), b"[DONE]"]
PLAIN = b"".join(map(event, EVENTS))
FRAMINGS = {
    "plain": PLAIN,
    "CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "CR": PLAIN.replace(b"\n", b"\r"),
    "BOM": b"\xef\xbb\xbf" + PLAIN,
    "no space": PLAIN.replace(b"data: ", b"data:"),
    "comments": PLAIN.replace(b"data: ", b": keep-alive\n\n:\ndata: "),
    "other fields": PLAIN.replace(b"data: ", b"event: message\nid: 1\nretry: 3\nunknown\ndata: "),
    "named": PLAIN.replace(b"data: ", b"event: message\ndata: "),
    "named, CRLF": PLAIN.replace(b"data: ", b"event: message\ndata: ").replace(b"\n", b"\r\n"),
    "more blank lines": PLAIN.replace(b"\n\n", b"\n\n\n\n"),
}


def split(data: bytes, size: int, limit_bytes: int = LIMIT_BYTES) -> list[bytes]:
    splitter = SseSplitter(limit_bytes)
    found = [one for at in range(0, len(data), size) for one in splitter.feed(data[at : at + size])]
    return found + splitter.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_events_do_not_depend_on_framing_or_reads(framing, size):
    assert split(FRAMINGS[framing], size) == EVENTS


def test_data_of_several_lines_becomes_one_line():
    assert split(b'data: {"a":\ndata: 1}\n\n', 100) == [b'{"a": 1}']


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_data_of_several_lines_stays_one_event_however_the_reads_are_cut(end, size):
    assert split(end.join([b'data: {"a":', b"data: 1}", b"", b"data: 2", b"", b""]), size) == [
        b'{"a": 1}',
        b"2",
    ]


def test_event_without_its_blank_line_is_given_at_the_end():
    splitter = SseSplitter()
    assert splitter.feed(b"data: [DONE]") == []
    assert splitter.finish() == [b"[DONE]"]


def test_whole_plain_events_are_known_to_be_relayable():
    splitter = SseSplitter()
    splitter.feed(PLAIN)
    assert splitter.was_plain


@pytest.mark.parametrize("framing", [name for name in FRAMINGS if name != "plain"])
def test_other_framings_are_not_relayed_as_they_are(framing):
    splitter = SseSplitter()
    splitter.feed(FRAMINGS[framing])
    assert not splitter.was_plain


def test_rest_of_a_cut_event_is_not_relayed_as_it_is():
    splitter = SseSplitter()
    splitter.feed(PLAIN[:10])
    assert splitter.feed(PLAIN[10:]) == EVENTS
    assert not splitter.was_plain


def test_two_fields_in_one_event_are_not_taken_for_plain():
    splitter = SseSplitter()
    assert splitter.feed(b"data: {}\nid: 7\n\n") == [b"{}"]
    assert not splitter.was_plain


def test_comments_alone_are_no_event():
    assert split(b": a\n\n: b\n\n", 3) == []


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 1000, b"x" * 1000, b"data: " + b"x" * 1000 + b"\n"])
def test_endless_line_or_event_is_refused(piece):
    with pytest.raises(OversizedEvent):
        split(piece * 102, len(piece), limit_bytes=100_000)


def test_picture_of_many_megabytes_is_one_event():
    picture = b'{"data": "%b"}' % (b"A" * 20_000_000)
    assert split(event(picture), 65_536) == [picture]


def test_oversized_event_in_one_read_is_refused():
    with pytest.raises(OversizedEvent):
        SseSplitter().feed(event(b"x" * (LIMIT_BYTES + 1)))


def test_many_comments_are_not_an_oversized_event():
    assert split((b": " + b"x" * 998 + b"\n") * 120, 5000, limit_bytes=100_000) == []

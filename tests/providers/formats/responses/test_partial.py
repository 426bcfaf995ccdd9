"""Servers of a partial Responses: what its SDKs cannot do without is said for them, and nothing else is changed."""

import json
from typing import Any

import pytest

from providers.formats.registry import RESPONSES

USAGE = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
THOUGHT, MESSAGE, CALL = (
    {"id": id_, "type": kind}
    for id_, kind in [("rs_1", "reasoning"), ("msg_1", "message"), ("fc_1", "function_call")]
)
ENDED = {"id": "resp_1", "status": "completed", "output": [], "usage": USAGE}
WHOLE: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.output_item.added", "output_index": 0, "item": THOUGHT},
    {
        "type": "response.reasoning_summary_part.added",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": 0,
        "part": {},
    },
    {
        "type": "response.reasoning_summary_text.delta",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": 0,
        "delta": "Hm",
    },
    {
        "type": "response.reasoning_summary_part.added",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": 1,
        "part": {},
    },
    {
        "type": "response.reasoning_summary_text.delta",
        "item_id": "rs_1",
        "output_index": 0,
        "summary_index": 1,
        "delta": "Ah",
    },
    {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
    {"type": "response.output_item.added", "output_index": 1, "item": MESSAGE},
    {
        "type": "response.content_part.added",
        "item_id": "msg_1",
        "output_index": 1,
        "content_index": 0,
        "part": {},
    },
    {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "output_index": 1,
        "content_index": 0,
        "delta": "Hi",
    },
    {
        "type": "response.output_text.done",
        "item_id": "msg_1",
        "output_index": 1,
        "content_index": 0,
        "text": "Hi",
    },
    {
        "type": "response.content_part.done",
        "item_id": "msg_1",
        "output_index": 1,
        "content_index": 0,
        "part": {},
    },
    {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 2, "item": CALL},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": "{}"},
    {
        "type": "response.function_call_arguments.done",
        "item_id": "fc_1",
        "output_index": 2,
        "arguments": "{}",
    },
    {"type": "response.output_item.done", "output_index": 2, "item": CALL},
    {"type": "response.completed", "response": ENDED},
]
"""As it should be, but for the numbers of events and the details of usage."""
NUMBERS = ("sequence_number", "output_index", "content_index", "summary_index", "item_id")


def relayed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reader = RESPONSES.reader()
    reader.feed(b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events))
    return [json.loads(shown) for _, shown in reader.untouched]


def expected() -> list[dict[str, Any]]:
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    last = {**WHOLE[-1], "response": {**ENDED, "usage": {**USAGE, **details}}}
    return [{**event, "sequence_number": number} for number, event in enumerate([*WHOLE[:-1], last])]


@pytest.mark.parametrize(
    "left_out",
    [
        ("sequence_number",),
        ("sequence_number", "output_index"),
        ("content_index", "summary_index"),
        ("item_id",),
        NUMBERS,
    ],
    ids=", ".join,
)
def test_what_a_server_leaves_out_is_said(left_out: tuple[str, ...]) -> None:
    given = [{key: value for key, value in event.items() if key not in left_out} for event in expected()]
    assert relayed(given) == expected()


@pytest.mark.parametrize("begins", [True, False])
def test_items_without_ids_end_where_they_began(begins: bool) -> None:
    items = [{"type": "message"}, {"type": "function_call"}]
    kinds = ("added", "done") if begins else ("done",)
    told = relayed(
        [{"type": f"response.output_item.{kind}", "item": item} for item in items for kind in kinds]
    )
    assert [event["output_index"] for event in told] == [number for number in (0, 1) for _ in kinds]


def test_what_a_server_says_goes_on_byte_for_byte() -> None:
    reader = RESPONSES.reader()
    sources = [json.dumps(event, indent=1).replace("\n", "").encode() for event in expected()]
    reader.feed(b"".join(b"data: %b\n\n" % source for source in sources))
    assert [shown for _, shown in reader.untouched] == sources


def test_numbers_of_its_own_are_gone_on_from() -> None:
    numbered = [{**event, "sequence_number": 5} if event is WHOLE[0] else event for event in WHOLE]
    assert [event["sequence_number"] for event in relayed(numbered)] == list(range(5, 5 + len(WHOLE)))


@pytest.mark.parametrize(
    "garbled", [{"item": []}, {"item": {"id": []}}, {"item_id": []}, {"output_index": "0"}, {"part": 1}]
)
@pytest.mark.parametrize(
    "kind", ["output_item.added", "output_item.done", "output_text.delta", "content_part.added"]
)
def test_a_garbled_event_breaks_nothing(kind: str, garbled: dict[str, Any]) -> None:
    (told,) = relayed([{"type": f"response.{kind}", **garbled}])
    assert {"sequence_number", "output_index"} <= set(told)


@pytest.mark.parametrize("word", ["completed", "incomplete"])
def test_an_end_without_a_status_has_that_of_its_event(word: str) -> None:
    untold = {name: value for name, value in ENDED.items() if name != "status"}
    (told,) = relayed([{"type": f"response.{word}", "response": untold}])
    assert told["response"]["status"] == word

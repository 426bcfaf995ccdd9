"""Another vendor's web search stands in where a key allows it and it has a price; its searches are counted."""

import orjson
import pytest

from providers.formats.base import CannotTranslate
from providers.formats.losses import Kind
from providers.formats.registry import FORMATS
from providers.wire.events import UsageSeen
from providers.wire.upstream import Upstream
from tests.providers.formats.test_losses import FUNCTION, SEARCH_IN_ANTHROPIC, written

ALLOWED = Upstream("m", is_streamed=False, max_output_tokens=4000, searches=True)
SEARCHES = {
    "openai": {"web_search_options": {"search_context_size": "low"}},
    "responses": {"tools": [{"type": "web_search"}]},
    "anthropic": {"tools": [SEARCH_IN_ANTHROPIC]},
    "gemini": {"tools": [{"googleSearch": {}}]},
}
OWN = {
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "responses": {"type": "web_search"},
    "gemini": {"googleSearch": {}},
}
PAIRS = [(client, own) for client in SEARCHES for own in OWN if client != own]


@pytest.mark.parametrize(("client", "own"), PAIRS)
def test_search_is_the_providers_own_and_told(client, own):
    request = written(client, own, ALLOWED, **SEARCHES[client])
    assert request.body["tools"] == [OWN[own]]
    assert request.worst is Kind.HINT
    assert f"{own}'s web search" in request.lost[0]
    assert set(request.lost) <= set(request.translated)


@pytest.mark.parametrize(("client", "own"), PAIRS)
def test_search_is_refused_without_leave(client, own):
    with pytest.raises(CannotTranslate):
        written(client, own, **SEARCHES[client])


def test_search_stands_beside_functions_where_the_provider_has_both():
    tools = [FUNCTION["responses"], {"type": "web_search"}]
    request = written("responses", "anthropic", ALLOWED, tools=tools)
    assert [tool["name"] for tool in request.body["tools"]] == ["f", "web_search"]
    beside = written("responses", "gemini", ALLOWED, tools=tools)
    assert [list(tool) for tool in beside.body["tools"]] == [["functionDeclarations"]]
    assert beside.lost == ("tools.type=web_search -> left out",)


def test_place_of_the_user_is_left_out_and_told():
    tool = SEARCH_IN_ANTHROPIC | {"user_location": {"type": "approximate", "country": "NO"}, "max_uses": None}
    lost = written("anthropic", "gemini", ALLOWED, tools=[tool]).lost
    assert lost[1:] == ("tools.user_location -> left out",)


@pytest.mark.parametrize(
    ("client", "fields"),
    [
        ("anthropic", {"tools": [SEARCH_IN_ANTHROPIC | {"allowed_domains": ["a.example"]}]}),
        ("anthropic", {"tools": [SEARCH_IN_ANTHROPIC | {"max_uses": 1}]}),
        ("anthropic", {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}),
        (
            "anthropic",
            {"tools": [SEARCH_IN_ANTHROPIC], "tool_choice": {"type": "tool", "name": "web_search"}},
        ),
        ("responses", {"tools": [{"type": "web_search", "filters": {"allowed_domains": ["a.example"]}}]}),
        ("responses", {"tools": [{"type": "web_search"}], "tool_choice": "required"}),
        ("responses", {"tools": [{"type": "web_search"}], "max_tool_calls": 2}),
        ("responses", {"tools": [{"type": "web_search", "external_web_access": False}]}),
        ("gemini", {"tools": [{"googleSearch": {"excludeDomains": ["a.example"]}}]}),
        ("gemini", {"tools": [{"urlContext": {}}]}),
    ],
)
def test_search_that_is_bound_or_forced_is_refused_all_the_same(client, fields):
    own = "anthropic" if client == "gemini" else "gemini"
    with pytest.raises(CannotTranslate):
        written(client, own, ALLOWED, **fields)


def test_chat_server_has_no_search_to_stand_in():
    with pytest.raises(CannotTranslate):
        written("anthropic", "openai", ALLOWED, **SEARCHES["anthropic"])


TOLD = {"role": "model", "parts": [{"text": "hi"}]}
FOUND = {"webSearchQueries": ["a", "b"]}
SEARCHED = {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search"}}
OPENED = SEARCHED | {"action": {"type": "open_page"}}


def gemini(version):
    candidate = {"content": TOLD, "finishReason": "STOP", "groundingMetadata": FOUND}
    counts = {"promptTokenCount": 1, "candidatesTokenCount": 1}
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": version}


def responses(**more):
    told = {"id": "r", "object": "response", "status": "completed", "output": [SEARCHED, OPENED, SEARCHED]}
    return told | {"usage": {"input_tokens": 1, "output_tokens": 1}} | more


def anthropic(**usage):
    told = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]}
    return told | {"stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1, **usage}}


COUNTED = [
    ("anthropic", anthropic(server_tool_use={"web_search_requests": 3}), 3),
    ("anthropic", anthropic(server_tool_use={"web_search_requests": -1}), 0),
    ("anthropic", anthropic(server_tool_use=None), 0),
    ("responses", responses(), 2),
    ("responses", responses(tool_usage={"web_search": {"num_requests": 1}}), 1),
    ("responses", responses(tool_usage={"web_search": {"num_requests": 0}}), 0),
    ("responses", responses(tool_usage={"web_search": None}), 2),
    ("gemini", gemini("gemini-3.1-pro"), 2),
    ("gemini", gemini("gemini-2.5-pro"), 1),
]


@pytest.mark.parametrize(("own", "answer", "count"), COUNTED)
def test_searches_are_counted_for_the_bill(own, answer, count):
    (usage,) = [event.usage for event in FORMATS[own].read_answer(answer) if isinstance(event, UsageSeen)]
    assert usage.counts["web_searches"] == count


def stream_of(own, answer):
    match own:
        case "gemini":
            return [answer]
        case "responses":
            return [{"type": "response.completed", "response": answer}]
    usage = answer["usage"]
    return [
        {"type": "message_start", "message": answer | {"content": [], "usage": {"input_tokens": 1}}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]


@pytest.mark.parametrize(("own", "answer", "count"), COUNTED)
def test_searches_of_a_stream_are_counted_for_the_bill(own, answer, count):
    reader = FORMATS[own].reader()
    lines = b"".join(b"data: %b\n\n" % orjson.dumps(each) for each in stream_of(own, answer))
    events = [*reader.feed(lines), *reader.finish()]
    usage = next(event.usage for event in events if isinstance(event, UsageSeen))
    assert usage.counts["web_searches"] == count

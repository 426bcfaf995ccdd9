"""Where it is said what the system, or a developer, says behind the first turn."""

import pytest

from providers.formats.openai.fit import put_system_in_front
from providers.formats.registry import ANTHROPIC, FORMATS, OPENAI, RESPONSES
from providers.formats.translation import write_for
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.providers.test_openai_adapter import provider

U, A, S, D = ({"role": role, "content": role} for role in ("user", "assistant", "system", "developer"))
CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "tool"}
TAKES, LACKS = "claude-opus-4-8", "claude-sonnet-4-6"
IN_FRONT = frozenset({"system_in_front"})


def to_anthropic(messages, model):
    asked = OPENAI.read_request({"model": "m", "messages": messages})
    return write_for(ANTHROPIC, OPENAI, asked, Upstream(model, is_streamed=False, max_output_tokens=9))


def said(written):
    """Who says what, in a word for each block."""
    return [
        (turn["role"], "+".join(block.get("text", block["type"]) for block in turn["content"]))
        for turn in written.body["messages"]
    ]


@pytest.mark.parametrize(
    ("messages", "turns", "words"),
    [
        ([U, S], [("user", "user"), ("system", "system")], []),
        (
            [U, D, A, U],
            [("user", "user"), ("system", "developer"), ("assistant", "assistant"), ("user", "user")],
            [],
        ),
        # An answer may not come right before it, nor a turn of the user's behind it, nor two of them.
        (
            [U, A, S, U],
            [("user", "user"), ("assistant", "assistant"), ("user", "user"), ("system", "system")],
            ["behind the user's turn"],
        ),
        (
            [U, S, D, A, U][:4],
            [("user", "user"), ("system", "system+developer"), ("assistant", "assistant")],
            [],
        ),
        (
            [U, A, S, A, U],
            [
                ("user", "user"),
                ("assistant", "assistant"),
                ("user", "system"),
                ("assistant", "assistant"),
                ("user", "user"),
            ],
            ["content of the user"],
        ),
        ([U, S, U], [("user", "user+user"), ("system", "system")], ["behind the user's turn"]),
        # Nor may it part a call from its result.
        (
            [U, CALL, D, RESULT],
            [("user", "user"), ("assistant", "tool_use"), ("user", "tool_result"), ("system", "developer")],
            [],
        ),
    ],
)
def test_the_system_is_heard_where_the_model_takes_it(messages, turns, words):
    written = to_anthropic(messages, TAKES)
    assert said(written) == turns
    told = [line for line in written.translated if "system" in line]
    assert told == [f"messages of the system -> {each}" for each in words]
    assert (written.lost, list(written.told)) == ((), [line for line in told if "content of" in line])


@pytest.mark.parametrize(
    ("messages", "turns"),
    [
        ([U, S], [("user", "user+system")]),
        ([U, A, D, U], [("user", "user"), ("assistant", "assistant"), ("user", "developer+user")]),
        ([U, CALL, S, RESULT], [("user", "user"), ("assistant", "tool_use"), ("user", "tool_result+system")]),
    ],
)
def test_a_model_that_lacks_it_hears_it_in_the_turn_of_the_user(messages, turns):
    written = to_anthropic(messages, LACKS)
    assert said(written) == turns
    assert written.told == ("messages of the system -> content of the user",)


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("claude-opus-4-7", False),
        ("claude-opus-4-8", True),
        ("anthropic.claude-opus-4-8-v1:0", True),
        ("claude-sonnet-4-6", False),
        ("claude-sonnet-5", False),
        ("claude-sonnet-5-20260630", False),
        ("claude-sonnet-5-5", True),
        ("claude-haiku-5-5", True),
        ("claude-3-5-sonnet-20241022", False),
        ("kimi-k3", False),
    ],
)
def test_which_models_take_it(model, takes):
    assert (said(to_anthropic([U, S], model))[-1][0] == "system") is takes


def test_a_client_of_anthropics_own_format_is_helped_where_its_model_lacks_it():
    body = {"model": "m", "max_tokens": 9, "messages": [U, S, A, U]}
    asked = ANTHROPIC.read_request(body)
    for model, roles in (
        ("minimax-m3", ["user", "system", "assistant", "user"]),
        (TAKES, ["user", "system", "assistant", "user"]),
        (LACKS, ["user", "assistant", "user"]),
    ):
        written = ANTHROPIC.write_request(asked, Upstream(model, is_streamed=False))
        assert [turn["role"] for turn in written.body["messages"]] == roles
    assert written.body["messages"][0]["content"] == [
        {"type": "text", "text": "user"},
        {"type": "text", "text": "system"},
    ]
    assert written.translated == ("messages of the system -> content of the user",)
    alone = ANTHROPIC.write_request(
        ANTHROPIC.read_request({**body, "messages": [S]}), Upstream(LACKS, is_streamed=False)
    )
    assert [turn["role"] for turn in alone.body["messages"]] == ["user"]


@pytest.mark.parametrize(
    ("messages", "fitted"),
    [
        ([S, U], None),
        ([U, A], None),
        ([D, U], [{"role": "system", "content": "developer"}, U]),
        ([U, A, S, U], [S, U, A, U]),
        ([S, U, D, A], [{"role": "system", "content": "system\n\ndeveloper"}, U, A]),
        (
            [S, U, {"role": "system", "content": [{"type": "text", "text": "x"}]}],
            [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "system"}, {"type": "text", "text": "x"}],
                },
                U,
            ],
        ),
    ],
)
def test_a_template_that_wants_the_system_in_front_gets_one_message(messages, fitted):
    body = {"messages": messages}
    told = put_system_in_front(body)
    assert body["messages"] == (fitted or messages)
    assert told == (["messages of the system -> the first message"] if fitted else [])


@pytest.mark.parametrize("client", [OPENAI, RESPONSES], ids=["relayed", "translated"])
def test_chat_servers_of_that_quirk_are_spoken_to_so(client):
    said = {"messages": [U, D, A, U]} if client is OPENAI else {"input": [U, D, A, U]}
    upstream = Upstream("m", is_streamed=False, quirks=IN_FRONT)
    written = write_for(FORMATS["openai"], client, client.read_request({"model": "m", **said}), upstream)
    assert [message["role"] for message in written.body["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert written.told == ("messages of the system -> the first message",)


@pytest.mark.parametrize("more", [{}, {"n": 1}, {"seed": 1}], ids=["plain", "with more", "with tuning"])
def test_clients_of_chat_hear_of_that_too(more):
    call = Call("chat.completions", {"model": "m", "messages": [U, D], **more})
    upstream = Upstream("m", is_streamed=False, quirks=IN_FRONT)
    request = adapter_between("openai", "openai").request(call, provider(), upstream)
    assert request.told == ("messages of the system -> the first message",)

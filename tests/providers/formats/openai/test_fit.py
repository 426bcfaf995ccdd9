"""What is said to a provider of OpenAI's format under another name."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.formats.openai.fit import BEHIND_CALLS, fit, limit_name, put_results_behind_calls
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider


def said(body, *, params=(), quirks=()):
    body = dict(body)
    upstream = Upstream("m", is_streamed=False, params=frozenset(params), quirks=frozenset(quirks))
    return fit(body, upstream), body


@pytest.mark.parametrize(
    ("asked", "declared", "sent"),
    [
        ({"max_tokens": 5}, {"max_completion_tokens"}, {"max_completion_tokens": 5}),
        ({"max_completion_tokens": 5}, {"max_tokens"}, {"max_tokens": 5}),
        ({"max_tokens": 5}, {"max_tokens", "max_completion_tokens"}, {"max_tokens": 5}),
        ({"max_tokens": 5}, {"temperature"}, {"max_tokens": 5}),
        ({"max_tokens": 5}, (), {"max_tokens": 5}),
        (
            {"max_tokens": 5, "max_completion_tokens": 6},
            {"max_tokens"},
            {"max_tokens": 5, "max_completion_tokens": 6},
        ),
    ],
)
def test_the_limit_goes_under_the_name_that_is_declared(asked, declared, sent):
    translated, body = said(asked, params=declared)
    assert body == sent
    assert translated == ([] if sent == asked else [f"{next(iter(asked))} -> {next(iter(sent))}"])


def test_an_effort_is_an_object_for_those_that_want_one():
    translated, body = said({"reasoning_effort": "low"}, quirks={"reasoning_object"})
    assert (body, translated) == (
        {"reasoning": {"effort": "low"}},
        ["reasoning_effort -> reasoning.effort"],
    )


@pytest.mark.parametrize("asked", [{"reasoning": {"max_tokens": 9}, "reasoning_effort": "low"}, {}])
def test_an_object_that_was_sent_is_left_alone(asked):
    assert said(asked, quirks={"reasoning_object"}) == ([], asked)


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
def test_end_users_are_told_apart_and_not_named(name):
    calls = [Call("chat.completions", {"messages": [], name: user}, team_id=1) for user in ("ann", "bob")]
    sent = [OpenAIAdapter().request(call, a_provider(), Upstream("m", is_streamed=False)) for call in calls]
    ids = {orjson.loads(request.body)[name] for request in sent}
    assert len(ids) == 2
    assert ids.isdisjoint({"ann", "bob"})
    assert [request.translated for request in sent] == [(f"{name} -> hashed",)] * 2


@pytest.mark.parametrize(
    ("params", "asked", "name"),
    [
        ((), "", "max_tokens"),
        ((), "max_completion_tokens", "max_completion_tokens"),
        (("max_completion_tokens",), "", "max_completion_tokens"),
        (("max_tokens", "max_completion_tokens"), "", "max_completion_tokens"),
        (("max_tokens", "max_completion_tokens"), "max_tokens", "max_tokens"),
        (("temperature",), "max_completion_tokens", "max_completion_tokens"),
        (("max_tokens",), "max_completion_tokens", "max_tokens"),
    ],
)
def test_clients_have_their_word_for_the_limit_unless_only_the_other_is_declared(params, asked, name):
    assert limit_name(frozenset(params), asked) == name


THOUGHTS = {"reasoning_content": "Hm.", "reasoning": "Hm.", "reasoning_details": [{"text": "Hm."}]}


def thought(**members):
    return {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", **members}]}


@pytest.mark.parametrize(
    ("quirk", "members", "kept", "told"),
    [
        ("no_reasoning_input", THOUGHTS, {}, [f"messages.{name} -> left out" for name in THOUGHTS]),
        ("no_reasoning_input", {"reasoning_content": None}, {}, []),
        ("no_reasoning_input", {}, {}, []),
        (
            "reasoning_input",
            {"reasoning_content": "Hm."},
            {"reasoning": "Hm."},
            ["messages.reasoning_content -> messages.reasoning"],
        ),
        ("reasoning_input", {"reasoning": "Hm."}, {"reasoning": "Hm."}, []),
        ("wants_reasoning_input", {}, {"reasoning_content": " "}, []),
        ("wants_reasoning_input", {"reasoning_content": ""}, {"reasoning_content": " "}, []),
        ("wants_reasoning_input", {"reasoning_content": "Hm."}, {"reasoning_content": "Hm."}, []),
        ("reasoning_details", THOUGHTS, THOUGHTS, []),
        ("cache_control", THOUGHTS, THOUGHTS, []),
    ],
)
def test_thoughts_of_earlier_turns_go_back_under_the_name_that_a_provider_takes(quirk, members, kept, told):
    asked = thought(**members)
    translated, body = said(asked, quirks={quirk})
    assert (translated, body) == (told, thought(**kept))
    assert asked == thought(**members)


def chat(said: str) -> list[dict[str, Any]]:
    """`u` and `a` say something, `!xy` calls x and y, `=x` is what x gave."""
    kinds: dict[str, Callable[[str], dict[str, Any]]] = {
        "!": lambda ids: {"role": "assistant", "tool_calls": [{"id": each} for each in ids]},
        "=": lambda id_: {"role": "tool", "tool_call_id": id_},
        "u": lambda _: {"role": "user", "content": "u"},
        "a": lambda _: {"role": "assistant", "content": "a"},
    }
    return [kinds[word[0]](word[1:]) for word in said.split()]


@pytest.mark.parametrize(
    ("said", "fitted"),
    [
        ("u !x u =x a", "u !x =x u a"),
        ("!xy =y u =x", "!xy =y =x u"),
        ("!x a !y =x =y", "!x =x a !y =y"),
        ("!x =x !x u =x", "!x =x !x =x u"),
    ],
)
def test_results_of_tools_are_put_behind_their_calls(said: str, fitted: str) -> None:
    body = {"messages": chat(said)}
    assert put_results_behind_calls(body) == [BEHIND_CALLS]
    assert body["messages"] == chat(fitted)


@pytest.mark.parametrize("said", ["", "u a u", "!x =x", "!xy =y =x u", "=z u !x =x", "!x =x =z u"])
def test_a_history_that_is_in_order_stays_and_so_does_what_nobody_called_for(said: str) -> None:
    body = {"messages": (messages := chat(said))}
    assert put_results_behind_calls(body) == []
    assert body["messages"] is messages


def test_an_untouched_request_puts_results_behind_their_calls() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    called, result = (
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    )
    later = {"role": "user", "content": "and?"}
    body = {"model": "m", "messages": [called, later, result]}
    asked = Call("chat.completions", body, raw=orjson.dumps(body))
    request = OpenAIAdapter().request(asked, a_provider(), Upstream("m", is_streamed=False))
    assert orjson.loads(request.body)["messages"] == [called, result, later]
    assert BEHIND_CALLS in request.translated

"""What is said to a provider of OpenAI's format under another name."""

import orjson
import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.formats.openai.fit import fit, limit_name
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

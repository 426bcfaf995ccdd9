"""Which of a request's own troubles may go to another model, case by case."""

import orjson
import pytest

from catalogue.facts import ModelFacts
from gateway.proxy.fallbacks import (
    CAUSES,
    cause_of,
    is_refusal,
    read_fallbacks,
    refused_content,
    takes_more,
    with_routes,
)
from providers.wire.call import Call
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.gateway.proxy.values import a_model, an_offering

TOO_LONG, FILTERED = CAUSES


@pytest.mark.parametrize(
    ("body", "causes"),
    [
        ({}, ()),
        ({"fallback_on": None}, ()),
        ({"fallback_on": [FILTERED]}, (FILTERED,)),
        ({"fallback_on": [FILTERED, TOO_LONG]}, (FILTERED, TOO_LONG)),
        ({"fallback_on": [FILTERED, FILTERED]}, (FILTERED,)),
    ],
)
def test_causes_are_read_once_each(body, causes):
    assert read_fallbacks(body) == causes


def a_route(*causes):
    return ModelFacts("house/fast", "Fast", fallback_on=causes)


@pytest.mark.parametrize(
    ("asked", "routes", "causes"),
    [
        ((), (None,), []),
        ((FILTERED,), (None,), [FILTERED]),
        ((), (a_route(TOO_LONG),), [TOO_LONG]),
        ((FILTERED,), (a_route(TOO_LONG),), [TOO_LONG, FILTERED]),
        ((), (a_route(*CAUSES), a_route(FILTERED)), [FILTERED]),
        ((), (a_route(*CAUSES), a_route()), []),
        # What a client names beside a route is tried where it says so, and not where the route does.
        ((), (a_route(*CAUSES), None), []),
        ((FILTERED,), (a_route(*CAUSES), None), [FILTERED]),
    ],
)
def test_a_route_says_it_for_its_own_members_alone(asked, routes, causes):
    assert list(with_routes(asked, routes)) == causes


def a_failure(kind, code, *, refuses_content=False):
    failure = UpstreamFailure(kind, "It failed.", code=code)
    failure.refuses_content = refuses_content
    return failure


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (a_failure(FailureKind.CALLER, TOO_LONG), TOO_LONG),
        (a_failure(FailureKind.CALLER, "invalid_value"), ""),
        (a_failure(FailureKind.CALLER, "invalid_value", refuses_content=True), FILTERED),
        (a_failure(FailureKind.UNAVAILABLE, TOO_LONG), ""),
        (a_failure(FailureKind.UNAVAILABLE, "server_error", refuses_content=True), ""),
        (refused_content(), FILTERED),
    ],
)
def test_only_the_callers_own_trouble_is_a_cause(failure, cause):
    assert cause_of(failure) == cause


@pytest.mark.parametrize(
    ("window", "failed", "may_fit"),
    [(999, 1_000, False), (1_000, 1_000, False), (1_001, 1_000, True), (None, 1_000, True), (9, None, True)],
)
@pytest.mark.parametrize("of_offering", [False, True])
def test_a_prompt_that_was_too_long_may_fit_into_a_larger_window_or_an_unknown_one(
    window, failed, may_fit, of_offering
):
    def facts(length):
        # The offering's own goes before its model's.
        if of_offering and length:
            return a_model(context_length=5), an_offering(context_length=length)
        return a_model(context_length=length), an_offering()

    assert takes_more(*facts(window), *facts(failed)) is may_fit


def a_call(*causes, form="openai"):
    return Call("chat.completions", {}, format=form, fallback_on=causes)


def said(message, reason="content_filter"):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return orjson.dumps({"id": "x", "choices": [choice]})


def streamed(*deltas, reason="content_filter"):
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    return b"".join(b"data: %b\n\n" % orjson.dumps({"id": "x", "choices": [each]}) for each in choices)


A_TOOL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("answer", "is_streamed", "expected"),
    [
        (said({"content": None}), False, True),
        (said({"content": ""}), False, True),
        (said({"content": "Well,"}), False, False),
        (said({"content": None, "tool_calls": [A_TOOL]}), False, False),
        (said({"content": None}, "stop"), False, False),
        (streamed({"content": ""}), True, True),
        (streamed({"content": "Well,"}), True, False),
        (streamed({"content": ""}, reason="stop"), True, False),
        (b"{torn", False, False),
        (b"[]", False, False),
    ],
)
def test_an_answer_that_says_nothing_but_that_a_filter_refused_it_is_a_refusal(answer, is_streamed, expected):
    assert is_refusal(a_call(FILTERED), answer, is_streamed=is_streamed) is expected


@pytest.mark.parametrize("call", [a_call(), a_call(TOO_LONG), a_call(FILTERED, form="unknown")])
def test_answers_are_read_only_where_the_request_asks_for_that(call):
    assert not is_refusal(call, said({"content": None}), is_streamed=False)

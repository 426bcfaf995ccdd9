"""What was said to a provider in other words is told to whoever asks for it."""

import pytest

from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import speaking

SAY = [{"role": "user", "content": "hi"}]
SHOW = {"x-gateway-show-translated": "1"}
DECLARED = frozenset({"max_completion_tokens", "temperature"})
ASKED = {
    "openai": {"max_tokens": 50, "temperature": 0.5, "invented": 1, "user": "u-1"},
    "responses": {"reasoning_effort": "low", "store": True, "temperature": 0.5, "user": "u-1"},
    "anthropic": {"reasoning_effort": "low", "store": True, "metadata": {"a": "b"}, "max_tokens": 4000},
    "gemini": {"reasoning_effort": "low", "metadata": {"a": "b"}, "user": "u-1"},
}
TOLD = {
    "openai": {"max_tokens -> max_completion_tokens", "user -> hashed"},
    "responses": {"store -> left out", "user -> hashed"},
    "anthropic": {
        "reasoning_effort -> output_config.effort=low",
        "metadata -> left out",
        "store -> left out",
    },
    "gemini": {
        "reasoning_effort -> generationConfig.thinkingConfig.thinkingLevel",
        "metadata -> left out",
        "user -> left out",
    },
}


@pytest.fixture(scope="module", params=list(ASKED))
def told(request):
    with speaking(request.param) as speaker:
        offering = an_offering(1, params=DECLARED, max_output_tokens=5000)
        provider = a_provider(1, base_url=speaker.base_url, wire_format=request.param)
        with running_edge([a_model(offerings=(offering,))], [provider]) as edge:
            yield edge, speaker


def ask(edge, wire_format, *, lane="direct", show="1", **more):
    with edge.client(**{"x-gateway-lane": lane, "x-gateway-show-translated": show}) as client:
        body = {"model": "acme/one", "messages": SAY, **ASKED[wire_format], **more}
        return client.post("/v1/chat/completions", json=body)


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_was_translated_is_listed_when_it_is_asked_for(told, lane, is_streamed):
    edge, speaker = told
    name = speaker.wire_format.name
    answer = ask(edge, name, lane=lane, stream=is_streamed)
    assert answer.status_code == 200, answer.text
    assert set(answer.headers["x-gateway-translated"].split(", ")) == TOLD[name]


def test_nothing_is_listed_unless_it_is_asked_for(told):
    edge, speaker = told
    for show in ("", "0"):
        assert "x-gateway-translated" not in ask(edge, speaker.wire_format.name, show=show).headers


def test_a_request_that_is_said_as_it_is_has_an_empty_list(told):
    edge, _ = told
    with edge.client(**SHOW) as client:
        answer = client.post("/v1/chat/completions", json={"model": "acme/one", "messages": SAY})
    assert answer.headers["x-gateway-translated"] == ""


def test_another_value_than_one_or_zero_is_refused(told):
    edge, speaker = told
    answer = ask(edge, speaker.wire_format.name, show="yes please")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-gateway-show-translated")


def test_undeclared_parameter_is_forwarded_or_refused_by_name(told):
    """The rule for each format: forwarded where the format has a place for it, else refused."""
    edge, speaker = told
    name = speaker.wire_format.name
    has_place = {"openai": True, "gemini": True, "responses": False, "anthropic": False}[name]
    speaker.seen.clear()
    answer = ask(edge, name, seed=7)
    if has_place:
        assert answer.status_code == 200, answer.text
        assert "7" in str(speaker.seen[0][2])
    else:
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "seed")
        assert speaker.seen == []


@pytest.mark.parametrize("asked", [{"logprobs": True}, {"response_format": {"type": "json_object"}}])
def test_undeclared_parameter_that_makes_the_answer_another_one_is_refused(told, asked):
    edge, speaker = told
    speaker.seen.clear()
    answer = ask(edge, speaker.wire_format.name, **asked)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(asked)))
    assert speaker.seen == []

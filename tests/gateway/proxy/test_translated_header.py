"""What was said to a provider in other words is told to whoever asks for it."""

import pytest

from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import speaking

SAY = [{"role": "user", "content": "hi"}]
SHOW = {"x-gateway-show-translated": "1"}
DECLARED = frozenset({"max_completion_tokens", "temperature", "reasoning_effort"})
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


@pytest.mark.parametrize("show", ["", "0"])
def test_only_what_was_lost_is_listed_where_nobody_asks(told, show):
    edge, speaker = told
    name = speaker.wire_format.name
    lost = {line for line in TOLD[name] if line.endswith("left out")}
    listed = ask(edge, name, show=show).headers.get("x-gateway-translated")
    assert (None if listed is None else set(listed.split(", "))) == (lost or None)


def test_list_is_cut_at_two_kibibytes_and_counts_the_rest(told):
    edge, speaker = told
    members = {f"member_{number:03}": 1 for number in range(90)}
    body = {"model": "acme/one", "input": [{"role": "user", "content": "hi", **members}]}
    with edge.client() as client:
        answer = client.post("/v1/responses", json=body)
    assert answer.status_code == 200, answer.text
    if speaker.wire_format.name != "responses":
        listed = answer.headers["x-gateway-translated"].split(", ")
        assert listed[0] == "input.member_000 -> left out"
        assert 1950 < len(", ".join(listed)) <= 2048
        assert listed[-1] == f"and {90 - len(listed) + 1} more"


def test_a_line_longer_than_all_of_it_is_counted(told):
    edge, speaker = told
    body = {"model": "acme/one", "input": [{"role": "user", "content": "hi", "m" * 3000: 1}]}
    with edge.client() as client:
        answer = client.post("/v1/responses", json=body)
    if speaker.wire_format.name != "responses":
        assert answer.headers["x-gateway-translated"] == "and 1 more"


def test_a_request_that_is_said_as_it_is_has_an_empty_list(told):
    edge, _ = told
    with edge.client(**SHOW) as client:
        answer = client.post("/v1/chat/completions", json={"model": "acme/one", "messages": SAY})
    assert answer.headers["x-gateway-translated"] == ""


def test_another_value_than_one_or_zero_is_refused(told):
    edge, speaker = told
    answer = ask(edge, speaker.wire_format.name, show="yes please")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-gateway-show-translated")


def test_undeclared_tuning_is_left_out_and_told(told):
    edge, speaker = told
    speaker.seen.clear()
    answer = ask(edge, speaker.wire_format.name, seed=7, show="")
    assert answer.status_code == 200, answer.text
    assert "seed" not in str(speaker.seen[0][2])
    assert "seed -> left out" in answer.headers["x-gateway-translated"].split(", ")


@pytest.mark.parametrize("asked", [{"logprobs": True}, {"response_format": {"type": "json_object"}}])
def test_undeclared_parameter_that_makes_the_answer_another_one_is_refused(told, asked):
    edge, speaker = told
    speaker.seen.clear()
    answer = ask(edge, speaker.wire_format.name, **asked)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(asked)))
    assert speaker.seen == []

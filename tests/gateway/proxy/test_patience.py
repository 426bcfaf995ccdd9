"""How long an answer is waited for, what becomes of one that does not come, and what its client sees meanwhile."""

import json
from typing import Any

import pytest

from gateway.proxy.errors import InvalidRequest
from gateway.proxy.patience import Patience, limits_for, read_client_wait
from providers.engine import Timeouts
from providers.operations.registry import operation_of
from providers.wire.call import Call
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider
from tests.upstream.speaking import SAID, speaking

LIMITS = Timeouts(connect_s=3, first_byte_s=60, idle_s=60, total_s=600)
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
SAY = [{"role": "user", "content": "hi"}]
CONTENTS = [{"parts": [{"text": "hi"}]}]
# By surface: path, format, body, and what of a body asks for thoughts, and asks for none.
SURFACES = {
    "chat.completions": (
        "/v1/chat/completions",
        "openai",
        {"messages": SAY},
        {"reasoning_effort": "low"},
        {"reasoning_effort": "none"},
    ),
    "responses": (
        "/v1/responses",
        "responses",
        {"input": "hi"},
        {"reasoning": {"effort": "low"}},
        {"reasoning": {"effort": "none"}},
    ),
    "messages": (
        "/v1/messages",
        "anthropic",
        {"messages": SAY, "max_tokens": 9},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
        {"thinking": {"type": "disabled"}},
    ),
    "generate_content": (
        "/v1beta/models/acme/one:streamGenerateContent?alt=sse",
        "gemini",
        {"contents": CONTENTS},
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
        {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}},
    ),
}
DECLARED = frozenset({"temperature", "reasoning_effort"})


def waited(call: Call, *, declares=frozenset(), patience_s=None, own_s=None) -> tuple[float, float]:
    """Until the first byte, and in silence later on."""
    provider = a_provider(patience_s=patience_s)
    limits = limits_for(LIMITS, call, an_offering(params=frozenset(declares), patience_s=own_s), provider)
    assert (limits.connect_s, limits.total_s) == (3, 600)
    return limits.first_byte_s, limits.idle_s


def called(surface: str, said: str = "", **facts) -> Call:
    _, form, body, asks, declines = SURFACES[surface]
    body = {"model": "m", **body, **{"": {}, "asked": asks, "declined": declines}[said]}
    call = Call(surface, body, format=form, is_streamed=True)
    call.asks_reasoning = operation_of(surface).requirements(call).asks_reasoning
    for name, value in facts.items():
        setattr(call, name, value)
    return call


def streamed(surface: str, model: str) -> dict[str, Any]:
    body = SURFACES[surface][2]
    return body if surface == "generate_content" else {"model": model, "stream": True, **body}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("said", "declares", "waits"),
    [
        ("", frozenset(), (60, 60)),
        ("", frozenset({"temperature"}), (60, 60)),
        ("", DECLARED, (300, 300)),
        ("asked", frozenset(), (300, 300)),
        ("asked", DECLARED, (300, 300)),
        ("declined", DECLARED, (60, 60)),
    ],
)
def test_a_stream_is_waited_for_longer_where_the_model_thinks(surface, said, declares, waits):
    assert waited(called(surface, said), declares=declares) == waits


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("said", ["", "asked", "declined"])
def test_a_whole_answer_may_take_all_of_an_attempts_time(surface, said):
    assert waited(called(surface, said, is_streamed=False)) == (600, 600)


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ({}, None),
        ({"reasoning_effort": None}, None),
        ({"reasoning_effort": "default"}, None),
        ({"reasoning": {"enabled": True}}, True),
        ({"reasoning": {"effort": "none"}}, False),
        ({"thinking": {"type": "enabled"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"enable_thinking": True}, True),
        ({"enable_thinking": False}, False),
    ],
)
def test_vendors_words_of_chat_ask_for_thoughts_too(body, asks):
    call = Call("chat.completions", {"messages": SAY, **body}, is_streamed=True)
    assert operation_of(call.endpoint).requirements(call).asks_reasoning is asks


def test_vectors_are_waited_for_as_nothing_has_to_be_generated():
    assert waited(Call("embeddings", {"input": "hi"})) == (60, 60)


@pytest.mark.parametrize(("own_s", "waits"), [(200, (200, 200)), (None, (100, 100))])
def test_an_offerings_own_patience_wins_over_its_providers(own_s, waits):
    assert waited(called("chat.completions"), patience_s=100, own_s=own_s) == waits


@pytest.mark.parametrize(("patience_s", "waits"), [(20, (20, 60)), (200, (200, 200)), (9000, (600, 600))])
@pytest.mark.parametrize("said", ["", "asked"])
def test_a_providers_own_patience_wins_within_an_attempts_time(patience_s, waits, said):
    assert waited(called("chat.completions", said), patience_s=patience_s) == waits


@pytest.mark.parametrize(
    ("headers", "waits_s"),
    [
        ({}, 0),
        ({b"x-gateway-timeout-ms": b"1500"}, 1.5),
        ({b"x-gateway-timeout-ms": b"1500", b"x-stainless-read-timeout": b"600"}, 1.5),
        ({b"x-stainless-read-timeout": b"600"}, 600),
        ({b"x-stainless-read-timeout": b"12.5"}, 12.5),
        ({b"x-stainless-timeout": b"600"}, 600),
        ({b"x-server-timeout": b"30"}, 30),
        ({b"x-stainless-timeout": b"NOT_GIVEN"}, 0),
        ({b"x-stainless-read-timeout": b"-1", b"x-server-timeout": b"nan"}, 0),
    ],
)
def test_the_clients_own_deadline_is_read_in_our_words_and_its_sdks(headers, waits_s):
    assert read_client_wait(headers) == waits_s


@pytest.mark.parametrize(
    ("said", "of_key_s", "waits_s"),
    [(b"", 2.5, 2.5), (b"1500", 2.5, 1.5), (b"1500", 0.5, 0.5), (b"1500", 0.0, 1.5), (b"", 0.0, 0.0)],
)
def test_of_the_keys_deadline_and_the_requests_the_smaller_wins(said, of_key_s, waits_s):
    headers = {b"x-gateway-timeout-ms": said} if said else {}
    assert read_client_wait(headers, of_key_s) == waits_s


@pytest.mark.parametrize("said", [b"0", b"-5", b"1.5", b"soon", b"86400001", b"9" * 5000])
def test_a_deadline_that_is_none_is_refused_by_name(said):
    with pytest.raises(InvalidRequest) as caught:
        read_client_wait({b"x-gateway-timeout-ms": said})
    assert caught.value.param == "x-gateway-timeout-ms"


@pytest.mark.parametrize(
    ("waits_s", "is_streamed", "limits"),
    [(10, True, (10, 600)), (10, False, (10, 10)), (900, True, (60, 600)), (900, False, (600, 600))],
)
def test_no_attempt_is_given_more_than_the_client_waits(waits_s, is_streamed, limits):
    call = called("chat.completions", is_streamed=is_streamed)
    limits_of_all = limits_for(LIMITS, call, an_offering(), a_provider())
    given = Patience(waits_s).shorten(limits_of_all, is_streamed=is_streamed)
    assert (given.first_byte_s, given.total_s) == pytest.approx(limits, abs=1)


HASTY = Timeouts(connect_s=5, first_byte_s=0.3, idle_s=30, total_s=0.5, thinking_s=30)


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider(default="hang") as provider:
        yield provider


@pytest.fixture(scope="module")
def second():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def edge(provider, second):
    prices = (a_price("input_text_tokens", "1"),)
    models = [
        a_model(offerings=(an_offering(1, prices=prices), an_offering(2, provider_id=2, position=1))),
        a_model("acme/alone", offerings=(an_offering(3, prices=prices),)),
    ]
    providers = [a_provider(1, base_url=provider.base_url), a_provider(2, base_url=second.base_url)]
    with running_edge(models, providers, timeouts=HASTY, open_after_s=60) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(request):
    if "edge" in request.fixturenames:
        edge = request.getfixturevalue("edge")
        edge.forget()
        edge.records.clear()


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_attempt_that_timed_out_is_hung_up_on_and_its_prompt_is_our_loss(
    edge, provider, lane, is_streamed
):
    asked = len(provider.calls)
    answer = edge.chat(lane=lane, stream=is_streamed)
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2")
    timed_out, finished = edge.records.settled(2).closes
    assert (timed_out.outcome, timed_out.error_code) == ("failed_over", "provider_timeout")
    assert (timed_out.cost_usd, timed_out.is_estimated) == ("0.0000000000", True)
    assert float(timed_out.loss_usd) > 0
    assert timed_out.usage["output_tokens"] == 0
    assert finished.outcome == "finished"
    wait_until(lambda: provider.calls[asked].has_hung_up, "hanging up on the provider")


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
def test_nothing_is_tried_again_once_the_client_has_waited_for_as_long_as_it_would(edge, lane, is_streamed):
    headers = {"x-gateway-lane": lane, "x-gateway-timeout-ms": "100"}
    body = {"model": "acme/one", "messages": SAY, "stream": is_streamed}
    with edge.client(**headers) as client:
        answer = client.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "client_deadline")
    (closed,) = edge.records.settled().closes
    assert (closed.outcome, closed.error_code) == ("failed", "client_deadline")
    assert float(closed.loss_usd) > 0
    assert edge.process.services.health.status(1, 0).success_rate == 1


@LANES
def test_a_keys_deadline_ends_calls_that_would_wait_longer(edge, lane):
    key = edge.keys.issue(deadline_s=0.1)
    body = {"model": "acme/one", "messages": SAY}
    with edge.client(key, **{"x-gateway-lane": lane, "x-gateway-timeout-ms": "60000"}) as client:
        answer = client.post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "client_deadline")
    assert float(edge.records.settled().closes[0].loss_usd) > 0


def test_a_stream_that_opens_and_says_nothing_ends_at_the_clients_deadline_too(edge, provider):
    provider.script("slow?first=3600")
    with edge.client(**{"x-gateway-lane": "direct", "x-gateway-timeout-ms": "200"}) as client:
        answer = client.post(
            "/v1/chat/completions", json={"model": "acme/alone", "messages": SAY, "stream": True}
        )
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "client_deadline")


@LANES
def test_a_deadline_is_no_limit_for_a_stream_that_has_begun(provider, lane):
    provider.script("slow?chunks=15&delay=0.1")
    body = {"model": "acme/one", "messages": SAY, "stream": True}
    told = {"x-gateway-lane": lane, "x-gateway-timeout-ms": "1000"}
    with (
        running_edge([a_model()], [a_provider(base_url=provider.base_url)]) as unhurried,
        unhurried.client(**told) as client,
    ):
        answer = client.post("/v1/chat/completions", json=body)
    assert answer.text.endswith("data: [DONE]\n\n"), answer.text


@pytest.fixture(scope="module")
def impatient(provider, second):
    """Streams that say nothing are opened at once."""
    models = [
        a_model(offerings=(an_offering(1), an_offering(2, provider_id=2, position=1))),
        a_model("acme/alone", offerings=(an_offering(3),)),
    ]
    providers = [a_provider(1, base_url=provider.base_url), a_provider(2, base_url=second.base_url)]
    limits = Timeouts(connect_s=5, first_byte_s=0.5, idle_s=30, total_s=30)
    with running_edge(models, providers, timeouts=limits, open_after_s=0.2, heartbeat_s=0.1) as running:
        yield running


AT_END = {"generate_content": "finishMessage", "responses": "told_late"}
"""Surfaces whose last event has a place for what is known late, and its name."""


def told_at_end(text: str) -> str | None:
    """In the last event, and in no other."""
    events = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    assert not any(f'"{name}"' in event for event in events[:-1] for name in AT_END.values())
    last = json.loads(events[-1])
    inside = [*last.get("candidates", ()), last.get("response") or {}]
    return next((part[name] for part in inside for name in AT_END.values() if name in part), None)


@LANES
@pytest.mark.parametrize("surface", SURFACES)
def test_a_stream_that_is_silent_for_long_is_opened_and_still_fails_over(impatient, surface, lane):
    path = SURFACES[surface][0]
    impatient.forget()
    with impatient.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post(path, json=streamed(surface, "acme/one"))
    assert answer.status_code == 200
    assert "x-gateway-provider" not in answer.headers
    beat = "\r\n" if surface == "generate_content" else ": keep-alive\n\n"
    assert answer.text.startswith(beat)
    assert [": x-gateway-provider: provider-2\n" in answer.text, told_at_end(answer.text)] == (
        [False, "x-gateway-provider: provider-2; x-gateway-model: acme/one; x-gateway-attempts: 2"]
        if surface in AT_END
        else [True, None]
    )
    assert '"error":{' not in answer.text


@LANES
@pytest.mark.parametrize("surface", SURFACES)
def test_what_fails_after_it_was_opened_ends_with_an_error_in_the_stream(impatient, surface, lane):
    path = SURFACES[surface][0]
    impatient.forget()
    with impatient.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post(path.replace("acme/one", "acme/alone"), json=streamed(surface, "acme/alone"))
    assert answer.status_code == 200
    last = json.loads(answer.text.rpartition("data: ")[2])
    told = json.dumps(last).lower()
    assert "provider_timeout" in told
    assert "[DONE]" not in answer.text


@LANES
def test_a_refusal_that_comes_before_that_keeps_its_status(impatient, provider, lane):
    provider.script("400")
    assert impatient.chat("acme/alone", stream=True, lane=lane).status_code == 400


@pytest.mark.parametrize("surface", SURFACES)
def test_untouched_streams_say_all_the_same_after_they_were_opened(surface):
    path, form, *_ = SURFACES[surface]
    with speaking(form) as speaker:
        facts = a_provider(base_url=speaker.base_url, wire_format=form)
        model = a_model(offerings=(an_offering(max_output_tokens=100),))
        with running_edge([model], [facts], open_after_s=0, with_worker=False) as running:
            speaker.pause_s = 0.5
            with running.client() as client:
                answer = client.post(path, json=streamed(surface, "acme/one"))
    assert "x-gateway-provider" not in answer.headers
    assert ("x-gateway-provider" in (told_at_end(answer.text) or "")) is (surface in AT_END)
    assert all(word in answer.text for word in SAID.split())

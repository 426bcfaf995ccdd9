"""One chat call through the edge, in both lanes, over real sockets."""

import json
import threading
import time

import httpx
import pytest

from providers.engine import Timeouts
from providers.wire.failure import FailureKind
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.lanes import Listener
from tests.gateway.proxy.values import AT, a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])


@pytest.fixture
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def edge(first, second):
    endpoints = frozenset({"chat.completions", "embeddings"})
    offerings = (
        an_offering(1, provider_id=1, prices=PRICES, endpoints=endpoints),
        an_offering(2, provider_id=2, position=1, prices=PRICES, endpoints=endpoints),
    )
    models = [
        a_model(offerings=offerings),
        a_model("acme/old", deprecation_at=AT, offerings=(an_offering(3),)),
        a_model(
            "acme/gone",
            retirement_at=AT,
            successor_id="acme/one",
            alias_policies={"gone": "redirect"},
            aliases=("gone",),
            offerings=(),
        ),
    ]
    providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=second.base_url)]
    with running_edge(models, providers) as running:
        yield running


@LANES
def test_a_chat_is_answered_and_says_by_whom(edge, lane):
    answer = edge.chat(lane=lane)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"]
    expected = {"x-gateway-provider": "provider-1", "x-gateway-model": "acme/one", "x-gateway-lane": lane}
    assert expected.items() <= answer.headers.items()
    assert answer.headers["x-request-id"].startswith("req_")


@LANES
def test_an_attempt_is_recorded_once_with_its_cost(edge, lane):
    answer = edge.chat(lane=lane)
    records = edge.records.settled()
    assert [record.attempt_id for record in records.opens] == [record.attempt_id for record in records.closes]
    assert (records.outcomes, records.opens[0].lane) == (["finished"], lane)
    assert float(records.closes[0].cost_usd) == float(answer.headers["x-gateway-cost"]) > 0


@LANES
def test_a_stream_ends_once_and_hides_usage_that_nobody_asked_for(edge, lane):
    text = edge.chat(lane=lane, stream=True).text
    assert text.count("data: [DONE]") == 1
    assert '"usage":{' not in text.replace(" ", "")
    assert edge.records.settled().closes[0].usage["output_tokens"] > 0


@LANES
def test_usage_comes_with_the_stream_when_asked_for(edge, lane):
    text = edge.chat(lane=lane, stream=True, stream_options={"include_usage": True}).text
    assert '"usage":{' in text.replace(" ", "")


@LANES
@pytest.mark.parametrize(
    "fault", ["401", "402", "403", "429", "500", "503", "html-200", "error-in-200", "rst-before"]
)
def test_a_failure_before_the_first_byte_goes_to_the_next_offering(edge, first, second, lane, fault):
    first.script(fault)
    answer = edge.chat(lane=lane)
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-2")
    assert answer.headers["x-gateway-attempts"] == "2"
    assert edge.records.settled(2).outcomes == ["failed_over", "finished"]


def test_a_failure_is_final_where_the_next_offering_is_left_alone(edge, first, second):
    second.default = "401"
    edge.process.services.health.failed(2, FailureKind.AUTH, time.monotonic() - 31)
    edge.process.services.health.admits(2, time.monotonic())
    first.script("500")
    assert edge.chat().status_code == 502
    assert edge.records.settled().outcomes == ["failed"]


@LANES
@pytest.mark.parametrize(("fault", "status"), [("500", 502), ("401", 502), ("429", 429)])
def test_trouble_at_every_provider_is_never_our_500_nor_the_callers_401(
    edge, first, second, lane, fault, status
):
    first.default = second.default = fault
    answer = edge.chat(lane=lane)
    assert answer.status_code == status
    assert answer.json()["error"]["code"]


@LANES
def test_of_several_that_are_limited_the_client_waits_for_the_first_to_have_room(edge, first, second, lane):
    first.script("429?retry-after=9")
    second.script("429?retry-after=4")
    answer = edge.chat(lane=lane)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
    assert edge.records.settled(2).outcomes == ["failed_over", "failed"]


@LANES
def test_silence_of_the_provider_is_a_504(lane):
    hasty = Timeouts(connect_s=5, first_byte_s=0.2, idle_s=5, total_s=0.2)
    with (
        ScriptedProvider(default="hang") as provider,
        running_edge([a_model()], [a_provider(base_url=provider.base_url)], timeouts=hasty) as edge,
    ):
        answer = edge.chat(lane=lane)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "provider_timeout")


@LANES
@pytest.mark.parametrize("fault", ["401", "402", "403"])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_refused_credential_or_account_is_the_gateways_trouble_and_told_to_staff_only(
    edge, first, second, lane, fault, is_streamed
):
    first.default = second.default = fault
    answer = edge.chat(lane=lane, stream=is_streamed)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (502, "provider_auth_error")
    assert error["message"] == "The provider refused the gateway's credential."
    for closed in edge.records.settled(2).closes:
        assert closed.about_us.startswith("The provider refused the gateway's credential. It said: ")
        assert "sk-" not in closed.about_us


@LANES
def test_used_up_quota_is_told_to_staff(edge, first, second, lane):
    first.script("429-quota")
    assert edge.chat(lane=lane).status_code == 200
    quota, finished = edge.records.settled(2).closes
    assert "exceeded your current quota" in quota.about_us
    assert finished.about_us == ""


@LANES
def test_the_callers_own_mistake_is_passed_on_and_not_tried_again(edge, first, second, lane):
    first.script("400")
    answer = edge.chat(lane=lane)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "temperature")
    assert (len(first.calls), len(second.calls)) == (1, 0)


@LANES
def test_a_stream_cut_short_is_an_error_event_and_no_tidy_end(edge, first, second, lane):
    first.script("rst-mid")
    text = edge.chat(lane=lane, stream=True).text
    last = json.loads(text.strip().split("data: ")[-1])
    assert last["error"]["code"] == "provider_disconnected"
    assert "[DONE]" not in text
    assert edge.records.settled().outcomes == ["cut"]
    assert len(second.calls) == 0


@LANES
def test_a_client_that_leaves_ends_the_upstream_call(edge, first, lane):
    first.script("never-ending?delay=0.05")
    given = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with (
        edge.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", "/v1/chat/completions", json=given) as answer,
    ):
        next(answer.iter_bytes())
    assert edge.records.settled().outcomes == ["cancelled"]
    wait_until(lambda: first.calls[0].has_hung_up, "hanging up on the provider")


@LANES
def test_a_client_that_leaves_before_the_first_byte_is_noticed_too(edge, first, lane):
    first.script("slow-headers?seconds=60")
    with edge.client(**{"x-gateway-lane": lane}) as client, pytest.raises(httpx.ReadTimeout):
        client.post(
            "/v1/chat/completions",
            json={"model": "acme/one", "messages": [{"role": "user", "content": "x"}]},
            timeout=2,
        )
    records = edge.records.settled()
    assert (records.outcomes, float(records.closes[0].cost_usd)) == (["cancelled"], 0)


@LANES
def test_an_answer_that_is_out_is_finished_even_if_the_provider_dawdles_after_it(edge, first, lane):
    first.script("after-done?seconds=0.2")
    assert edge.chat(lane=lane, stream=True).text.endswith("data: [DONE]\n\n")
    assert edge.records.settled().outcomes == ["finished"]


@LANES
def test_embeddings_come_from_the_model_asked_for(edge, lane):
    with edge.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post("/v1/embeddings", json={"model": "acme/one", "input": "hello"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["embedding"]


def test_unknown_parameters_reach_the_provider_and_ours_do_not(edge, first):
    edge.chat(frobnicate={"deep": [1]}, project_id="atlas")
    sent = first.calls[0].body
    assert sent["frobnicate"] == {"deep": [1]}
    assert "project_id" not in sent
    assert edge.records.opens[0].project == "atlas"


def test_the_provider_sees_its_own_name_of_the_model(edge, first):
    edge.chat()
    assert first.calls[0].body["model"] == "upstream"


def test_a_deprecated_model_says_so_in_headers(edge):
    headers = edge.chat("acme/old").headers
    assert headers["deprecation"] == f"@{int(AT.timestamp())}"


@LANES
def test_a_redirect_is_announced_and_recorded(edge, lane):
    answer = edge.chat("gone", lane=lane)
    assert answer.headers["x-gateway-model"] == "acme/one"
    assert answer.headers["x-gateway-redirected-from"] == "acme/gone"
    opened = edge.records.settled().opens[0]
    assert (opened.requested_model, opened.redirected_from, opened.model) == ("gone", "acme/gone", "acme/one")


@pytest.mark.parametrize("key", ["-", "nonsense", "sk-gw-aaaaaaaaaaaa-" + "b" * 38])
def test_a_bad_key_is_a_401_that_tells_the_way_out(edge, key):
    answer = httpx.post(
        f"{edge.url}/v1/chat/completions", headers={"authorization": f"Bearer {key}"}, content=b"{}"
    )
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_key_in_x_api_key_is_taken_too(edge):
    answer = httpx.post(f"{edge.url}/v1/chat/completions", headers={"x-api-key": edge.key}, json={})
    assert answer.json()["error"]["param"] == "model"


def test_a_body_over_the_limit_is_refused(edge):
    with edge.client() as client:
        answer = client.post("/v1/chat/completions", json={"pad": "x" * 1_100_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_a_feed_key_calls_no_model(edge, first):
    with edge.client(edge.keys.issue(scope="feed")) as client:
        answer = client.post("/v1/chat/completions", json={"model": "acme/one", "messages": []})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (
        403,
        "permission_denied",
        "permission_error",
    )
    assert "inference key" in error["message"]
    assert first.calls == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-encoding": "gzip", "content-type": "application/json"}, 415),
    ],
)
def test_a_body_in_another_form_is_refused(edge, headers, status):
    with edge.client() as client:
        assert client.post("/v1/chat/completions", content=b"{}", headers=headers).status_code == status


def test_another_method_is_refused_in_the_envelope(edge):
    with edge.client() as client:
        answer = client.get("/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_key_is_held_to_its_requests_a_minute(edge):
    edge.limit("key", "requests", 1)
    assert edge.chat().headers["x-ratelimit-remaining-requests"] == "0"
    refused = edge.chat()
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1


def test_a_key_is_held_to_its_concurrency_and_gets_its_slot_back(edge, first):
    edge.limit("key", "concurrency", 1, "none")
    first.script("slow-headers?seconds=0.5")
    slow = threading.Thread(target=edge.chat)
    slow.start()
    first.wait_for(1)
    assert edge.chat().status_code == 429
    slow.join()
    assert edge.chat().status_code == 200


def test_an_unknown_lane_is_refused_by_name(edge):
    answer = edge.chat(lane="sideways")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-gateway-lane")


@LANES
def test_a_client_that_takes_nothing_for_too_long_is_given_up(first, lane):
    first.default = "never-ending?delay=0&size=20000"
    given = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    with (
        running_edge([a_model()], [a_provider(base_url=first.base_url)], write_timeout_s=0.5) as edge,
        edge.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", "/v1/chat/completions", json=given) as answer,
    ):
        next(answer.iter_bytes())
        records = edge.records.settled()
        assert [(close.outcome, close.error_code) for close in records.closes] == [
            ("cancelled", "client_gone")
        ]
        wait_until(lambda: first.calls[0].has_hung_up, "hanging up on the provider")


def test_a_spool_that_lags_a_minute_stops_calls_until_it_has_caught_up(edge, first):
    edge.records.lag_s = 61
    refused = edge.chat()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    assert not first.calls


@LANES
def test_draining_ends_open_streams_with_an_explicit_error(edge, first, lane):
    first.script("never-ending?delay=0.05")
    listener = Listener(edge, lane=lane)
    listener.wait_for_the_first()
    edge.on_loop(lambda: edge.process.edge.drain(0.1))
    assert json.loads(listener.text.strip().split("data: ")[-1])["error"]["code"] == "server_shutting_down"
    assert [(close.outcome, close.error_code) for close in edge.records.settled().closes] == [
        ("cancelled", "server_shutting_down")
    ]


def test_without_a_worker_auto_goes_on_and_worker_is_a_503(edge):
    edge.on_loop(lambda: edge.process.worker.drain(0))
    assert edge.chat(lane="auto").headers["x-gateway-lane"] == "direct"
    forced = edge.chat(lane="worker")
    assert (forced.status_code, forced.json()["error"]["code"]) == (503, "no_worker")

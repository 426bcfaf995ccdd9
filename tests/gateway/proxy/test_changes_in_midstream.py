"""What changes while a call runs: an invalid key and a shutdown end it, a switch in the catalogue does not."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from catalogue.published.snapshot import Snapshot
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.lanes import HELD, PRICES, Listener, words_of
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

ENDLESS = "slow?chunks=4000&delay=0.05"
SAY = [{"role": "user", "content": "x"}]
STREAMS = {
    "/v1/chat/completions": {"model": "acme/one", "messages": SAY, "stream": True},
    "/v1/responses": {"model": "acme/one", "input": "hi", "stream": True},
    "/v1/messages": {"model": "acme/one", "messages": SAY, "max_tokens": 9, "stream": True},
    "/v1beta/models/acme/one:streamGenerateContent?alt=sse": {"contents": [{"parts": [{"text": "hi"}]}]},
}
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])


@pytest.fixture
def provider():
    with ScriptedProvider(default=ENDLESS) as provider:
        yield provider


@pytest.fixture
def edge(provider):
    model = a_model(offerings=(an_offering(prices=PRICES),))
    with running_edge([model], [a_provider(base_url=provider.base_url)]) as edge:
        yield edge


def stream_while(edge, change, *, path="/v1/chat/completions", lane="direct", key=None, held_by=None):
    """The text of one stream, with a change in its middle; `held_by` a provider, which goes on after it."""
    listener = Listener(edge, path, STREAMS[path], lane=lane, key=key)
    listener.wait_for_the_first()
    change()
    if held_by:
        held_by.go_on()
    return listener.text


def last_event_of(text):
    return json.loads([line for line in text.splitlines() if line.startswith("data:")][-1][5:])


def revoke(edge):
    edge.process.loop.call_soon_threadsafe(lambda: edge.keys.change(edge.key, is_active=False))


@LANES
@pytest.mark.parametrize("path", STREAMS)
def test_a_revoked_keys_streams_end_with_their_surfaces_error(edge, provider, path, lane):
    text = stream_while(edge, lambda: revoke(edge), path=path, lane=lane)
    assert "revoked" in json.dumps(last_event_of(text))
    assert "[DONE]" not in text
    wait_until(lambda: provider.calls[0].has_hung_up, "hanging up on the provider")


@LANES
def test_error_of_the_gateway_in_a_stream_of_responses_has_the_next_number(edge, provider, lane):
    text = stream_while(edge, lambda: revoke(edge), path="/v1/responses", lane=lane)
    events = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]
    assert events[-1]["type"] == "error"
    assert [each["sequence_number"] for each in events] == list(range(len(events)))


@LANES
def test_its_team_pays_for_what_it_was_sent(edge, provider, lane):
    stream_while(edge, lambda: revoke(edge), lane=lane)
    wait_until(lambda: edge.records.closes, "settling")
    [row] = edge.records.closes
    assert (row.outcome, row.error_code) == ("cancelled", "invalid_api_key")
    assert (float(row.cost_usd) > 0, float(row.loss_usd)) == (True, 0)


@LANES
def test_a_call_that_has_not_begun_to_answer_ends_with_a_401(edge, provider, lane):
    provider.default = "hang"
    timer = threading.Timer(0.3, lambda: revoke(edge))
    timer.start()
    refused = edge.chat(lane=lane)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")


def test_a_key_that_expires_ends_its_streams_though_nothing_changed(edge, provider):
    key = edge.keys.issue(name="short", expires_at=time.time() + 3)
    text = stream_while(edge, lambda: None, key=key)
    assert last_event_of(text)["error"]["code"] == "invalid_api_key"


def test_streams_of_other_keys_go_on(edge, provider):
    provider.default = HELD
    other = edge.keys.issue(name="other")
    text = stream_while(edge, lambda: revoke(edge), key=other, held_by=provider)
    assert text.endswith("data: [DONE]\n\n")


def test_a_key_that_changes_otherwise_goes_on(edge, provider):
    provider.default = HELD

    def change() -> None:
        edge.keys.change(edge.key, name="another", lane="auto")

    text = stream_while(edge, change, held_by=provider)
    assert text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(("lane", "who"), [("direct", "edge"), ("worker", "edge"), ("worker", "worker")])
def test_what_a_shutdown_breaks_off_is_ours_to_pay(edge, provider, lane, who):
    drain = getattr(edge.process, who).drain
    stream_while(edge, lambda: edge.on_loop(lambda: drain(0.1)), lane=lane)
    wait_until(lambda: edge.records.closes, "settling")
    [row] = edge.records.closes
    assert (row.outcome, row.error_code) == ("cancelled", "server_shutting_down")
    assert (float(row.cost_usd), float(row.loss_usd) > 0) == (0, True)


def switch_off(edge, **facts):
    """The provider, or the offering, as the snapshot tells it once a curator has done so."""
    model = edge.process.plan.models[0]
    offering = replace(model.offerings[0], is_enabled=facts.pop("offering", True))
    provider = replace(edge.process.plan.providers[0], **facts)
    models = [replace(model, offerings=(offering,))]
    edge.process.services.snapshots.current = Snapshot.of(models, {provider.id: provider}, revision=2)


@LANES
@pytest.mark.parametrize("facts", [{"is_enabled": False}, {"offering": False}])
def test_what_is_switched_off_finishes_what_runs_and_takes_no_more(edge, provider, lane, facts):
    provider.default = HELD
    text = stream_while(edge, lambda: switch_off(edge, **facts), lane=lane, held_by=provider)
    refused = edge.chat(lane=lane)
    assert text.endswith("data: [DONE]\n\n")
    assert len(words_of(text).split()) == 40
    assert (refused.status_code, len(provider.calls)) == (503, 1)


def change_to(edge, *, model=None, offering=None, provider=None):
    """What the snapshot tells from now on."""
    was = edge.process.plan.models[0]
    other = replace(was, offerings=(replace(was.offerings[0], **(offering or {})),), **(model or {}))
    opened = replace(edge.process.plan.providers[0], **(provider or {}))
    edge.process.services.snapshots.current = Snapshot.of([other], {opened.id: opened}, revision=2)


@LANES
def test_a_call_costs_what_it_did_when_it_began(edge, provider, lane):
    provider.default = "slow?chunks=40&delay=0.05"
    dearer = tuple(replace(price, amount=price.amount * 1000) for price in PRICES)
    stream_while(edge, lambda: change_to(edge, offering={"prices": dearer}), lane=lane)
    edge.chat(lane=lane)
    for closed, times in zip(edge.records.settled(2).closes, (1, 1000), strict=True):
        counts = closed.usage["input_tokens"] + 2 * closed.usage["output_tokens"]
        assert float(closed.cost_usd) == pytest.approx(counts * times / 1e6)


@LANES
def test_a_call_goes_on_with_the_credential_that_opened_it_and_the_next_one_has_the_new_one(
    edge, provider, lane
):
    provider.default = "slow?chunks=40&delay=0.05"
    text = stream_while(edge, lambda: change_to(edge, provider={"secret": "the-second"}), lane=lane)
    answer = edge.chat(lane=lane)
    assert (text.endswith("data: [DONE]\n\n"), answer.status_code) == (True, 200)
    opened = [each.headers.get("authorization") for each in provider.calls]
    assert opened == [None, "Bearer the-second"]


@LANES
def test_a_model_that_retires_finishes_what_runs_and_takes_no_more(edge, provider, lane):
    provider.default = "slow?chunks=40&delay=0.05"
    gone = {"retirement_at": datetime.now(UTC), "successor_id": "acme/two"}
    text = stream_while(edge, lambda: change_to(edge, model=gone), lane=lane)
    refused = edge.chat(lane=lane)
    assert text.endswith("data: [DONE]\n\n")
    assert (refused.status_code, refused.json()["error"]["code"]) == (410, "model_retired")
    assert len(provider.calls) == 1

"""A further kind of call is an operation, a surface and their registration: nothing else has to know of it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from gateway.proxy.surfaces import BY_PATH
from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.fields import list_of, record, text
from providers.adapters.base import Answer, UpstreamRequest
from providers.operations.base import Requirements
from providers.operations.registry import BY_ENDPOINT
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S
from tests.used import used


class SortingAdapter:
    """Asks a provider for texts in order."""

    def request(self, call, provider, upstream):
        body = {"model": upstream.name, "texts": call.body["texts"]}
        return UpstreamRequest(
            f"{provider.base_url}/sort", {"content-type": "application/json"}, orjson.dumps(body)
        )

    def answer(self, call, model, status, body):
        return Answer(body, used(input_tokens=len(call.body["texts"])))

    def stream(self, call, model, cost_usd=None):
        raise NotImplementedError

    def failure(self, status, headers, body):
        return UpstreamFailure(FailureKind.UNAVAILABLE, "No.", code="provider_error", status=status)


class Sort:
    name = "sort"
    endpoints = frozenset({"sort"})
    wire_formats = frozenset({"openai"})
    why_named = "orders of different models are not comparable"

    def requirements(self, call):
        return Requirements(call.endpoint)

    def parameters(self, call, requirements):
        return {}

    def refusal(self, requirements, provider, name, params):
        return None

    def adapter(self, call, provider):
        return SortingAdapter()


class SortingProvider(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = orjson.dumps({"model": asked["model"], "texts": sorted(asked["texts"])})
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def provider_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), SortingProvider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(HANG_S)
    server.server_close()


@pytest.fixture
def edge(provider_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEdge]:
    check = record({"model": text(), "texts": list_of(text())}, required=("model", "texts"))
    monkeypatch.setitem(BY_ENDPOINT, "sort", Sort())
    monkeypatch.setitem(BY_PATH, "/v1/sort", Surface("/v1/sort", "sort", check, can_stream=False))
    offering = an_offering(
        endpoints=frozenset({"sort"}), upstream_name="sorter", prices=(a_price("input_text_tokens", "5"),)
    )
    models = [a_model(offerings=(offering,)), a_model("acme/chat", offerings=(an_offering(2),))]
    with running_edge(models, [a_provider(base_url=provider_url)]) as running:
        yield running


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_a_new_kind_of_call_is_routed_made_billed_and_recorded_in_both_lanes(
    edge: RunningEdge, lane: str
) -> None:
    with edge.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post("/v1/sort", json={"model": "acme/one", "texts": ["b", "a"]})
    assert (answer.status_code, answer.json()) == (200, {"model": "sorter", "texts": ["a", "b"]})
    assert answer.headers["x-gateway-cost"] == "0.0000100000"
    edge.records.clear()


@pytest.mark.parametrize(
    ("model", "code"),
    [("acme/chat", "unsupported_endpoint"), ("auto", "model_required"), ("acme/none", "model_not_found")],
)
def test_its_refusals_are_those_of_every_kind(edge: RunningEdge, model: str, code: str) -> None:
    with edge.client() as client:
        refused = client.post("/v1/sort", json={"model": model, "texts": []})
    assert refused.json()["error"]["code"] == code

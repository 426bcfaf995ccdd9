"""A further kind of call is an operation, a surface and their registration: nothing else has to know of it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from gateway.proxy.surfaces import BY_PATH
from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.fields import list_of, record, text
from providers.adapters.base import Answer, UpstreamRequest
from providers.operations.base import Requirements
from providers.operations.registry import BY_ENDPOINT
from providers.wire.body import BodyKind, Upload
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.gateway.proxy.edge import RunningEdge, recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S
from tests.used import used


class ToyAdapter:
    def stream(self, call, model, cost_usd=None):
        raise NotImplementedError

    def failure(self, status, headers, body):
        return UpstreamFailure(FailureKind.UNAVAILABLE, "No.", code="provider_error", status=status)


class SortingAdapter(ToyAdapter):
    """Asks a provider for texts in order."""

    def request(self, call, provider, upstream):
        body = {"model": upstream.name, "texts": call.body["texts"]}
        return UpstreamRequest(
            f"{provider.base_url}/sort", {"content-type": "application/json"}, orjson.dumps(body)
        )

    def answer(self, call, model, status, body, issuer, tools):
        return Answer(body, used(input_tokens=len(call.body["texts"])))


class SpeakingAdapter(ToyAdapter):
    """Asks for a sound, and pays by the letter."""

    def request(self, call, provider, upstream):
        return UpstreamRequest(
            f"{provider.base_url}/speak", {"content-type": "application/json"}, orjson.dumps(call.body)
        )

    def answer(self, call, model, status, body, issuer, tools):
        return Answer(body, used(input_characters=len(call.body["input"])), content_type="audio/mpeg")


class TranscribingAdapter(ToyAdapter):
    """Hands a form on, and pays by the second."""

    def request(self, call, provider, upstream):
        assert call.body["file"] == Upload("a.wav", "audio/wav", SOUND)
        boundary = call.raw.partition(b"\r\n")[0].decode().removeprefix("--")
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return UpstreamRequest(f"{provider.base_url}/transcribe", headers, call.raw)

    def answer(self, call, model, status, body, issuer, tools):
        return Answer(body, used(input_audio_seconds=orjson.loads(body)["seconds"]))


@dataclass(frozen=True)
class Toy:
    name: str
    toy: ToyAdapter
    body_kind: BodyKind = BodyKind.JSON
    can_stream = False
    wire_formats = frozenset({"openai"})
    why_named = "orders of different models are not comparable"

    @property
    def endpoints(self):
        return frozenset({self.name})

    def requirements(self, call):
        return Requirements(call.endpoint)

    def parameters(self, call, requirements):
        return {}

    def most_output_tokens(self, call):
        return 0

    def adapter(self, call, provider):
        return self.toy


SORT = Toy("sort", SortingAdapter())
SPEAK = Toy("speak", SpeakingAdapter())
TRANSCRIBE = Toy("transcribe", TranscribingAdapter(), BodyKind.FORM)
PRICES = {"sort": "input_text_tokens", "speak": "input_characters", "transcribe": "input_audio_seconds"}
CHECKS = {
    "sort": record({"model": text(), "texts": list_of(text())}, required=("model", "texts")),
    "speak": record({"model": text(), "input": text()}, required=("model", "input")),
    "transcribe": record({"model": text()}, required=("model", "file")),
}
SOUND = bytes(range(256)) * 3 + b"\r\n--\r\n\r\n"


class ToyProvider(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        kind, answer = "application/json", b""
        match self.path:
            case "/sort":
                asked = orjson.loads(sent)
                answer = orjson.dumps({"model": asked["model"], "texts": sorted(asked["texts"])})
            case "/speak":
                said = orjson.loads(sent)["input"]
                kind = "application/json" if said == "fail" else "audio/mpeg"
                answer = said.encode("utf-16")
            case "/transcribe":
                answer = orjson.dumps({"text": "Hello.", "seconds": 7, "has_all": SOUND in sent})
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def provider_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), ToyProvider)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(HANG_S)
    server.server_close()


@pytest.fixture
def edge(provider_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEdge]:
    for toy in (SORT, SPEAK, TRANSCRIBE):
        path = f"/v1/{toy.name}"
        monkeypatch.setitem(BY_ENDPOINT, toy.name, toy)
        monkeypatch.setitem(BY_PATH, path, Surface(path, toy.name, CHECKS[toy.name]))
    offering = an_offering(
        endpoints=frozenset(PRICES),
        upstream_name="sorter",
        prices=tuple(a_price(meter, "5") for meter in PRICES.values()),
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


LANES = pytest.mark.parametrize("lane", ["direct", "worker"])


@LANES
def test_an_answer_of_bytes_comes_as_it_is_and_is_paid_by_its_own_meter(edge: RunningEdge, lane: str) -> None:
    with edge.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post("/v1/speak", json={"model": "acme/one", "input": "Hällo"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert (answer.content, answer.headers["x-gateway-cost"]) == ("Hällo".encode("utf-16"), "0.0000250000")
    assert recorded(edge).usage["input_characters"] == 5


@LANES
def test_a_form_with_a_file_goes_on_whole_and_is_paid_by_its_own_meter(edge: RunningEdge, lane: str) -> None:
    with edge.client(**{"x-gateway-lane": lane}) as client:
        files = {"file": ("a.wav", SOUND, "audio/wav")}
        answer = client.post("/v1/transcribe", data={"model": "acme/one"}, files=files)
    assert (answer.status_code, answer.json()["has_all"]) == (200, True), answer.text
    assert (answer.headers["x-gateway-cost"], recorded(edge).usage["input_audio_seconds"]) == (
        "0.0000350000",
        7,
    )


def test_json_in_place_of_bytes_is_no_answer(edge: RunningEdge) -> None:
    with edge.client() as client:
        answer = client.post("/v1/speak", json={"model": "acme/one", "input": "fail"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_bad_response")


@pytest.mark.parametrize(
    ("path", "sent", "status", "code"),
    [
        ("/v1/transcribe", {"json": {"model": "acme/one"}}, 415, "unsupported_media_type"),
        ("/v1/speak", {"files": {"file": b"x"}}, 415, "unsupported_media_type"),
        (
            "/v1/transcribe",
            {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
            400,
            "invalid_form",
        ),
    ],
)
def test_a_body_of_another_kind_is_refused(
    edge: RunningEdge, path: str, sent: dict[str, object], status: int, code: str
) -> None:
    with edge.client() as client:
        refused = client.post(path, **sent)  # type: ignore[arg-type]
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code), refused.text


@pytest.mark.parametrize(
    ("model", "code"),
    [("acme/chat", "unsupported_endpoint"), ("auto", "model_required"), ("acme/none", "model_not_found")],
)
def test_its_refusals_are_those_of_every_kind(edge: RunningEdge, model: str, code: str) -> None:
    with edge.client() as client:
        refused = client.post("/v1/sort", json={"model": model, "texts": []})
    assert refused.json()["error"]["code"] == code

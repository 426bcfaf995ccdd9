"""An edge and a worker beside it, and a stream between them while something happens."""

import json
import threading
from contextlib import suppress
from secrets import token_hex

import httpx

from gateway.core.store.redis import RedisStore
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S

PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
STEADY = "slow?chunks=40&delay=0.05"
HELD = "slow?chunks=40&hold=2&delay=0.02"
CHAT = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}], "stream": True}


def an_edge(provider, **options):
    model = a_model(offerings=(an_offering(1, prices=PRICES),))
    return running_edge([model], [a_provider(1, base_url=provider.base_url)], **options)


def an_edge_on_redis(provider, redis, **options):
    def open_one() -> RedisStore:
        return RedisStore(redis.url, token_hex(4))

    return an_edge(provider, store=open_one, worker_store=open_one, **options)


class Listener:
    """A client of one stream, in a thread of its own."""

    def __init__(self, edge: RunningEdge, path="/v1/chat/completions", body=CHAT, *, lane="worker", key=None):
        self._client = edge.client(key, **{"x-gateway-lane": lane})
        self._request = path, body
        self._heard: list[str] = []
        self._has_begun = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def wait_for_the_first(self) -> None:
        """Event, or the end where there is none."""
        assert self._has_begun.wait(HANG_S)

    @property
    def text(self) -> str:
        """All of it, once it has ended."""
        self._thread.join(HANG_S)
        return "".join(self._heard)

    def _listen(self) -> None:
        path, body = self._request
        with (
            suppress(httpx.TransportError),
            self._client as client,
            client.stream("POST", path, json=body) as answer,
        ):
            for piece in answer.iter_text():
                self._heard.append(piece)
                self._has_begun.set()
        self._has_begun.set()


def stream_while(edge, provider, trouble, behaviour=STEADY):
    """The text of one stream by the worker, with trouble in its middle, or while it is waited for."""
    provider.script(behaviour)
    listener = Listener(edge)
    if "first=" in behaviour or "hold=0" in behaviour:
        provider.wait_for(1)
    else:
        listener.wait_for_the_first()
    trouble()
    if "hold=" in behaviour:
        provider.go_on()
    return listener.text


def words_of(text):
    """The deltas' contents, joined."""
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    return "".join(
        choice["delta"].get("content") or "" for event in events for choice in event.get("choices", [])
    )

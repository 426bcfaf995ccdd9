"""An edge and a worker beside it, and a stream between them while something happens."""

import json
import threading
import time
from secrets import token_hex

from gateway.core.store.redis import RedisStore
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S

PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
STEADY = "slow?chunks=40&delay=0.05"


def an_edge(provider, **options):
    model = a_model(offerings=(an_offering(1, prices=PRICES),))
    return running_edge([model], [a_provider(1, base_url=provider.base_url)], **options)


def an_edge_on_redis(provider, redis, **options):
    def open_one() -> RedisStore:
        return RedisStore(redis.url, token_hex(4))

    return an_edge(provider, store=open_one, worker_store=open_one, **options)


def stream_while(edge, provider, trouble, behaviour=STEADY):
    """The text of one stream by the worker, with trouble in its middle."""
    provider.script(behaviour)
    got = []
    reader = threading.Thread(target=lambda: got.append(edge.chat(lane="worker", stream=True).text))
    reader.start()
    provider.wait_for(1)
    time.sleep(0.5)
    trouble()
    reader.join(HANG_S)
    return got[0]


def words_of(text):
    """The deltas' contents, joined."""
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    return "".join(
        choice["delta"].get("content") or "" for event in events for choice in event.get("choices", [])
    )

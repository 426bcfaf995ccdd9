"""What translating between wire formats costs, in one process without sockets: `python -m benchmarks.translation`.

CPU, of the quickest of several rounds. Goals are beside what is measured in the same run: a request beside orjson's
reading and writing of the same body, a chunk beside a loop of plain Python (benchmarks.routing).
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from benchmarks.report import Goal
from benchmarks.routing import LOOP_S, loop_s
from benchmarks.translation_load import EVENTS, SIZE_BYTES, conversation
from gateway.proxy.surfaces import surface_at
from gateway.proxy.surfaces.base import Surface
from providers.adapters.base import Adapter
from providers.facts import ProviderFacts
from providers.formats.base import AnswerFacts
from providers.formats.registry import FORMATS
from providers.operations.generate import GENERATE, adapter_between
from providers.wire.call import Call
from providers.wire.upstream import Upstream

PATHS = {
    "openai": "/v1/chat/completions",
    "responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/acme/one:streamGenerateContent",
}
ROUNDS, TIMES = 7, 60
REQUEST_TIMES, CHUNK_US = 12, 8
"""What orjson takes; and where a loop takes LOOP_S."""
_UPSTREAM = Upstream("upstream", is_streamed=True, max_output_tokens=4096)

Table = dict[tuple[str, str], float]
"""By what the client and what the provider speak."""


@dataclass(frozen=True, slots=True)
class Pair:
    surface: Surface
    adapter: Adapter
    provider: ProviderFacts

    def ask(self, body: bytes) -> bytes:
        """As the gateway does: read, see what the request needs, write it for the provider."""
        parsed = self.surface.read(body)
        call = self.call(parsed)
        call.request = GENERATE.requirements(call).request
        return self.adapter.request(call, self.provider, _UPSTREAM).body

    def relay(self, parsed: dict[str, object], chunks: Sequence[bytes]) -> int:
        """Bytes that the client gets of one stream."""
        stream = self.adapter.stream(self.call(parsed), "acme/one")
        return sum(len(stream.feed(chunk)) for chunk in chunks) + len(stream.terminator())

    def call(self, parsed: dict[str, object]) -> Call:
        surface = self.surface
        return Call(
            surface.endpoint,
            parsed,
            is_streamed=True,
            wants_usage=True,
            format=surface.format,
            id="01",
            created=1,
        )


def main() -> int:
    pace = loop_s() / LOOP_S
    requests, times, chunks = _measure(pace)
    print(f"A million steps of plain Python: {pace * LOOP_S:.3f} s of CPU.")
    _print("a request of 16 KB, read and written, ms", requests)
    _print("the same, times orjson's reading and writing of it", times)
    _print(f"a chunk of a stream, µs where those steps take {LOOP_S} s", chunks)
    goals = [
        Goal("the most expensive request, beside orjson", max(times.values()), REQUEST_TIMES, "times"),
        Goal("the most expensive chunk, CPU there", max(chunks.values()), CHUNK_US, "µs"),
    ]
    print(*(goal.line for goal in goals), sep="\n")
    return 0 if all(goal.is_met for goal in goals) else 1


def _measure(pace: float) -> tuple[Table, Table, Table]:
    requests: Table = {}
    times: Table = {}
    chunks: Table = {}
    for client in FORMATS:
        body = _request(client)
        json_ms = _cpu_ms(partial(_reread, body))
        for own in FORMATS:
            pair, streamed = _pair(client, own), _chunks(own)
            parsed = orjson.loads(body)
            requests[client, own] = _cpu_ms(lambda pair=pair, body=body: pair.ask(body))
            times[client, own] = requests[client, own] / json_ms
            stream_ms = _cpu_ms(
                lambda pair=pair, parsed=parsed, streamed=streamed: pair.relay(parsed, streamed)
            )
            chunks[client, own] = stream_ms / len(EVENTS) * 1000 / pace
    return requests, times, chunks


def _reread(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body))


def _request(client: str) -> bytes:
    """A body of SIZE_BYTES in that format."""
    form, named = FORMATS[client], replace(_UPSTREAM, name="acme/one")
    bare = len(orjson.dumps(form.write_request(conversation(0), named).body))
    return orjson.dumps(form.write_request(conversation(SIZE_BYTES - bare), named).body)


def _chunks(own: str) -> list[bytes]:
    """A stream in that format, cut after each event."""
    writer = FORMATS[own].writer(AnswerFacts("upstream-1", 1_780_000_000, "upstream"))
    return [*(writer.write([event]) for event in EVENTS), writer.finish()]


def _pair(client: str, own: str) -> Pair:
    surface = surface_at(PATHS[client])
    assert surface is not None
    provider = ProviderFacts(
        1, "p", "P", own, "https://p.example/v1", is_enabled=True, is_usable=True, secret="s"
    )
    return Pair(surface, adapter_between(client, own), provider)


def _cpu_ms(work: Callable[[], object]) -> float:
    """Of this thread, for one time: whatever else a machine does only adds to it."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        before = time.thread_time()
        for _ in range(TIMES):
            work()
        rounds.append((time.thread_time() - before) / TIMES * 1000)
    return min(rounds)


def _print(title: str, table: Table) -> None:
    """A row for each client, a column for each provider."""
    print(f"{title}: client \N{RIGHTWARDS ARROW} provider")
    print(" " * 10, *(f"{own:>10}" for own in FORMATS))
    for client in FORMATS:
        print(f"{client:<10}", *(f"{table[client, own]:>10.3g}" for own in FORMATS))


if __name__ == "__main__":
    sys.exit(main())

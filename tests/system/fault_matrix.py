"""Calls of a faulty provider from every surface, and what has to come of each: the table, and who judges by it."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import pytest

from accounts.attempts import AttemptClosed
from gateway.core.store.interface import Store
from gateway.core.store.memory import MemoryStore
from providers.engine import Timeouts
from providers.formats.registry import FORMATS
from providers.wire.events import Finished, FinishReason, TextDelta
from providers.wire.failure import UpstreamFailure
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.test_translation import CLIENTS
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S
from tests.services import wait_until
from tests.upstream.faulty import PRIVATE_FIELDS, SECRET, WAITS_S, FaultyProvider
from tests.upstream.speaking import SAID

ANSWER_BYTES = 1_000_000
PRICES = (a_price("input_text_tokens", "1"), a_price("output_text_tokens", "2"))
PATIENT = Timeouts(connect_s=HANG_S, first_byte_s=HANG_S, idle_s=HANG_S, total_s=HANG_S)
IMPATIENT = Timeouts(connect_s=HANG_S, first_byte_s=1.5, idle_s=1.5, total_s=8)
AT_ONCE = 16
LANES = ("direct", "worker")
# Of the same words, whatever the format: what would be there if an answer had ended well.
TIDY_ENDS = ("[DONE]", '"message_stop"', '"response.completed"', '"finishReason"', '"finish_reason":"stop"')


@dataclass(frozen=True)
class Outcome:
    """What becomes of a call whose only provider has a fault: `status` and `code` as its client hears them."""

    status: int = 200
    code: str = ""
    has_begun: bool = False
    """The client has text by then."""
    text: str = SAID

    @property
    def is_well(self) -> bool:
        return not self.code

    @property
    def is_callers(self) -> bool:
        return 400 <= self.status < 500 and self.status != 429


WELL = Outcome()
UNREADABLE = Outcome(502, "provider_bad_response")
TOO_LARGE = Outcome(502, "provider_response_too_large")
CUT_OFF = Outcome(502, "provider_disconnected")
DOWN = Outcome(502, "provider_unavailable")
LIMITED = Outcome(429, "provider_rate_limited")
AUTH = Outcome(502, "provider_auth_error")
TIMED_OUT = Outcome(504, "provider_timeout")
STALLED = Outcome(504, "provider_stalled")


def _cut(code: str) -> Outcome:
    return Outcome(200, code, has_begun=True)


# By the fault: of a whole answer, and of a stream; one for both where they are alike. Source: the failure model's 2.1.
ANYWHERE: dict[str, Outcome] = {
    "ok": WELL,
    "leaky-headers": WELL,
    "slow-body": WELL,
    "split-text": Outcome(text="Hello thére ☃."),
    "no-utf8": Outcome(text="Hello the\ufffdre."),
    "surrogate": Outcome(text="Hello the\ufffdre."),
    "nul": Outcome(text="Hello the\0re."),
    "usage-missing": WELL,
    "usage-null": WELL,
    "usage-list": WELL,
    "usage-zero": WELL,
    "usage-negative": WELL,
    "usage-huge": WELL,
    "usage-text": WELL,
    "refused": Outcome(502, "provider_unreachable"),
    "rst-before": CUT_OFF,
    "eof-before": CUT_OFF,
    "no-http": UNREADABLE,
    "html-200": UNREADABLE,
    "empty-200": UNREADABLE,
    "null-200": UNREADABLE,
    "list-200": UNREADABLE,
    "object-200": UNREADABLE,
    "text-200": UNREADABLE,
    "deep-200": UNREADABLE,
    "no-utf8-200": UNREADABLE,
    "204": UNREADABLE,
    "null-answers": UNREADABLE,
    "text-answers": UNREADABLE,
    "odd-answers": UNREADABLE,
    "redirect": UNREADABLE,
    "redirect-loop": UNREADABLE,
    "html-503": DOWN,
    "cut-body": CUT_OFF,
    "rst-body": CUT_OFF,
    "bad-chunk": UNREADABLE,
    "no-gzip": UNREADABLE,
    "gzip-bomb": TOO_LARGE,
    "huge-body": TOO_LARGE,
    "error-200": UNREADABLE,
    "400": Outcome(400, "invalid_request"),
    "401": AUTH,
    "402": AUTH,
    "403": AUTH,
    "404": Outcome(502, "provider_model_missing"),
    "408": LIMITED,
    "413": Outcome(413, "invalid_request"),
    "422": Outcome(422, "invalid_request"),
    "429": LIMITED,
    "429-waits": LIMITED,
    "429-garbage": LIMITED,
    "429-before": LIMITED,
    "429-insane": LIMITED,
    "429-quota": Outcome(429, "provider_quota_exhausted"),
    "500": DOWN,
    "502": DOWN,
    "503": DOWN,
    "504": DOWN,
    "529": Outcome(503, "provider_overloaded"),
    "context-length": Outcome(400, "context_length_exceeded"),
}
STREAMED: dict[str, Outcome] = {
    "rst-first": CUT_OFF,
    "eof-first": CUT_OFF,
    "empty-stream": UNREADABLE,
    "rst-opened": CUT_OFF,
    "error-first": DOWN,
    "garbage": UNREADABLE,
    "only-comments": UNREADABLE,
    "rst-mid": _cut("provider_disconnected"),
    "eof-mid": _cut("provider_disconnected"),
    "bad-chunk-mid": _cut("provider_bad_response"),
    "no-last": WELL,
    "error-mid": _cut("provider_unavailable"),
    "no-finish": _cut("provider_truncated"),
    "two-broken": _cut("provider_bad_response"),
    "endless-line": TOO_LARGE,
    "never-ending": _cut("provider_response_too_large"),
    "one-broken": WELL,
    "dup-finish": WELL,
    "after-end": WELL,
    "rst-after-end": WELL,
    "eof-after-end": WELL,
    "one-byte": WELL,
    "cr": WELL,
    "crlf": WELL,
    "bom": WELL,
    "comments": WELL,
    "data-in-lines": WELL,
}
SLOW_ANYWHERE: dict[str, Outcome] = {"hang": TIMED_OUT}
SLOW_STREAMED: dict[str, Outcome] = {
    "stall-first": STALLED,
    "keepalive-only": STALLED,
    "stall-mid": _cut("provider_stalled"),
    "hang-after-end": WELL,
}

ESTIMATED = {"usage-missing", "usage-null", "usage-list", "usage-negative", "usage-huge", "usage-text"}


# Where a format tells what kind of error it is that stands in a success, or in a stream.
STREAM = "stream"
BY_FORMAT: dict[tuple[str, ...], Outcome] = {
    ("error-200", "anthropic"): DOWN,
    ("error-200", "gemini"): DOWN,
    ("error-first", "openai"): UNREADABLE,
    # Google's SDK reads usage of its own shape only, and the last event of these two brings the finish.
    ("usage-list", "gemini"): UNREADABLE,
    ("usage-list", "gemini", STREAM): _cut("provider_bad_response"),
    ("no-last", "gemini"): _cut("provider_truncated"),
    ("no-last", "responses"): _cut("provider_truncated"),
    ("error-mid", "openai"): _cut("provider_bad_response"),
}


@dataclass(frozen=True)
class Case:
    """One call. `has_second`: another provider is there, whom nothing ails."""

    number: int
    fault: str
    outcome: Outcome
    spoken: str
    client: str
    is_streamed: bool
    lane: str
    has_second: bool

    @property
    def name(self) -> str:
        kind = "stream" if self.is_streamed else "whole"
        others = "with a second" if self.has_second else "alone"
        return f"{self.fault} of {self.spoken} for {self.client}, {kind}, {self.lane}, {others}"

    @property
    def model(self) -> str:
        """Of its own, so that no call's failure is another's reason to leave a provider alone."""
        return f"acme/case-{self.number}"

    @property
    def upstream(self) -> str:
        return f"{self.fault}.{self.number}"

    @property
    def status(self) -> int:
        """As this client hears it: Anthropic's have one of their own for what is overloaded."""
        is_overloaded = self.outcome.code == "provider_overloaded" and self.client == "anthropic"
        return 200 if self.goes_on else 529 if is_overloaded else self.outcome.status

    @property
    def goes_on(self) -> bool:
        """The second one answers."""
        outcome = self.outcome
        return self.has_second and not (outcome.is_well or outcome.has_begun or outcome.is_callers)


def cases(
    anywhere: dict[str, Outcome],
    streamed: dict[str, Outcome],
    *,
    clients: Sequence[str] = tuple(CLIENTS),
    lanes: Sequence[str] = LANES,
    seconds: Sequence[bool] = (False, True),
) -> list[Case]:
    places = itertools.product(FORMATS, clients, (False, True), lanes, seconds)
    found = [
        (fault, _outcome(fault, place[0], outcome, is_streamed=place[2]), *place)
        for place in places
        for fault, outcome in (anywhere | streamed if place[2] else anywhere).items()
    ]
    return [Case(number, *each) for number, each in enumerate(found, 1)]


def _outcome(fault: str, spoken: str, usual: Outcome, *, is_streamed: bool) -> Outcome:
    special = BY_FORMAT.get((fault, spoken), usual)
    return BY_FORMAT.get((fault, spoken, STREAM), special) if is_streamed else special


def thinned(every: Sequence[Case]) -> list[Case]:
    """Of each fault in each format one call, whole and streamed; its client, lane and second provider take turns."""
    kinds: dict[tuple[str, str, bool], list[Case]] = {}
    for case in every:
        kinds.setdefault((case.fault, case.spoken, case.is_streamed), []).append(case)
    return [alike[turn * 7 % len(alike)] for turn, alike in enumerate(kinds.values())]


@dataclass
class Matrix:
    edge: RunningEdge
    provider: FaultyProvider
    http: httpx.Client

    def run(self, every: Sequence[Case], at_once: int = AT_ONCE) -> dict[str, str]:
        """What is wrong, by the case's name."""
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(self.call, every))
        wait_until(
            lambda: len(self.edge.records.closes) == len(self.edge.records.opens), "closing the attempts"
        )
        closes = {closed.attempt_id: closed for closed in self.edge.records.closes}
        attempts: dict[str, list[AttemptClosed]] = {}
        for opened in self.edge.records.opens:
            attempts.setdefault(opened.model, []).append(closes[opened.attempt_id])
        found = {}
        for case, answer in zip(every, answers, strict=True):
            judged = Judged(case, answer, attempts.get(case.model, []), self.provider)
            if wrong := list(judged.faults()):
                found[case.name] = "; ".join(wrong)
        return found

    def call(self, case: Case) -> httpx.Response:
        """Again, where no worker began in time, as on a machine that has too much to do: nobody was asked then."""
        while b"no_worker" in (answer := self._call(case)).content.lower():
            pass
        return answer

    def _call(self, case: Case) -> httpx.Response:
        """As a client whose answer comes in pieces: its provider hears when the first text was read."""
        (path, body), pieces = CLIENTS[case.client], []
        path = path.replace("acme/one", case.model)
        if case.client != "gemini":
            body = {**body, "model": case.model, "stream": case.is_streamed}
        elif case.is_streamed:
            path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
        with self.http.stream("POST", path, json=body, headers={"x-gateway-lane": case.lane}) as answer:
            for piece in answer.iter_raw():
                pieces.append(piece)
                if b"Hello" in piece:
                    self.provider.heard.add(case.upstream)
        return httpx.Response(answer.status_code, headers=answer.headers, content=b"".join(pieces))


@dataclass
class Judged:
    case: Case
    answer: httpx.Response
    attempts: list[AttemptClosed]
    provider: FaultyProvider
    expected: Outcome = field(init=False)

    def __post_init__(self) -> None:
        self.expected = WELL if self.case.goes_on else self.case.outcome

    def faults(self) -> Iterator[str]:
        if self.answer.status_code != self.case.status:
            yield f"status {self.answer.status_code}: {self.answer.text[:300]}"
            return
        yield from self._headers()
        yield from self._answer()
        yield from self._ledger()
        asked = [self.provider.asked[f"{name}.{self.case.number}"] for name in (self.case.fault, "ok")]
        expected = [int(self.case.fault != "refused"), int(self.case.goes_on)]
        if self.case.fault != "ok" and asked != expected:
            yield f"asked {asked}"

    def _headers(self) -> Iterator[str]:
        headers = self.answer.headers
        if not headers["x-request-id"].startswith("req_"):
            yield "no request id"
        waits = {"429-waits": str(WAITS_S), "429-insane": "3600"}.get(self.case.fault)
        is_limited = self.case.outcome == LIMITED and not self.case.goes_on
        if is_limited and headers.get("retry-after") != waits:
            yield f"waits {headers.get('retry-after')}"
        if self.expected.status == 200:
            told = headers["x-gateway-provider"], headers["x-gateway-attempts"], headers["x-gateway-lane"]
            who = ("second", "2") if self.case.goes_on else ("first", "1")
            if told != (*who, self.case.lane):
                yield f"told {told}"
        if private := [name for name in PRIVATE_NAMES if name in headers]:
            yield f"told {private}"
        if SECRET in self.answer.text or "10.1.2.3" in self.answer.text:
            yield "tells what is private"

    def _answer(self) -> Iterator[str]:
        try:
            text, end = self._heard
        except UpstreamFailure as failure:
            code = failure.code
            if self.expected.is_well:
                yield f"heard {code}: {failure.message}"
            elif self.expected.has_begun and any(end in self.answer.text for end in TIDY_ENDS):
                yield "ended tidily after an error"
            return
        if self.expected.status != 200:
            if self._code != self.expected.code:
                yield f"code {self._code}"
        elif not self.expected.is_well:
            yield f"heard {text!r} to the end"
        elif (text, end) != (self.expected.text, FinishReason.STOP):
            yield f"heard {text!r}, {end}"

    @cached_property
    def _heard(self) -> tuple[str, FinishReason | None]:
        """As a client of its format reads it; a whole refusal says nothing."""
        if self.answer.status_code != 200:
            return "", None
        spoken = FORMATS[self.case.client]
        if self.case.is_streamed:
            reader = spoken.reader()
            events = [*reader.feed(self.answer.content), *reader.finish()]
        else:
            events = spoken.read_answer(self.answer.json())
        ends = [event.reason for event in events if isinstance(event, Finished)]
        text = "".join(event.text for event in events if isinstance(event, TextDelta))
        return text, ends[0] if len(ends) == 1 else None

    @property
    def _code(self) -> str:
        """In the envelope of its surface, of which each member must be there."""
        body: dict[str, Any] = self.answer.json()
        error = body["error"]
        if self.case.client == "gemini":
            assert error["code"] == self.answer.status_code
            return str(error["details"][0]["reason"]).lower()
        assert error["message"]
        assert error["type"]
        assert (body.get("type") == "error") == (self.case.client == "anthropic")
        return str(error["code"])

    def _ledger(self) -> Iterator[str]:
        own = self.case.outcome
        last = "finished" if own.is_well else "cut" if own.has_begun else "failed"
        expected = [("failed_over", own.code), ("finished", "")] if self.case.goes_on else [(last, own.code)]
        booked = [(closed.outcome, closed.error_code) for closed in self.attempts]
        if booked != expected:
            yield f"booked {booked}"
            return
        counts, is_zero = self.attempts[0].usage or {}, self.case.fault == "usage-zero"
        if own.is_well and not all(0 <= count <= (0 if is_zero else 1_000) for count in counts.values()):
            yield f"counts {counts}"
        if own.is_well and self.attempts[0].is_estimated is not (self.case.fault in ESTIMATED):
            yield f"estimated: {self.attempts[0].is_estimated}"
        for closed in self.attempts:
            cost, loss = float(closed.cost_usd), float(closed.loss_usd)
            is_paid = closed.outcome == "finished" and not is_zero
            has_loss = closed.outcome == "cut" or (own.status == 504 and not is_paid)
            if (cost > 0, loss > 0) != (is_paid, has_loss):
                yield f"{closed.outcome} costs {cost}, loses {loss}"


PRIVATE_NAMES = {field.partition(":")[0] for field in PRIVATE_FIELDS} - {"server", "x-request-id"}
"""The others are the gateway's own."""


@contextmanager
def matrix(
    every: Sequence[Case],
    provider: FaultyProvider,
    *,
    store: "type[Store] | Any" = MemoryStore,
    timeouts: Timeouts = PATIENT,
) -> Iterator[Matrix]:
    """An edge with a model for each case."""
    provider.asked.clear()
    provider.heard.clear()
    place = {name: number for number, name in enumerate(FORMATS, 1)}
    facts = [
        a_provider(
            number + 10 * further,
            slug=slug,
            base_url=provider.base_url(name, is_closed=further == 2),
            wire_format=name,
            secret=SECRET,
        )
        for further, slug in enumerate(("first", "second", "closed"))
        for name, number in place.items()
    ]
    models = []
    for case in every:
        more = {"prices": PRICES, "max_output_tokens": 1000}
        number, id_ = place[case.spoken], 2 * case.number
        asked = number + 20 if case.fault == "refused" else number
        offerings = [an_offering(id_, provider_id=asked, upstream_name=case.upstream, **more)]
        if case.has_second:
            name = f"ok.{case.number}"
            offerings.append(
                an_offering(id_ + 1, provider_id=number + 10, upstream_name=name, position=1, **more)
            )
        models.append(a_model(case.model, offerings=tuple(offerings)))
    # A thousand calls, their provider and their clients share one process, whose worker may come late to its beats.
    patience = [f"gateway.proxy.lane.{room}.DEAD_AFTER_S" for room in ("web", "line", "worker")]
    options = {"store": store, "timeouts": timeouts, "answer_bytes": ANSWER_BYTES, "longest_call_s": HANG_S}
    with pytest.MonkeyPatch.context() as patch:
        for name in patience:
            patch.setattr(name, HANG_S)
        with running_edge(models, facts, **options) as edge, edge.client() as http:
            yield Matrix(edge, provider, http)


def told(found: dict[str, str]) -> str:
    return "\n".join(f"{name}: {wrong}" for name, wrong in itertools.islice(found.items(), 40))

"""Prompts that are too long for a model or refused by its filter, and requests that name another one for that."""

import time
from contextlib import contextmanager

import pytest

from catalogue.facts import ModelFacts, RouteMember
from catalogue.words import ROUTED_TROUBLES
from gateway.proxy.errors import InvalidRequest
from gateway.proxy.fallbacks import CAUSES, read_fallbacks
from providers.breaker import FAILURES_TO_OPEN
from providers.formats.registry import FORMATS
from providers.wire.events import Finished, FinishReason, Started, TextDelta, UsageSeen
from providers.wire.failure import FailureKind, classify
from tests.gateway.proxy.admission.test_limits import ENDPOINTS
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.test_provider_errors import envelope
from tests.gateway.proxy.test_translation import CLIENTS, ask
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream.speaking import speaking
from tests.used import used

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
STREAMED = pytest.mark.parametrize("is_streamed", [False, True])
TOO_LONG = "This model's maximum context length is 8 tokens."
FILTERED = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
REFUSAL = (Started(id="x"), Finished(FinishReason.CONTENT_FILTER), UsageSeen(used(7, 0)))
PRICES = (a_price("input_text_tokens", "1000000"), a_price("output_text_tokens", "1000000"))
BOTH = ["context_length_exceeded", "content_filter"]


@pytest.fixture(scope="module", params=list(FORMATS))
def first(request):
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def second():
    with speaking("openai") as speaker:
        yield speaker


@pytest.fixture(scope="module")
def edge(first, second):
    facts = {"prices": PRICES, "endpoints": ENDPOINTS, "max_output_tokens": 1000}
    models = [
        a_model("acme/one", offerings=(an_offering(1, **facts), an_offering(2, position=1, **facts))),
        a_model("acme/two", offerings=(an_offering(3, provider_id=2, **facts),)),
    ]
    providers = [
        a_provider(1, base_url=first.base_url, wire_format=first.wire_format.name),
        a_provider(2, base_url=second.base_url),
    ]
    with running_edge(models, providers) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(request):
    if "edge" in request.fixturenames:
        edge, first = (request.getfixturevalue(name) for name in ("edge", "first"))
        edge.forget()
        edge.records.clear()
        first.refusal = first.events = None
        first.seen.clear()


def refuse(speaker, message, status=400):
    body = envelope(speaker.wire_format.name, status, message)
    speaker.refusal = (status, {"content-type": "application/json"}, body)


def asked(edge, client="openai", *, is_streamed=False, lane="direct", **body):
    given = {"models": ["acme/one", "acme/two"], **body}
    return ask(edge, client, is_streamed=is_streamed, lane=lane, **given)


def who(answer):
    return (
        answer.status_code,
        answer.headers.get("x-gateway-model"),
        answer.headers.get("x-gateway-fallback-on"),
    )


@LANES
@STREAMED
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("message", "cause"), [(TOO_LONG, BOTH[0]), (FILTERED, BOTH[1])])
def test_the_next_model_answers_where_the_request_asks_for_that(
    edge, first, client, is_streamed, lane, message, cause
):
    refuse(first, message)
    answer = asked(edge, client, is_streamed=is_streamed, lane=lane, fallback_on=[cause])
    assert who(answer) == (200, "acme/two", cause), answer.text
    # Another offering of the same model is not asked: the trouble is the request's.
    assert len(first.seen) == 1
    refused, finished = edge.records.settled(2).closes
    assert (refused.outcome, refused.cost_usd, refused.loss_usd) == (
        "failed_over",
        "0.0000000000",
        "0.0000000000",
    )
    assert finished.outcome == "finished"
    assert edge.process.services.health.status(1, 0).success_rate == 1


@pytest.mark.parametrize(("message", "code"), [(TOO_LONG, BOTH[0]), (FILTERED, None)])
@pytest.mark.parametrize("other", [[], ["the other"]])
def test_nobody_else_is_asked_where_the_request_does_not_say_so(edge, first, message, code, other):
    refuse(first, message)
    others = [cause for cause in BOTH if other and cause != (code or BOTH[1])]
    answer = asked(edge, **({"fallback_on": others} if others else {}))
    assert answer.status_code == 400
    assert len(first.seen) == 1
    assert code is None or answer.json()["error"]["code"] == code


@LANES
@STREAMED
@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_that_is_nothing_but_a_filters_refusal_gives_way_too(
    edge, first, client, is_streamed, lane
):
    first.events = REFUSAL
    answer = asked(edge, client, is_streamed=is_streamed, lane=lane, fallback_on=BOTH)
    assert who(answer) == (200, "acme/two", "content_filter"), answer.text
    refused, _ = edge.records.settled(2).closes
    # The provider charges for what it read, and the team asked for an answer.
    assert (refused.outcome, refused.error_code, refused.cost_usd) == (
        "failed_over",
        "content_filter",
        "0.0000000000",
    )


@STREAMED
@pytest.mark.parametrize(
    "events", [REFUSAL, (Started(id="x"), TextDelta("Well"), *REFUSAL[1:])], ids=["nothing", "something"]
)
def test_what_was_said_before_the_filter_came_in_is_the_answer(edge, first, is_streamed, events):
    """And so is a refusal where nobody is left to ask."""
    first.events = events
    named = {"models": None, "model": "acme/one"} if events is REFUSAL else {}
    answer = asked(edge, is_streamed=is_streamed, fallback_on=BOTH, **named)
    assert who(answer) == (200, "acme/one", None), answer.text
    assert "content_filter" in answer.text


def test_a_prompt_that_was_too_long_goes_to_no_model_of_the_same_length(second):
    with speaking("openai") as first:
        refuse(first, TOO_LONG)
        models = [
            a_model("acme/one", context_length=8000, offerings=(an_offering(1),)),
            a_model("acme/short", context_length=8000, offerings=(an_offering(2, provider_id=2),)),
            a_model("acme/long", context_length=9000, offerings=(an_offering(3, provider_id=2),)),
        ]
        providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=second.base_url)]
        with running_edge(models, providers, with_worker=False) as edge:
            names = ["acme/one", "acme/short", "acme/long"]
            answer = edge.chat(names[0], models=names, fallback_on=BOTH[:1])
            assert who(answer) == (200, "acme/long", BOTH[0])


@pytest.mark.parametrize("ago_s", [0.0, 40.0], ids=["open", "half-open"])
def test_a_model_that_was_left_alone_stands_in_for_nobody(second, ago_s):
    """The client's own refusal says more than the failure of one that may still be sick."""
    with speaking("openai") as first:
        refuse(first, FILTERED)
        models = [
            a_model("acme/one", offerings=(an_offering(1),)),
            a_model("acme/two", offerings=(an_offering(2, provider_id=2),)),
        ]
        providers = [a_provider(1, base_url=first.base_url), a_provider(2, base_url=second.base_url)]
        with running_edge(models, providers, with_worker=False) as edge:
            for _ in range(FAILURES_TO_OPEN):
                edge.process.services.health.failed(2, FailureKind.UNAVAILABLE, time.monotonic() - ago_s)
            answer = asked(edge, fallback_on=BOTH)
            assert answer.status_code == 400, answer.text
            edge.process.services.health.hold({2: "closed"}, time.monotonic())
            assert who(asked(edge, fallback_on=BOTH)) == (200, "acme/two", BOTH[1])


@pytest.mark.parametrize("value", [[], "content_filter", ["timeout"], [1], {}, [None], BOTH * 2])
def test_a_cause_that_is_none_is_refused_by_name(value):
    with pytest.raises(InvalidRequest) as caught:
        read_fallbacks({"fallback_on": value})
    assert caught.value.param.startswith("fallback_on")


@pytest.mark.parametrize(
    ("code", "message", "is_filter"),
    [
        ("content_filter", FILTERED, True),
        ("content_policy_violation", "Your request was rejected by our safety system.", True),
        ("invalid_value", "Invalid value for 'temperature'.", False),
        ("context_length_exceeded", TOO_LONG, False),
    ],
)
def test_a_filters_refusal_is_known_by_its_words(code, message, is_filter):
    body = b'{"error": {"message": "%b", "code": "%b"}}' % (message.encode(), code.encode())
    assert classify(400, {}, body).refuses_content is is_filter


WINDOWS = {"acme/one": 8_000, "acme/two": 8_000, "acme/long": 100_000}
LEVELS = {"acme/one": "medium", "acme/two": "medium", "acme/long": "low"}
"""`auto` has the first two before the third."""


@contextmanager
def a_routed_edge(first, second, third, **routes):
    """`routes`: what each says itself, by name; of acme/one, acme/two and acme/long in turn."""
    speakers = zip(WINDOWS, (first, second, third), strict=True)
    models, providers = [], []
    for number, (name, speaker) in enumerate(speakers, start=1):
        offering = an_offering(number, provider_id=number)
        facts = {"context_length": WINDOWS[name], "reasoning_tier": LEVELS[name]}
        models.append(a_model(name, offerings=(offering,), **facts))
        providers.append(a_provider(number, base_url=speaker.base_url))
    members = tuple(RouteMember(name, tier=tier) for tier, name in enumerate(WINDOWS))
    models += [
        ModelFacts(f"house/{name}", name, members=members, fallback_on=causes)
        for name, causes in routes.items()
    ]
    with running_edge(models, providers) as edge:
        yield edge


@pytest.fixture
def three():
    with speaking("openai") as one, speaking("openai") as two, speaking("openai") as long:
        yield one, two, long


@LANES
@STREAMED
@pytest.mark.parametrize("client", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("message", "cause", "answers"),
    [(TOO_LONG, BOTH[0], "acme/long"), (FILTERED, BOTH[1], "acme/two")],
)
def test_a_named_route_may_say_itself_that_its_next_member_answers(
    three, client, is_streamed, lane, message, cause, answers
):
    refuse(three[0], message)
    with a_routed_edge(*three, both=tuple(BOTH), other=tuple({*BOTH} - {cause}), silent=()) as edge:
        named = {"models": None, "client": client, "is_streamed": is_streamed, "lane": lane}
        answer = asked(edge, model="house/both", **named)
        assert who(answer) == (200, answers, cause), answer.text
        assert answer.headers["x-gateway-route"] == "house/both"
        for route in ("house/other", "house/silent"):
            assert asked(edge, model=route, **named).status_code == 400
        # What the request asks for is added to what its route says.
        assert who(asked(edge, model="house/other", fallback_on=[cause], **named)) == (200, answers, cause)


@pytest.mark.parametrize(
    ("models", "status"),
    [
        (["house/both", "house/again"], 200),
        (["house/both", "house/silent"], 400),
        (["house/both", "acme/two"], 400),
        (["acme/one", "house/both"], 400),
    ],
)
def test_what_a_client_names_beside_such_a_route_is_not_asked_for_its_own_mistakes(three, models, status):
    refuse(three[0], FILTERED)
    with a_routed_edge(*three, both=tuple(BOTH), again=tuple(BOTH), silent=()) as edge:
        assert asked(edge, model=models[0], models=models[1:]).status_code == status


@LANES
@pytest.mark.parametrize(("fallback_on", "status"), [([BOTH[1]], 200), ([BOTH[0]], 400), (None, 400)])
def test_auto_goes_on_where_the_request_asks_for_that(three, fallback_on, status, lane):
    for speaker in three[:2]:
        refuse(speaker, FILTERED)
    with a_routed_edge(*three) as edge:
        answer = asked(edge, models=None, model="auto", lane=lane, fallback_on=fallback_on)
        assert answer.status_code == status
        if status == 200:
            assert who(answer) == (200, "acme/long", BOTH[1])


def test_the_catalogue_knows_the_same_troubles():
    assert tuple(ROUTED_TROUBLES) == CAUSES

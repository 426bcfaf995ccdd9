"""What proves reasoning goes back to whoever issued it, and to nobody else: a proof of another is left out."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from providers.formats.proofs import seal, unseal
from providers.formats.responses.signatures import write_signature
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    UsageSeen,
)
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import USAGE, Speaker, speaking

PROOF = base64.b64encode(b"a proof that nobody else can read").decode()
ASK = "How are you?"
FORMATS = ("openai", "responses", "anthropic", "gemini")
QUIRKS = {"openai": frozenset({"reasoning_details"})}
SIGNED: dict[str, ReasoningSigned] = {
    "openai": ReasoningSigned(PROOF, origin="openai"),
    "responses": ReasoningSigned(encrypted=PROOF, origin="responses", id="rs_1"),
    "anthropic": ReasoningSigned(PROOF, origin="anthropic"),
    "gemini": ReasoningSigned(PROOF, origin="gemini"),
}
# As its server writes it: what Responses encrypts is bound to its item.
PROOFS = {**dict.fromkeys(FORMATS, PROOF), "responses": write_signature(SIGNED["responses"]) or ""}
# What each says of a proof that it cannot read.
REFUSALS = {
    "openai": {
        "error": {"message": "Invalid signature in reasoning_details", "type": "invalid_request_error"}
    },
    "responses": {
        "error": {
            "message": "The encrypted content gAAA could not be verified.",
            "type": "invalid_request_error",
            "code": "invalid_encrypted_content",
        }
    },
    "anthropic": {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "messages.1.content.0: Invalid `signature` in `thinking` block",
        },
    },
    "gemini": {
        "error": {"code": 400, "message": "Thought signature is not valid.", "status": "INVALID_ARGUMENT"}
    },
}
LANES = ("direct", "worker")


def events(name: str) -> list[Event]:
    return [
        Started(id="upstream-1"),
        ReasoningDelta("Let me see."),
        SIGNED[name],
        TextDelta("Fine."),
        Finished(FinishReason.STOP, "stop"),
        UsageSeen(USAGE),
    ]


def first_turn(client: str) -> tuple[str, dict[str, Any]]:
    match client:
        case "openai":
            return "/v1/chat/completions", {
                "model": "acme/one",
                "messages": [{"role": "user", "content": ASK}],
            }
        case "responses":
            item = {"role": "user", "content": ASK}
            return "/v1/responses", {"model": "acme/one", "input": [item], "reasoning": {"effort": "low"}}
        case "anthropic":
            body = {"model": "acme/one", "messages": [{"role": "user", "content": ASK}], "max_tokens": 4000}
            return "/v1/messages", body | {"thinking": {"type": "enabled", "budget_tokens": 2000}}
        case _:
            contents = [{"role": "user", "parts": [{"text": ASK}]}]
            return "/v1beta/models/acme/one:generateContent", {"contents": contents}


def next_turn(client: str, asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """As the clients do it: all that was said goes back, and one more question."""
    match client:
        case "openai":
            said = [answer["choices"][0]["message"]]
            return {**asked, "messages": [*asked["messages"], *said, *asked["messages"]]}
        case "responses":
            return {**asked, "input": [*asked["input"], *answer["output"], *asked["input"]]}
        case "anthropic":
            said = [{"role": "assistant", "content": answer["content"]}]
            return {**asked, "messages": [*asked["messages"], *said, *asked["messages"]]}
        case _:
            said = [answer["candidates"][0]["content"]]
            return {**asked, "contents": [*asked["contents"], *said, *asked["contents"]]}


@pytest.fixture(scope="module", params=FORMATS)
def servers(request) -> Iterator[tuple[str, Speaker, Speaker, RunningEdge]]:
    """One model at three offerings of one format: at a provider, at a stranger, and at one of the first's family."""
    name = request.param
    with ExitStack() as stack:
        first, second = (stack.enter_context(speaking(name)) for _ in range(2))
        facts = {"wire_format": name, "quirks": QUIRKS.get(name, frozenset())}
        providers = [
            a_provider(1, base_url=first.base_url, **facts),
            a_provider(2, base_url=second.base_url, **facts),
            a_provider(3, base_url=first.base_url, family="kin", **facts),
            a_provider(4, base_url=second.base_url, family="kin", **facts),
        ]
        kin = [an_offering(id_, provider_id=id_, position=id_, max_output_tokens=8000) for id_ in (3, 4)]
        own = [an_offering(id_, provider_id=id_, position=id_, max_output_tokens=8000) for id_ in (1, 2)]
        models = [a_model(offerings=tuple(own)), a_model("acme/kin", offerings=tuple(kin))]
        yield name, first, second, stack.enter_context(running_edge(models, providers))


@pytest.fixture(autouse=True)
def _fresh(servers):
    name, first, second, edge = servers
    edge.forget()
    for speaker in (first, second):
        speaker.refusal, speaker.events = None, events(name)
        speaker.seen.clear()
    edge.records.clear()


def ask(edge: RunningEdge, path: str, body: dict[str, Any], lane: str = "direct") -> Any:
    with edge.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def of(model: str, path: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same asked of another model."""
    return path.replace("acme/one", model), body | ({"model": model} if "model" in body else {})


def shown(speaker: Speaker) -> str:
    return json.dumps(speaker.seen[-1][2])


@pytest.mark.parametrize("client", FORMATS)
def test_a_proof_goes_back_to_its_issuer_as_it_was_issued(servers, client):
    name, first, _, edge = servers
    path, body = first_turn(client)
    answer = ask(edge, path, body)
    sealed = seal(PROOFS[name], "provider-1", is_base64=name == "gemini")
    assert (sealed in json.dumps(answer)) or name != client
    assert PROOFS[name] not in json.dumps(answer).replace(sealed, "") or name != client
    ask(edge, path, next_turn(client, body, answer))
    assert PROOFS[name] in shown(first)
    assert "provider-1" not in shown(first)


@pytest.mark.parametrize("client", FORMATS)
@pytest.mark.parametrize("lane", LANES)
def test_a_proof_of_another_provider_is_left_out_on_failover_and_all_else_is_kept(servers, client, lane):
    name, first, second, edge = servers
    path, body = first_turn(client)
    again = next_turn(client, body, ask(edge, path, body))
    first.refusal = (503, {}, b"{}")
    ask(edge, path, again, lane)
    told = shown(second)
    assert PROOFS[name] not in told
    assert "gh2." not in told
    assert "Fine." in told


@pytest.mark.parametrize("client", FORMATS)
def test_providers_of_one_family_take_each_others_proofs(servers, client):
    name, first, second, edge = servers
    path, body = of("acme/kin", *first_turn(client))
    again = next_turn(client, body, ask(edge, path, body))
    first.refusal = (503, {}, b"{}")
    ask(edge, path, again)
    assert PROOFS[name] in shown(second)


@pytest.mark.parametrize("client", FORMATS)
def test_a_proof_without_an_issuer_is_taken_as_before(servers, client):
    name, first, _, edge = servers
    if name != client:
        pytest.skip("between formats it was never told bare")
    path, body = first_turn(client)
    answer = json.dumps(ask(edge, path, body))
    sealed = seal(PROOFS[name], "provider-1", is_base64=name == "gemini")
    assert sealed in answer
    ask(edge, path, next_turn(client, body, json.loads(answer.replace(sealed, PROOF))))
    assert PROOF in shown(first)


@pytest.mark.parametrize("client", FORMATS)
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_provider_that_refuses_a_proof_is_asked_once_more_without(
    servers, client, lane, is_streamed, monkeypatch
):
    name, first, second, edge = servers
    path, body = first_turn(client)
    again = next_turn(client, body, ask(edge, path, body))
    edge.records.clear()
    refuse_proofs(first, name, monkeypatch)
    if is_streamed and client == "gemini":
        path = path.replace("generateContent", "streamGenerateContent") + "?alt=sse"
    elif is_streamed:
        again["stream"] = True
    with edge.client(**{"x-gateway-lane": lane}) as http:
        answer = http.post(path, json=again)
    assert (answer.status_code, answer.headers["x-gateway-provider"]) == (200, "provider-1")
    assert answer.headers["x-gateway-attempts"] == "2"
    assert "Fine." in shown(first)
    assert not second.seen
    records = edge.records.settled(2)
    assert records.outcomes == ["failed_over", "finished"]
    assert [record.number for record in records.opens] == [1, 2]


def test_one_that_refuses_what_is_left_too_is_not_asked_again(servers):
    name, first, second, edge = servers
    path, body = first_turn(name)
    again = next_turn(name, body, ask(edge, path, body))
    edge.records.clear()
    first.refusal = (400, {}, json.dumps(REFUSALS[name]).encode())
    with edge.client(**{"x-gateway-lane": "direct"}) as http:
        assert http.post(path, json=again).status_code == 400
    assert edge.records.settled(2).outcomes == ["failed_over", "failed"]
    assert not second.seen


def refuse_proofs(speaker: Speaker, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = speaker.answer

    def refuse(path: str, body: dict[str, Any]) -> Any:
        if PROOFS[name] in json.dumps(body):
            return 400, {"content-type": "application/json"}, json.dumps(REFUSALS[name]).encode()
        return answer(path, body)

    monkeypatch.setattr(speaker, "answer", refuse)


def test_streams_that_are_passed_on_tell_the_issuer_too(servers):
    name, _, _, edge = servers
    path, body = first_turn(name)
    path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    with edge.client(**{"x-gateway-lane": "direct"}) as http:
        text = http.post(path, json=body if name == "gemini" else body | {"stream": True}).text
    sealed = seal(PROOFS[name], "provider-1", is_base64=name == "gemini")
    assert sealed in text
    assert PROOFS[name] not in text.replace(sealed, "")


def test_a_stored_response_is_gone_on_from_without_anothers_proofs(servers):
    name, first, second, edge = servers
    path, body = first_turn("responses")
    answer = ask(edge, path, body)
    goes_on = {"model": "acme/one", "previous_response_id": answer["id"], "input": ASK}
    ask(edge, path, goes_on)
    assert PROOFS[name] in shown(first)
    first.refusal = (503, {}, b"{}")
    ask(edge, path, goes_on)
    assert PROOFS[name] not in shown(second)
    assert "Fine." in shown(second)


@pytest.mark.parametrize("is_base64", [False, True])
def test_a_seal_can_be_opened_in_either_alphabet(is_base64):
    sealed = seal(PROOF, "acme-1", is_base64=is_base64)
    assert unseal(sealed) == (PROOF, "acme-1")
    if is_base64:
        assert unseal(base64.urlsafe_b64encode(base64.b64decode(sealed)).decode().rstrip("=")) == (
            PROOF,
            "acme-1",
        )
    assert unseal(PROOF) == (PROOF, "")

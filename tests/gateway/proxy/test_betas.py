"""Anthropic's beta features are asked for by a header, which goes to providers of its format and to nobody else."""

import httpx
import pytest

from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import speaking

SAY = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module", params=list(FORMATS))
def asked(request):
    with speaking(request.param) as speaker:
        provider = a_provider(1, base_url=speaker.base_url, wire_format=request.param, secret="s3cret")
        with running_edge([a_model(offerings=(an_offering(max_output_tokens=9),))], [provider]) as edge:
            yield edge, speaker


def ask(edge, headers, *, path="/v1/messages"):
    given = [("authorization", f"Bearer {edge.key}"), *headers]
    body = {"model": "acme/one", "messages": SAY, "max_tokens": 5}
    return httpx.post(f"{edge.url}{path}", headers=given, json=body)


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_betas_reach_providers_of_anthropics_format_only(asked, lane, path):
    edge, speaker = asked
    speaker.seen.clear()
    headers = [
        ("x-gateway-lane", lane),
        ("anthropic-beta", "one-2025-01-01, two-2025-02-02"),
        ("anthropic-beta", "three"),
        ("anthropic-dangerous", "1"),
    ]
    answer = ask(edge, headers, path=path)
    assert answer.status_code == 200, answer.text
    sent = {name: value for name, value in speaker.seen[0][1].items() if name.startswith("anthropic-")}
    sent.pop("anthropic-version", None)
    is_anthropic = speaker.wire_format.name == "anthropic"
    assert sent == ({"anthropic-beta": "one-2025-01-01,two-2025-02-02,three"} if is_anthropic else {})


@pytest.mark.parametrize("betas", ["a b", "x" * 65, ",".join("abcdefghijklmnopqrstu"), "é"])
def test_what_is_no_list_of_names_is_refused(asked, betas):
    edge, speaker = asked
    speaker.seen.clear()
    answer = ask(edge, [("anthropic-beta", betas.encode())])
    assert answer.status_code == 400
    assert "'anthropic-beta'" in answer.json()["error"]["message"]
    assert speaker.seen == []

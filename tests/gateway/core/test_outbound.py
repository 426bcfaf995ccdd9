"""The outbound policy: which URLs and addresses are refused, however they are spelt and whatever a name says later."""

import asyncio
import json

import httpx
import pytest

from gateway.core.outbound import (
    ForbiddenAddress,
    OutboundPolicy,
    allowed_addresses,
    httpx_client,
    look_up_name,
)
from tests.upstream import ScriptedProvider

OPEN = OutboundPolicy()
HOME = OutboundPolicy(frozenset({"localhost:11434", "10.1.0.0/16", "192.168.7.9", "[::1]:8080", "vllm:8000"}))

REFUSED_URLS = [
    "http://api.openai.com/v1",
    "ftp://api.openai.com/v1",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_",
    "//api.openai.com/v1",
    "api.openai.com/v1",
    "https://",
    "https:///v1",
    "",
    "https://user@api.openai.com/v1",
    "https://user:pass@api.openai.com/v1",
    "https://api.openai.com@127.0.0.1/v1",
    "https://api.openai.com/v1?key=1",
    "https://api.openai.com/v1?",
    "https://api.openai.com/v1#x",
    "https://api.openai.com/v1#",
    "https://api.openai.com./v1",
    "https://api.openai.com:0/v1",
    "https://api.openai.com:99999/v1",
    "https://api.openai.com:port/v1",
    "https://api.openai.com:/v1",
    "https://api.openai.com\\@127.0.0.1/v1",
    "https://api.openai.com/v1\r\nx: y",
    "https://api.openai.com/v 1",
    "https://api.openai.com/v1\x00",
    " https://api.openai.com/v1",
    "https://münchen.example/v1",
    "https://①②⑦.⓪.⓪.①/v1",
    "https://api..openai.com/v1",
    "https://-api.openai.com/v1",
    "https://api%2eopenai.com/v1",
    "https://" + "a" * 64 + ".com/v1",
    "https://localhost/v1",
    "https://localhost:8000/v1",
    "https://LOCALHOST/v1",
    "https://localhost./v1",
    "https://x.localhost/v1",
    "https://db.internal/v1",
    "https://metadata.google.internal/computeMetadata/v1",
    "https://printer.local/v1",
    "https://intranet/v1",
    "https://127.0.0.1/v1",
    "https://127.0.0.1:8000/v1",
    "https://127.8.9.10/v1",
    "https://127.1/v1",
    "https://2130706433/v1",
    "https://0x7f000001/v1",
    "https://0x7f.0.0.1/v1",
    "https://0177.0.0.1/v1",
    "https://017700000001/v1",
    "https://127.0.0.01/v1",
    "https://0/v1",
    "https://0.0.0.0/v1",
    "https://10.0.0.1/v1",
    "https://172.16.0.1/v1",
    "https://172.31.255.255/v1",
    "https://192.168.0.1/v1",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/v1",
    "https://100.100.100.200/latest/meta-data",
    "https://168.63.129.16/metadata",
    "https://192.0.0.192/opc/v2",
    "https://198.18.0.1/v1",
    "https://203.0.113.9/v1",
    "https://224.0.0.1/v1",
    "https://240.0.0.1/v1",
    "https://255.255.255.255/v1",
    "https://[::1]/v1",
    "https://[::]/v1",
    "https://[fe80::1]/v1",
    "https://[fe80::1%25eth0]/v1",
    "https://[fc00::1]/v1",
    "https://[fd00:ec2::254]/latest/meta-data",
    "https://[ff02::1]/v1",
    "https://[::ffff:127.0.0.1]/v1",
    "https://[::ffff:a9fe:a9fe]/v1",
    "https://[::127.0.0.1]/v1",
    "https://[2002:7f00:1::]/v1",
    "https://[2002:a9fe:a9fe::1]/v1",
    "https://[64:ff9b::7f00:1]/v1",
    "https://[64:ff9b:1::7f00:1]/v1",
    "https://[2001:db8::1]/v1",
    "https://[2001::1]/v1",
    "https://[fec0::1]/v1",
    "https://[::1/v1",
    "https://8.8.8.8.8/v1",
    "https://1.2.3/v1",
    "http://8.8.8.8/v1",
]
ACCEPTED_URLS = [
    "https://api.openai.com/v1",
    "https://API.OpenAI.com/v1/",
    "https://api.openai.com:8443/v1",
    "https://api.cloudflare.com/client/v4/accounts/0a1b/ai/v1",
    "https://generativelanguage.googleapis.com/v1beta/openai",
    "https://xn--mnchen-3ya.example/v1",
    "https://my_team.example.com/@v1",
    "https://8.8.8.8/v1",
    "https://[2606:4700:4700::1111]/v1",
    "https://[::ffff:8.8.8.8]/v1",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_url_is_refused_with_a_reason(url):
    assert OPEN.url_refusal(url)


@pytest.mark.parametrize("url", ACCEPTED_URLS)
def test_public_url_is_accepted(url):
    assert OPEN.url_refusal(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:11434/v1",
        "http://10.1.2.3:8000/v1",
        "http://192.168.7.9/v1",
        "http://[::1]:8080/v1",
        "http://vllm:8000/v1",
        "https://vllm:8000/v1",
    ],
)
def test_allowed_private_url_is_accepted_without_tls(url):
    assert HOME.url_refusal(url) is None


@pytest.mark.parametrize(
    "url", ["http://localhost:11435/v1", "http://10.2.0.1/v1", "http://vllm:8001/v1", "http://[::1]:80/v1"]
)
def test_exception_does_not_reach_further(url):
    assert HOME.url_refusal(url)


@pytest.mark.parametrize("entry", ["", "localhost", "10.0.0.0/33", "host:port", ":80"])
def test_exception_that_means_nothing_is_refused(entry):
    with pytest.raises(ValueError, match="neither"):
        OutboundPolicy(frozenset({entry}))


def test_name_that_leads_inside_is_refused_at_connect_time():
    assert OPEN.refusal("evil.example", 443, "127.0.0.1")
    assert OPEN.refusal("evil.example", 443, "8.8.8.8") is None


def test_allowed_name_may_lead_inside():
    assert HOME.refusal("vllm", 8000, "172.20.0.3") is None


def test_allowed_address_may_be_reached_by_any_name():
    assert HOME.refusal("localhost", 80, "10.1.0.1") is None


def test_only_allowed_ones_of_the_addresses_found_are_used():
    found = ["10.0.0.1", "8.8.8.8", "127.0.0.1", "2606:4700::1111"]
    assert allowed_addresses(OPEN, "evil.example", 443, found) == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("found", [["127.0.0.1"], ["10.0.0.1", "::1"], []])
def test_name_without_an_allowed_address_is_refused(found):
    with pytest.raises(ForbiddenAddress):
        allowed_addresses(OPEN, "evil.example", 443, found)


def test_addresses_of_a_name_are_found_off_the_loop():
    assert "127.0.0.1" in asyncio.run(look_up_name("localhost", 443))


@pytest.fixture
def provider():
    with ScriptedProvider() as running:
        yield running


def open_client(provider: ScriptedProvider, **limits) -> httpx.Client:
    return httpx_client(OutboundPolicy(frozenset({provider.address})), **limits)


def test_client_reaches_what_is_allowed(provider):
    with open_client(provider) as client:
        assert client.get(f"{provider.base_url}/models").json()["data"][0]["id"] == "scripted-model"


def test_client_refuses_private_addresses(provider):
    with httpx_client(OPEN) as client, pytest.raises(httpx.ConnectError, match="not allowed"):
        client.get(f"{provider.base_url}/models")
    assert not provider.log


def test_client_refuses_a_name_that_leads_inside(provider):
    with httpx_client(OPEN, resolve=lambda *_: ["127.0.0.1"]) as client, pytest.raises(httpx.ConnectError):
        client.get(f"http://evil.example:{provider.port}/v1/models")
    assert not provider.log


def test_client_asks_once_and_connects_to_the_very_address_that_it_checked(provider):
    answers = [["127.0.0.1"], ["8.8.8.8"]]
    name = f"inside.example:{provider.port}"
    with httpx_client(OutboundPolicy(frozenset({name})), resolve=lambda *_: answers.pop(0)) as client:
        assert client.get(f"http://{name}/v1/models").status_code == 200
    assert answers == [["8.8.8.8"]]
    assert provider.log[-1].headers["host"] == name


def test_client_follows_no_redirect(provider):
    provider.list_behaviour = "redirect"
    with open_client(provider) as client:
        assert client.get(f"{provider.base_url}/models").status_code == 302


def test_client_takes_no_proxy_from_the_environment(provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with open_client(provider) as client:
        assert client.get(f"{provider.base_url}/models").status_code == 200


@pytest.mark.parametrize("behaviour", ["huge-body?mb=8", "gzip-bomb?mb=400"])
def test_client_refuses_answers_over_its_limit(provider, behaviour):
    provider.list_behaviour = behaviour
    with open_client(provider, limit_bytes=1 << 20) as client, pytest.raises(httpx.ReadError, match="larger"):
        client.get(f"{provider.base_url}/models")


def test_client_unpacks(provider):
    provider.list_behaviour = "gzip"
    with open_client(provider) as client:
        assert json.loads(client.get(f"{provider.base_url}/models").content)["object"] == "chat.completion"


def test_client_ends_a_dripping_answer_at_its_total_limit(provider):
    provider.list_behaviour = "never-ending"
    with open_client(provider, total_s=0.2) as client, pytest.raises(httpx.ReadTimeout):
        client.get(f"{provider.base_url}/models")


def test_unknown_name_is_an_http_error():
    with httpx_client(OPEN) as client, pytest.raises(httpx.ConnectError):
        client.get("https://no-such-host.invalid/")

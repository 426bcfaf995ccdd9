"""Failures in OpenAI's format: whose they are, and that nothing private is told."""

import json
from pathlib import Path

import pytest

from providers.operations.generate import adapter_between
from providers.wire.failure import FailureKind
from providers.wire.scrub import scrub

GOLDEN = Path(__file__).parent.parent / "golden" / "openai"
FAILURES = json.loads((GOLDEN / "failures.json").read_text())
ADAPTER = adapter_between("openai", "openai")


@pytest.mark.parametrize("case", FAILURES, ids=[case["name"] for case in FAILURES])
def test_failure_is_classified(case):
    body = case["body"].encode() if isinstance(case["body"], str) else json.dumps(case["body"]).encode()
    failure = ADAPTER.failure(case["status"], {}, body)
    assert (failure.kind.name, failure.code, failure.status) == (case["kind"], case["code"], case["status"])
    assert failure.param == case.get("param")
    assert failure.retry_after_s == case.get("retry_after_s")
    assert case.get("message", failure.message) == failure.message


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("7", 7),
        ("0", 1),
        ("0.2", 1),
        ("1800", 1800),
        ("86400", 3600),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_clamped_and_nonsense_ignored(value, wait_s):
    assert ADAPTER.failure(429, {"retry-after": value}, b"").retry_after_s == wait_s


def test_retry_after_may_be_a_date():
    headers = {"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 10:00:09 GMT"}
    assert ADAPTER.failure(503, headers, b"").retry_after_s == 9


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00", b"[[[[", b"{" * 50_000, b'{"error": {"code": {}}}', b"[]", b"7"]
)
def test_any_body_of_an_error_can_be_read(body):
    assert ADAPTER.failure(500, {}, body).kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abc123def456",
        "gsk_abcdef0123456789",
        "AIzaSyA-1234567890abcdef",
        "Bearer abc.def.ghi",
        "https://api.example.com/v1?key=1",
        "api.internal-name.example.com:8443",
        "10.0.0.7",
        "[fe80::1]:80",
        "localhost:8000",
        "/srv/app/models/llama.gguf",
        "C:\\Users\\me\\model",
        "org-abcdef123456",
        "0123456789abcdef0123456789abcdef",
        "api_key='hunter2'",
    ],
)
def test_secrets_and_places_are_scrubbed(secret):
    shown = scrub(f"It failed for {secret} just now")
    assert secret not in shown
    assert shown.startswith("It failed for [removed]")
    assert shown.endswith("just now")


@pytest.mark.parametrize(
    "message",
    [
        "messages.0.content is not a string for gpt-4.1-mini",
        "meta-llama/Llama-3.3-70B-Instruct needs 8192 tokens at most, 9000 given",
        "Unsupported value: 'temperature' does not support 0.2 with this model.",
    ],
)
def test_useful_words_survive_scrubbing(message):
    assert scrub(message) == message


def test_scrubbed_text_is_one_bounded_line():
    shown = scrub("a\x00b\r\nc\u2028" + "word " * 1000)
    assert shown.isprintable()
    assert len(shown) <= 500

"""Standard Webhooks: signatures as its document and OpenAI's SDK have them, and when tries come."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from accounts.alerts.signing import (
    JITTER,
    TRIES,
    WAITS_S,
    mint_secret,
    next_try,
    read_retry_after,
    sign,
    signed_headers,
)

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_signature_is_that_of_the_documents_example() -> None:
    body = b'{"test": 2432232314}'
    signed = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secret_is_thirty_two_bytes_behind_its_prefix_and_another_each_time() -> None:
    first, second = mint_secret(), mint_secret()
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first[6:])) == 32
    assert first != second


@pytest.mark.parametrize("shown", ["old", "new"])
def test_openais_sdk_takes_either_secret_while_both_sign(shown: str) -> None:
    keys = {"new": mint_secret(), "old": mint_secret()}
    body = '{"type":"x","data":{"id":"ü"}}'.encode()
    headers = signed_headers(keys.values(), "evt_1", datetime.now(UTC), body)
    assert headers["webhook-signature"].count("v1,") == 2
    OpenAI(api_key="x").webhooks.verify_signature(body.decode(), headers, secret=keys[shown])


def test_openais_sdk_refuses_what_was_changed_is_old_or_is_somebody_elses() -> None:
    secret, body, now = mint_secret(), b'{"type":"x"}', datetime.now(UTC)
    webhooks = OpenAI(api_key="x").webhooks
    for shown, key, at in (
        (body + b" ", secret, now),
        (body, mint_secret(), now),
        (body, secret, now - timedelta(seconds=302)),
    ):
        headers = signed_headers([secret], "evt_1", at, body)
        with pytest.raises(InvalidWebhookSignatureError):
            webhooks.verify_signature(shown.decode(), headers, secret=key)


@pytest.mark.parametrize("tries", range(1, TRIES))
@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_each_try_waits_as_the_standard_says_and_a_tenth_longer_at_most(tries: int, chance: float) -> None:
    waited = next_try(tries, at=AT, chance=chance)
    assert waited == AT + timedelta(seconds=WAITS_S[tries] * (1 + JITTER * chance))


def test_ten_tries_in_three_days_are_all() -> None:
    assert (TRIES, WAITS_S[:2], WAITS_S[-1]) == (10, (0, 5), 86_400)
    assert next_try(TRIES, at=AT, chance=0) is None


def test_receiver_that_asks_to_wait_longer_is_obeyed_and_one_that_asks_for_less_is_not() -> None:
    assert next_try(1, at=AT, chance=0, asked_s=60) == AT + timedelta(seconds=60)
    assert next_try(2, at=AT, chance=0, asked_s=60) == AT + timedelta(seconds=300)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("99999999999999999999", 86_400),
        ("Mon, 01 Jun 2026 12:02:00 GMT", 120),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0),
        ("Mon, 01 Jun 2029 11:00:00 GMT", 86_400),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_a_day_at_most(text: str, seconds: float | None) -> None:
    assert read_retry_after(text, at=AT) == seconds

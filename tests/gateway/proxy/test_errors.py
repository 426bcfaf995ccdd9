"""How errors are told to clients."""

import pytest
from rest_framework.exceptions import Throttled

from gateway.core.errors import render_exception
from gateway.core.store.interface import Limit, Standing, Verdict
from gateway.proxy.errors import RateLimited
from gateway.proxy.response_headers import limit_headers

WAITS = [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.0001, b"2"), (1.4, b"2"), (59.01, b"60"), (60.0, b"60")]


@pytest.mark.parametrize(("wait_s", "told"), WAITS)
def test_a_refused_call_is_never_told_to_come_back_too_early(wait_s, told):
    assert dict(RateLimited("Wait.", retry_after_s=wait_s).headers)[b"retry-after"] == told


@pytest.mark.parametrize(("wait_s", "told"), WAITS)
def test_neither_is_one_whose_window_is_told(wait_s, told):
    standing = Standing(Limit("key:1", "requests", 1, 60), remaining=0, reset_s=wait_s)
    headers = dict(limit_headers(Verdict(is_admitted=True, standings=[standing])))
    assert headers[b"x-ratelimit-reset-requests"] == told + b"s"


def test_nor_one_of_the_rest_api():
    refused = Throttled()
    refused.wait = 1.2
    assert render_exception(refused, {})["Retry-After"] == "2"

"""How errors are told to clients."""

import pytest
from rest_framework.exceptions import Throttled

from gateway.core.errors import render_exception
from gateway.proxy.errors import RateLimited

WAITS = [(0.0, b"1"), (0.2, b"1"), (1.0, b"1"), (1.0001, b"2"), (1.4, b"2"), (59.01, b"60"), (60.0, b"60")]


@pytest.mark.parametrize(("wait_s", "told"), WAITS)
def test_a_refused_call_is_never_told_to_come_back_too_early(wait_s, told):
    assert dict(RateLimited("Wait.", retry_after_s=wait_s).headers)[b"retry-after"] == told


def test_neither_is_one_of_the_rest_api():
    refused = Throttled()
    refused.wait = 1.2
    assert render_exception(refused, {})["Retry-After"] == "2"

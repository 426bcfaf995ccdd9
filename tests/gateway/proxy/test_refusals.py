"""What is said where no offering is left."""

import math

import pytest

from gateway.proxy.errors import Forbidden, InvalidRequest, Unavailable
from gateway.proxy.routing.refusals import no_candidate
from providers.operations.base import Requirements

NAME = "No provider of model 'acme/one'"
CHAT = Requirements("chat.completions", input_tokens=9)


def refusal(*reasons, needs=CHAT):
    return no_candidate(NAME, needs, set(reasons))


@pytest.mark.parametrize(
    ("reasons", "code", "param", "message"),
    [
        (["endpoint_not_offered"], "unsupported_endpoint", "model", "serves chat.completions."),
        (["format_lacks_endpoint"], "unsupported_endpoint", "model", "serves chat.completions."),
        (
            ["endpoint_not_offered", "format_lacks_endpoint"],
            "unsupported_endpoint",
            "model",
            "serves chat.completions.",
        ),
        (["cannot_read:image", "cannot_read:audio"], "unsupported_content", "messages", "reads audio input."),
        (
            ["context_too_small", "offering_disabled"],
            "context_length_exceeded",
            "messages",
            "takes so long an input: at most 0 tokens, and it has about 9.",
        ),
        (["lacks:tools"], "unsupported_parameter", "tools", "supports 'tools'."),
        (["lacks:logprobs,tools"], "unsupported_parameter", "logprobs", "supports 'logprobs'."),
        (
            ["lacks:tools,seed", "lacks:tools,logprobs"],
            "unsupported_parameter",
            "tools",
            "supports 'tools'.",
        ),
        (
            ["lacks:tools", "lacks:logprobs"],
            "unsupported_parameter",
            "logprobs",
            "supports 'logprobs' and 'tools' together.",
        ),
        (
            ["excluded:order", "excluded:only"],
            "no_wished_provider",
            "provider.only",
            "is left by 'provider.only' and 'provider.order' of the request.",
        ),
        # Another provider than the one that is pinned is nobody's affair.
        (
            ["not_pinned", "excluded:only"],
            "no_wished_provider",
            "provider.only",
            "is left by 'provider.only' of the request.",
        ),
        (
            ["reasons_below:high"],
            "unsupported_reasoning_level",
            "min_reasoning_level",
            "is known to reason at level 'high' or above.",
        ),
    ],
)
def test_the_callers_mistake_is_named(reasons, code, param, message):
    refused = refusal(*reasons)
    assert isinstance(refused, InvalidRequest)
    assert (refused.error_code, refused.param) == (code, param)
    if message:
        assert refused.message == f"{NAME} {message}"


@pytest.mark.parametrize(
    ("reasons", "code", "message", "retry_after_s"),
    [
        (["breaker_open"], "no_healthy_provider", "is healthy at the moment.", 10),
        (["breaker_open", "lacks:tools"], "no_healthy_provider", "is healthy at the moment.", 10),
        (["credential_missing"], "no_provider", "has a credential yet; staff can add one.", 30),
        (["credential_missing", "offering_disabled"], "no_provider", "is switched on at the moment.", 30),
        (["endpoint_not_offered", "offering_disabled"], "no_provider", "is switched on at the moment.", 30),
        (["excluded:only", "offering_disabled"], "no_provider", "is switched on at the moment.", 30),
        (["not_pinned", "credential_missing"], "no_provider", "has a credential yet; staff can add one.", 30),
        (["not_pinned"], "no_provider", "is switched on at the moment.", 30),
        ([], "no_provider", "is switched on at the moment.", 30),
    ],
)
def test_what_may_pass_is_told_with_when_to_try_again(reasons, code, message, retry_after_s):
    refused = refusal(*reasons)
    assert isinstance(refused, Unavailable)
    assert (refused.error_code, refused.message) == (code, f"{NAME} {message}")
    assert refused.retry_after_s == retry_after_s


@pytest.mark.parametrize(
    ("pause_s", "told_s"),
    [(0, 1), (0.5, 1), (1.5, 1.5), (240, 240), (3600, 3600), (3601, 3600), (math.inf, 10)],
)
def test_who_is_kept_out_for_so_long_is_worth_asking_again_then(pause_s, told_s):
    assert no_candidate(NAME, CHAT, {"breaker_open"}, pause_s=pause_s).retry_after_s == told_s


def test_a_parameter_is_named_as_the_client_writes_it():
    needs = Requirements("chat.completions", field_names={"structured_outputs": "response_format"})
    assert refusal("lacks:structured_outputs", needs=needs).param == "response_format"


def test_a_provider_that_the_key_may_not_use_is_told_where_nothing_else_was_in_the_way():
    refused = refusal("forbidden_to_key", "excluded:only")
    assert isinstance(refused, Forbidden)
    assert (refused.error_code, refused.param) == ("provider_not_permitted", "provider")
    assert refusal("forbidden_to_key", "lacks:tools").param == "tools"

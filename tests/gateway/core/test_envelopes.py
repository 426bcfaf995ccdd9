"""Every refusal has the envelope of the API that was spoken, and its word by status, whoever writes it."""

import anthropic.types.shared as words
import pytest

from gateway.core.envelopes import WRITERS, anthropic_envelope, listed_envelope, openai_envelope, read_lengths
from gateway.core.errors import ApiError, render_exception
from gateway.proxy.errors import (
    InvalidRequest,
    ProviderError,
    RateLimited,
    Unauthorised,
    WorkerLost,
    read_error,
)
from providers.formats.registry import CLIENT_FORMATS

OPENAI = [
    (399, "invalid_request_error"),
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (403, "permission_error"),
    (404, "invalid_request_error"),
    (429, "rate_limit_error"),
    (499, "invalid_request_error"),
    (500, "server_error"),
    (503, "server_error"),
]
ANTHROPIC = [
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (409, "conflict_error"),
    (410, "not_found_error"),
    (413, "invalid_request_error"),
    (422, "invalid_request_error"),
    (429, "rate_limit_error"),
    (499, "invalid_request_error"),
    (500, "api_error"),
    (503, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
]
LISTED = [
    (400, "invalid_request"),
    (401, "unauthorised"),
    (403, "forbidden"),
    (404, "not_found"),
    (429, "rate_limited"),
    (499, "invalid_request"),
    (500, "failed"),
    (501, "not_implemented"),
]


class View:
    def __init__(self, shape):
        self.error_shape = shape


def an_error(status=400, param=None):
    return {"message": "No.", "code": "no", "param": param, "status": status}


@pytest.mark.parametrize(("status", "word"), OPENAI)
def test_openais_envelope_has_all_four_members(status, word):
    members = {"message": "No.", "type": word, "param": None, "code": "no"}
    assert openai_envelope(an_error(status)) == {"error": members}


@pytest.mark.parametrize(("status", "word"), ANTHROPIC)
def test_anthropics_envelope_names_its_kind(status, word):
    told = {"type": "error", "error": {"type": word, "message": "No.", "code": "no"}, "request_id": "r"}
    assert anthropic_envelope(an_error(status), "r") == told


def test_anthropics_sdk_knows_every_kind():
    assert {word for _, word in ANTHROPIC} <= set(words.ErrorType.__args__)


@pytest.mark.parametrize(("status", "word"), LISTED)
def test_published_list_has_an_envelope_of_its_own(status, word):
    assert listed_envelope(an_error(status)) == {"ok": False, "error": word, "code": "no", "message": "No."}
    assert listed_envelope(an_error(status, "limit"))["param"] == "limit"


@pytest.mark.parametrize(("shape", "client"), [("openai", "openai"), ("anthropic", "anthropic")])
@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 503])
def test_rest_and_the_edge_write_the_same_error_alike(shape, client, status):
    error = ApiError("No.", status=status, code="no", param="model")
    answer = render_exception(error, {"view": View(shape)})
    assert answer.data == CLIENT_FORMATS[client].error_body(error.to_dict(), answer["x-request-id"])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("No.", status=413), InvalidRequest),
        (RateLimited("No."), RateLimited),
        (ProviderError("No.", status=504), ProviderError),
        (WorkerLost("No."), WorkerLost),
        (Unauthorised("No."), InvalidRequest),
    ],
)
def test_error_of_a_worker_is_one_of_its_kind_again(error, kind):
    again = read_error(error.to_dict())
    assert (type(again), again.to_dict()) == (kind, error.to_dict())


TOO_LONG = {
    "prompt is too long: 208310 tokens > 200000 maximum": (208310, 200000),
    "This model's maximum context length is 128,000 tokens. However, you requested 130500 tokens (126404 in the "
    "messages, 4096 in the completion).": (130500, 128000),
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).": (
        1200000,
        1048576,
    ),
    "the request (5000 tokens) exceeds the available context size (4096 tokens)": (5000, 4096),
    "This model's maximum prompt length is 131072 but the request contains 150000 tokens.": (150000, 131072),
    "No provider of model 'a/b-20250414' takes so long an input: at most 1000 tokens, and it has about 1200.": (
        1200,
        1000,
    ),
    "Please make it shorter.": None,
    "The context window of gpt-20250414 is 8192 tokens.": None,
}
WORDS = {
    "openai": "This model's maximum context length is {1} tokens. However, your messages resulted in {0} tokens.",
    "anthropic": "prompt is too long: {0} tokens > {1} maximum",
    "google": "The input token count ({0}) exceeds the maximum number of tokens allowed ({1}).",
}


@pytest.mark.parametrize("form", WORDS)
@pytest.mark.parametrize(("message", "lengths"), TOO_LONG.items())
def test_a_prompt_that_is_too_long_is_told_in_the_words_that_the_clients_look_for(form, message, lengths):
    assert read_lengths(message) == lengths
    error = {"message": message, "code": "context_length_exceeded", "status": 400, "param": None}
    told = WRITERS[form](error)["error"]["message"]
    unnumbered = f"prompt is too long: {message}" if form == "anthropic" else message
    assert told == (WORDS[form].format(*lengths) if lengths else unnumbered)


OF_VLLM = (
    "'max_tokens' or 'max_completion_tokens' is too large: 40000. This model's maximum context length is 32768 "
    "tokens and your request has 100 input tokens (40000 > 32768 - 100)."
)
OF_OPENAI = (
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (5000 in the "
    "messages, 4000 in the completion). Please reduce the length of the messages or completion."
)


@pytest.mark.parametrize(
    ("message", "lengths"), [(OF_VLLM, (100, 40000, 32768)), (OF_OPENAI, (5000, 4000, 8192))]
)
def test_a_prompt_that_leaves_its_answer_no_room_is_not_called_too_long(message, lengths):
    """Claude Code would compact it, where it has to ask for a shorter answer."""
    error = {"message": message, "code": "context_length_exceeded", "status": 400}
    prompt, answer, most = lengths
    said = anthropic_envelope(error)["error"]["message"]
    assert said.startswith(
        f"input length and `max_tokens` exceed context limit: {prompt} + {answer} > {most}"
    )
    assert openai_envelope(error)["error"]["message"] == message


def test_a_prompt_too_long_for_any_answer_is_called_so():
    message = "However, you requested 9500 tokens (9000 in the messages, 500 in the completion)"
    message = f"This model's maximum context length is 8192 tokens. {message}"
    error = {"message": message, "code": "context_length_exceeded", "status": 400}
    assert anthropic_envelope(error)["error"]["message"].startswith("prompt is too long: 9")

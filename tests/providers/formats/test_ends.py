"""How each format says why an answer ended and what it used: every rule below, at and above its boundary."""

import orjson
import pytest

from providers.formats.anthropic import finish as anthropic_finish
from providers.formats.anthropic import usage as anthropic_usage
from providers.formats.gemini import finish as gemini_finish
from providers.formats.gemini import usage as gemini_usage
from providers.formats.openai import finish as openai_finish
from providers.formats.openai import usage as openai_usage
from providers.formats.responses import finish as responses_finish
from providers.formats.responses import usage as responses_usage
from providers.wire.events import Finished, FinishReason, RefusalDelta
from providers.wire.failure import FailureKind, UpstreamFailure
from tests.used import used

STOP, LENGTH, CALLS = FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS
FILTER, PAUSE = FinishReason.CONTENT_FILTER, FinishReason.PAUSE
MOST = 100_000_000
BILLING = "This needs billing to be enabled."
GOOGLE = "type.googleapis.com/google.rpc."


# Why an answer ended


@pytest.mark.parametrize(
    ("word", "has_calls", "reason"),
    [
        ("stop", False, STOP),
        ("stop", True, CALLS),
        ("STOP", True, CALLS),
        ("Length", True, LENGTH),
        ("length", False, LENGTH),
        ("model_length", False, LENGTH),
        ("tool_calls", True, CALLS),
        ("CONTENT_FILTER", False, FILTER),
        ("of tomorrow", False, STOP),
        ("of tomorrow", True, CALLS),
    ],
)
def test_chat_ends_as_its_word_says_in_whatever_letters(word, has_calls, reason):
    assert openai_finish.read_finish(word, None, has_calls=has_calls) == Finished(reason, word)


@pytest.mark.parametrize(
    ("native", "kept"), [("end_turn", "end_turn"), ("", "stop"), (None, "stop"), (7, "stop")]
)
def test_chat_keeps_the_word_of_whoever_stands_behind(native, kept):
    assert openai_finish.read_finish("stop", native, has_calls=False).native == kept


@pytest.mark.parametrize(
    ("finished", "written"),
    [
        (Finished(STOP, ""), {"finish_reason": "stop"}),
        (Finished(STOP, "end_turn"), {"finish_reason": "stop", "native_finish_reason": "end_turn"}),
        (Finished(PAUSE, "pause_turn"), {"finish_reason": "length", "native_finish_reason": "pause_turn"}),
    ],
)
def test_chat_says_its_own_word_and_the_one_behind_it(finished, written):
    assert openai_finish.write_finish(finished) == written


@pytest.mark.parametrize(
    ("word", "has_calls", "reason"),
    [
        ("STOP", False, STOP),
        ("STOP", True, CALLS),
        ("MAX_TOKENS", True, LENGTH),
        ("SAFETY", True, FILTER),
        ("CONTINUATION", False, PAUSE),
        ("OF_TOMORROW", False, STOP),
        ("OF_TOMORROW", True, CALLS),
    ],
)
def test_gemini_ends_as_its_word_says(word, has_calls, reason):
    assert gemini_finish.read_finish(word, has_calls=has_calls) == Finished(reason, word)


@pytest.mark.parametrize(
    ("finished", "word"),
    [
        (Finished(FILTER, "RECITATION"), "RECITATION"),
        (Finished(FILTER, "STOP"), "SAFETY"),
        (Finished(FILTER, "refusal"), "SAFETY"),
        (Finished(CALLS, "STOP"), "STOP"),
    ],
)
def test_gemini_is_told_its_own_word_only_where_it_means_the_same(finished, word):
    assert gemini_finish.write_finish(finished) == word


@pytest.mark.parametrize(
    ("told", "has_calls", "events"),
    [
        ({"stop_reason": "end_turn"}, False, [Finished(STOP, "end_turn")]),
        ({"stop_reason": "end_turn"}, True, [Finished(STOP, "end_turn")]),
        ({"stop_reason": "tool_use"}, True, [Finished(CALLS, "tool_use")]),
        ({"stop_reason": "tool_use"}, False, [Finished(STOP, "tool_use")]),
        ({"stop_reason": "max_tokens"}, False, [Finished(LENGTH, "max_tokens")]),
        ({"stop_reason": "of_tomorrow"}, False, [Finished(STOP, "of_tomorrow")]),
        (
            {"stop_reason": "stop_sequence", "stop_sequence": "END"},
            False,
            [Finished(STOP, "stop_sequence", "END")],
        ),
        ({"stop_reason": "stop_sequence", "stop_sequence": 7}, False, [Finished(STOP, "stop_sequence")]),
        (
            {"stop_reason": "refusal", "stop_details": {"explanation": "No."}},
            False,
            [RefusalDelta("No."), Finished(FILTER, "refusal")],
        ),
        (
            {"stop_reason": "refusal", "stop_details": {"explanation": ""}},
            False,
            [Finished(FILTER, "refusal")],
        ),
        (
            {"stop_reason": "refusal", "stop_details": {"explanation": 7}},
            False,
            [Finished(FILTER, "refusal")],
        ),
        ({"stop_reason": "refusal", "stop_details": "No."}, False, [Finished(FILTER, "refusal")]),
        ({"stop_reason": None}, False, []),
        ({"stop_reason": ""}, False, []),
        ({"stop_reason": 7}, False, []),
        ({}, True, []),
    ],
)
def test_anthropic_ends_once_it_names_a_reason(told, has_calls, events):
    assert anthropic_finish.read_finish(told, has_calls=has_calls, has_answer=True) == events


def test_anthropics_end_in_a_call_that_was_not_made_is_a_failure():
    with pytest.raises(UpstreamFailure, match="called none"):
        anthropic_finish.read_finish({"stop_reason": "tool_use"}, has_calls=False, has_answer=False)


@pytest.mark.parametrize(
    ("finished", "refusal", "has_calls", "word", "sequence", "explanation"),
    [
        (Finished(STOP, "stop"), "", False, "end_turn", None, None),
        (Finished(STOP, "stop"), "", True, "tool_use", None, None),
        (Finished(STOP, "stop_sequence", "END"), "", False, "stop_sequence", "END", None),
        (Finished(STOP, "stop", ""), "", False, "stop_sequence", "", None),
        (Finished(STOP, "stop_sequence", "END"), "", True, "tool_use", None, None),
        (Finished(LENGTH, "length", "END"), "", True, "max_tokens", None, None),
        (
            Finished(LENGTH, "model_context_window_exceeded"),
            "",
            False,
            "model_context_window_exceeded",
            None,
            None,
        ),
        (Finished(STOP, "tool_use"), "", False, "end_turn", None, None),
        (Finished(CALLS, "tool_use"), "", True, "tool_use", None, None),
        (Finished(STOP, "end_turn"), "No.", False, "refusal", None, "No."),
        (Finished(FILTER, "SAFETY"), "", False, "refusal", None, None),
    ],
)
def test_anthropics_clients_are_told_the_reason_in_three_members(
    finished, refusal, has_calls, word, sequence, explanation
):
    details = {"type": "refusal", "category": None, "explanation": explanation} if word == "refusal" else None
    assert anthropic_finish.write_finish(finished, refusal, has_calls=has_calls) == {
        "stop_reason": word,
        "stop_sequence": sequence,
        "stop_details": details,
    }


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        ({"service_tier": "standard"}, "default"),
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "of tomorrow"}, None),
        ({"service_tier": ["standard"]}, None),
        ({}, None),
        ("standard", None),
    ],
)
def test_anthropics_tiers_are_read_by_name(usage, tier):
    assert anthropic_finish.read_tier(usage) == tier


@pytest.mark.parametrize(
    ("tier", "written"), [("default", {"service_tier": "standard"}), ("flex", {}), (None, {})]
)
def test_anthropics_clients_are_told_the_tiers_that_they_know(tier, written):
    assert anthropic_finish.write_tier(tier) == written


@pytest.mark.parametrize(
    ("response", "has_calls", "finished"),
    [
        ({"status": "completed"}, False, Finished(STOP, "completed")),
        ({"status": "completed"}, True, Finished(CALLS, "completed")),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            True,
            Finished(LENGTH, "max_output_tokens"),
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            False,
            Finished(FILTER, "content_filter"),
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "tired"}},
            False,
            Finished(PAUSE, "tired"),
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": 7}}, False, Finished(PAUSE, "incomplete")),
        ({"status": "incomplete", "incomplete_details": None}, False, Finished(PAUSE, "incomplete")),
    ],
)
def test_a_response_ends_as_its_status_says(response, has_calls, finished):
    assert responses_finish.read_finish(response, has_calls=has_calls) == finished


@pytest.mark.parametrize(
    ("finished", "status", "details"),
    [
        (Finished(STOP, ""), "completed", None),
        (Finished(CALLS, ""), "completed", None),
        (Finished(LENGTH, ""), "incomplete", {"reason": "max_output_tokens"}),
        (Finished(FILTER, ""), "incomplete", {"reason": "content_filter"}),
        (Finished(PAUSE, ""), "incomplete", None),
    ],
)
def test_a_cut_response_is_not_called_completed(finished, status, details):
    assert responses_finish.write_status(finished) == {"status": status, "incomplete_details": details}


# Whose fault one is that failed


def responses_failure(error):
    with pytest.raises(UpstreamFailure) as caught:
        responses_finish.read_finish({"status": "failed", "error": error}, has_calls=False)
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"code": "rate_limit_exceeded", "message": "Slowly."}, FailureKind.RATE_LIMIT, 429),
        ({"error": {"code": "server_error", "message": "Oh."}}, FailureKind.UNAVAILABLE, 500),
        ({"code": "invalid_prompt", "message": 7}, FailureKind.CALLER, 400),
        ({"code": "of_tomorrow", "message": "Oh."}, FailureKind.BAD_RESPONSE, None),
        ({"code": ["server_error"]}, FailureKind.BAD_RESPONSE, None),
        ({"code": 503, "message": "Oh."}, FailureKind.UNAVAILABLE, 503),
        (None, FailureKind.BAD_RESPONSE, None),
    ],
)
def test_a_failed_response_is_classified_by_its_code(error, kind, status):
    failure = responses_failure(error)
    assert (failure.kind, failure.status) == (kind, status)


def test_a_response_without_an_end_is_a_failure():
    with pytest.raises(UpstreamFailure, match="did not end"):
        responses_finish.read_finish({"status": "in_progress"}, has_calls=False)


def anthropic_failure(status, message="", *, code=None):
    error = {"type": "error", "error": {"message": message, "details": {"error_code": code}}}
    return anthropic_finish.read_failure(status, {"retry-after": "7"}, orjson.dumps(error))


@pytest.mark.parametrize(
    ("status", "message", "code", "kind", "told"),
    [
        (400, "Your credit balance is too low", None, FailureKind.AUTH, "provider_auth_error"),
        (429, "No more", "spend_limit_reached", FailureKind.AUTH, "provider_auth_error"),
        (429, "No more", 7, FailureKind.RATE_LIMIT, "provider_rate_limited"),
        (400, "messages.0.content: Field required", None, FailureKind.CALLER, "invalid_request"),
        (400, "It exceeds the context limit", None, FailureKind.CALLER, "context_length_exceeded"),
        (400, "blocked by content filtering policy", None, FailureKind.CALLER, "content_policy_violation"),
    ],
)
def test_anthropics_failures_are_classified_by_what_they_say(status, message, code, kind, told):
    failure = anthropic_failure(status, message, code=code)
    assert failure.status == (402 if kind is FailureKind.AUTH else status)
    assert (failure.kind, failure.code, failure.retry_after_s) == (
        kind,
        told,
        None if kind is FailureKind.CALLER else 7,
    )


def test_anthropics_message_names_the_parameter_first():
    assert anthropic_failure(400, "messages.0.content: Field required").param == "messages.0.content"
    assert anthropic_failure(400, "See messages.0.content: Field required").param is None


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{}", b'{"error":[]}', b'{"error":{"details":"x"}}'])
def test_anthropics_failures_without_details_are_read_too(body):
    assert anthropic_finish.read_failure(503, {}, body).kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("value", "kind", "status"),
    [
        ({"error": {"type": "overloaded_error", "message": "Oh."}}, FailureKind.UNAVAILABLE, 529),
        ({"error": {"type": "of_tomorrow", "message": "Oh."}}, FailureKind.BAD_RESPONSE, None),
        ({"error": {"type": ["x"], "message": "Oh."}}, FailureKind.BAD_RESPONSE, None),
        ({"error": "Oh."}, FailureKind.BAD_RESPONSE, None),
        ("Oh.", FailureKind.BAD_RESPONSE, None),
    ],
)
def test_anthropics_failures_inside_of_a_stream_are_classified_by_their_type(value, kind, status):
    failure = anthropic_finish.read_inner_failure(value)
    assert (failure.kind, failure.status) == (kind, status)
    assert ("Oh." in failure.message) is (value != "Oh.")


def gemini_error(status="", message="", **details):
    told = [{"@type": GOOGLE + kind, **said} for kind, said in details.items()]
    return {"status": status, "message": message, "details": ["none", {"@type": "other"}, *told]}


def gemini_failure(status, error, headers=None):
    return gemini_finish.read_failure(status, headers or {}, orjson.dumps({"error": error}))


@pytest.mark.parametrize(
    ("status", "error", "kind", "told"),
    [
        (429, gemini_error(message="Quota"), FailureKind.RATE_LIMIT, "provider_rate_limited"),
        (
            429,
            gemini_error(QuotaFailure={"violations": [{"quotaId": "RequestsPerDayPerProject"}]}),
            FailureKind.RATE_LIMIT,
            "provider_quota_exhausted",
        ),
        (400, gemini_error(ErrorInfo={"reason": "API_KEY_INVALID"}), FailureKind.AUTH, "provider_auth_error"),
        (
            403,
            gemini_error(ErrorInfo={"reason": "SERVICE_DISABLED"}),
            FailureKind.AUTH,
            "provider_auth_error",
        ),
        (
            404,
            gemini_error(ErrorInfo={"reason": "SERVICE_DISABLED"}),
            FailureKind.MODEL_MISSING,
            "provider_model_missing",
        ),
        (400, gemini_error("FAILED_PRECONDITION", BILLING), FailureKind.AUTH, "provider_auth_error"),
        (400, gemini_error("INVALID_ARGUMENT", BILLING), FailureKind.CALLER, "invalid_request"),
        (400, gemini_error("FAILED_PRECONDITION", "No."), FailureKind.CALLER, "invalid_request"),
        (
            400,
            gemini_error(message="The input token count (5) exceeds the maximum"),
            FailureKind.CALLER,
            "context_length_exceeded",
        ),
        (
            400,
            gemini_error(message="Against our content policy"),
            FailureKind.CALLER,
            "content_policy_violation",
        ),
        (400, gemini_error(ErrorInfo={"reason": "BAD_THING"}), FailureKind.CALLER, "bad_thing"),
        (499, gemini_error("CANCELLED"), FailureKind.UNAVAILABLE, "provider_unavailable"),
        (498, gemini_error("CANCELLED"), FailureKind.RATE_LIMIT, "provider_rate_limited"),
    ],
)
def test_geminis_failures_are_classified_by_their_details(status, error, kind, told):
    failure = gemini_failure(status, error)
    assert failure.status == (401 if kind is FailureKind.AUTH else 503 if status == 499 else status)
    assert (failure.kind, failure.code) == (kind, told)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("delay", "wait_s"), [("30s", 30), ("7.5s", 7.5), ("", 9)])
def test_geminis_own_delay_goes_before_the_header(status, delay, wait_s):
    error = gemini_error(RetryInfo={"retryDelay": delay})
    assert gemini_failure(status, error, {"retry-after": "9"}).retry_after_s == wait_s


@pytest.mark.parametrize("length", [63, 64, 65])
def test_geminis_codes_are_names_of_at_most_64_letters(length):
    failure = gemini_failure(400, gemini_error(ErrorInfo={"reason": "A" * length + "- "}))
    assert failure.code == "a" * min(length, 64)


def test_of_geminis_errors_the_first_counts():
    errors = [{"error": gemini_error(message="First.")}, {"error": gemini_error(message="Second.")}]
    assert "First." in gemini_finish.read_failure(503, {}, orjson.dumps(errors)).message


def test_geminis_parameter_stands_in_the_first_violation():
    violations = [{"field": "contents[0].parts"}, {"field": "other"}]
    assert (
        gemini_failure(400, gemini_error(BadRequest={"fieldViolations": violations})).param
        == "contents[0].parts"
    )
    for none in ([], "x", ["x"]):
        assert gemini_failure(400, gemini_error(BadRequest={"fieldViolations": none})).param is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Bad gateway", FailureKind.UNAVAILABLE),
        (b"[[]]", FailureKind.UNAVAILABLE),
        (b'[{"error":{"message":"Oh."}}]', FailureKind.UNAVAILABLE),
        (b'{"error":{"message":"Oh.","details":"none"}}', FailureKind.UNAVAILABLE),
    ],
)
def test_geminis_failures_without_an_envelope_are_read_too(body, kind):
    assert gemini_finish.read_failure(499, {}, body).kind is kind


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 400}, 400),
        ({"code": 399}, None),
        ({"code": 599}, 599),
        ({"code": 600}, None),
        ({"code": 600, "status": "RESOURCE_EXHAUSTED"}, 429),
        ({"code": "400", "status": "NOT_FOUND"}, 404),
        ({"code": 499}, 503),
        ({"status": 7}, None),
    ],
)
def test_geminis_failures_inside_of_an_answer_have_the_status_that_they_tell(error, status):
    assert gemini_finish.reported_inside(error).status == status


# What it used


ANTHROPIC = {"input_tokens": 10, "output_tokens": 5}


@pytest.mark.parametrize("name", ["input_tokens", "output_tokens"])
@pytest.mark.parametrize(
    ("count", "is_told"),
    [(0, True), (-1, False), (MOST, True), (MOST + 1, False), (True, False), (1.0, False), (None, False)],
)
def test_anthropics_totals_are_told_or_estimated(name, count, is_told):
    assert (anthropic_usage.read_usage({**ANTHROPIC, name: count}) is not None) is is_told


def test_what_is_no_usage_of_anthropics_is_none():
    assert anthropic_usage.read_usage([ANTHROPIC]) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, used(10, 5)),
        ({"cache_read_input_tokens": 3}, used(13, 5, 3)),
        ({"cache_creation_input_tokens": 4}, used(14, 5, 0, 4)),
        (
            {"cache_creation_input_tokens": 4, "cache_creation": {"ephemeral_1h_input_tokens": 3}},
            used(14, 5, 0, 4, cached_write_1h_tokens=3),
        ),
        (
            {"cache_creation_input_tokens": 4, "cache_creation": {"ephemeral_1h_input_tokens": 5}},
            used(14, 5, 0, 4, cached_write_1h_tokens=4),
        ),
        ({"cache_creation": "none"}, used(10, 5)),
        ({"output_tokens_details": {"thinking_tokens": 4}}, used(10, 5, reasoning_tokens=4)),
        ({"output_tokens_details": {"thinking_tokens": 6}}, used(10, 5, reasoning_tokens=5)),
        ({"speed": "fast"}, used(10, 5, service_tier="fast")),
        ({"speed": "slow"}, used(10, 5)),
    ],
)
def test_anthropics_parts_are_of_their_totals(told, expected):
    assert anthropic_usage.read_usage({**ANTHROPIC, **told}) == expected


def test_anthropics_clients_are_told_the_input_without_its_cache():
    written = anthropic_usage.write_usage(used(20, 5, 7, 6, 2, cached_write_1h_tokens=4))
    assert written == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 6,
        "cache_read_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
    }
    assert anthropic_usage.write_usage(used(20, 5, 15, 6))["input_tokens"] == 0
    assert anthropic_usage.write_usage(used(20, 5, 13, 6))["input_tokens"] == 1
    assert anthropic_usage.write_usage(used(1, is_estimated=True))["is_estimated"] is True


def kinds(*counts):
    return [{"modality": modality, "tokenCount": count} for modality, count in counts]


GEMINI = {"promptTokenCount": 10, "candidatesTokenCount": 5}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, used(10, 5)),
        ({"toolUsePromptTokenCount": 4}, used(14, 5)),
        ({"toolUsePromptTokenCount": -4}, used(10, 5)),
        ({"toolUsePromptTokenCount": True}, used(10, 5)),
        ({"toolUsePromptTokenCount": 1}, used(11, 5)),
        ({"thoughtsTokenCount": 3}, used(10, 8, reasoning_tokens=3)),
        ({"candidatesTokenCount": 0}, used(10, 0)),
        ({"candidatesTokenCount": 0, "thoughtsTokenCount": 3}, used(10, 3, reasoning_tokens=3)),
        ({"candidatesTokenCount": None, "thoughtsTokenCount": 3}, used(10, 3, reasoning_tokens=3)),
        ({"candidatesTokenCount": None, "totalTokenCount": 17}, used(10, 7)),
        (
            {"candidatesTokenCount": None, "totalTokenCount": 12, "thoughtsTokenCount": 3},
            used(10, 3, reasoning_tokens=3),
        ),
        (
            {"candidatesTokenCount": None, "totalTokenCount": 14, "thoughtsTokenCount": 3},
            used(10, 4, reasoning_tokens=3),
        ),
        ({"candidatesTokenCount": None, "totalTokenCount": "17"}, used(10, 0)),
        ({"candidatesTokenCount": True}, None),
        ({"promptTokenCount": None}, None),
        ({"promptTokenCount": None, "candidatesTokenCount": None, "totalTokenCount": 9}, None),
        ({"cachedContentTokenCount": 4}, used(10, 5, 4)),
        ({"cachedContentTokenCount": 11}, used(10, 5, 10)),
        ({"serviceTier": "FLEX"}, used(10, 5, service_tier="flex")),
        ({"serviceTier": 7}, used(10, 5)),
        ({"promptTokensDetails": kinds(("AUDIO", 4), ("TEXT", 6))}, used(10, 5, input_audio_tokens=4)),
        ({"promptTokensDetails": kinds(("AUDIO", 4), ("AUDIO", 5))}, used(10, 5, input_audio_tokens=9)),
        ({"promptTokensDetails": kinds(("IMAGE", 11))}, used(10, 5, input_image_tokens=10)),
        ({"promptTokensDetails": ["AUDIO"]}, used(10, 5)),
        ({"promptTokensDetails": "AUDIO"}, used(10, 5)),
        ({"candidatesTokensDetails": kinds(("IMAGE", 6))}, used(10, 5, output_image_tokens=5)),
        (
            {"candidatesTokensDetails": kinds(("IMAGE", 6)), "thoughtsTokenCount": 2},
            used(10, 7, reasoning_tokens=2, output_image_tokens=5),
        ),
        # What was cached of a kind is a part of both: of all that was cached, and of the kind.
        (
            {
                "cachedContentTokenCount": 3,
                "promptTokensDetails": kinds(("VIDEO", 9)),
                "cacheTokensDetails": kinds(("VIDEO", 4)),
            },
            used(10, 5, 3, input_video_tokens=9, cached_read_video_tokens=3),
        ),
        (
            {
                "cachedContentTokenCount": 8,
                "promptTokensDetails": kinds(("VIDEO", 2)),
                "cacheTokensDetails": kinds(("VIDEO", 4)),
            },
            used(10, 5, 8, input_video_tokens=2, cached_read_video_tokens=2),
        ),
    ],
)
def test_geminis_counts_are_made_totals_and_parts(told, expected):
    assert gemini_usage.read_usage({**GEMINI, **told}) == expected


def test_what_is_no_usage_of_geminis_is_none():
    assert gemini_usage.read_usage([GEMINI]) is None


@pytest.mark.parametrize(
    ("usage", "written"),
    [
        (
            used(10, 5),
            {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        ),
        (
            used(10, 5, 4, 0, 3),
            {
                "promptTokenCount": 10,
                "candidatesTokenCount": 2,
                "totalTokenCount": 15,
                "cachedContentTokenCount": 4,
                "thoughtsTokenCount": 3,
            },
        ),
        (
            used(10, 5, is_estimated=True),
            {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15, "isEstimated": True},
        ),
        (
            used(10, 5, input_audio_tokens=4, output_image_tokens=5),
            {
                "promptTokenCount": 10,
                "candidatesTokenCount": 5,
                "totalTokenCount": 15,
                "promptTokensDetails": kinds(("TEXT", 6), ("AUDIO", 4)),
                "candidatesTokensDetails": kinds(("TEXT", 0), ("IMAGE", 5)),
            },
        ),
        (
            used(10, 5, 4, input_audio_tokens=6, input_image_tokens=6, cached_read_audio_tokens=3),
            {
                "promptTokenCount": 10,
                "candidatesTokenCount": 5,
                "totalTokenCount": 15,
                "cachedContentTokenCount": 4,
                "promptTokensDetails": kinds(("TEXT", 0), ("AUDIO", 6), ("IMAGE", 6)),
                "cacheTokensDetails": kinds(("TEXT", 1), ("AUDIO", 3)),
            },
        ),
    ],
)
def test_geminis_clients_are_told_kinds_only_where_there_are_others_than_text(usage, written):
    assert gemini_usage.write_usage(usage) == written


def test_a_response_tells_usage_by_other_names():
    told = {
        "input_tokens": 10,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    usage = used(10, 5, 3, 2, 4, service_tier="flex")
    assert responses_usage.read_usage({"usage": told, "service_tier": "flex"}) == usage
    assert responses_usage.write_usage(usage) == {**told, "total_tokens": 15}
    assert responses_usage.write_usage(used(is_estimated=True))["is_estimated"] is True
    assert responses_usage.read_usage({"usage": [told]}) is None


def test_chat_tells_totals_parts_and_where_that_is_asked_for_the_cost():
    usage = used(10, 5, 3, 2, 4)
    written = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert openai_usage.write_usage(usage) == written
    assert openai_usage.write_stream_usage(usage, None) == written
    assert openai_usage.write_stream_usage(usage, lambda _: 0.5) == {**written, "cost": 0.5}
    assert openai_usage.write_embeddings_usage(used(7, is_estimated=True)) == {
        "prompt_tokens": 7,
        "total_tokens": 7,
        "is_estimated": True,
    }

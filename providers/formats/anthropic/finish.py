"""Why an answer ended and in which service tier it was made, both ways; whose fault a failed one is."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from gateway.core.envelopes import ANTHROPIC_STATUSES
from providers.formats import finishes
from providers.wire.events import Event, Finished, FinishReason, RefusalDelta
from providers.wire.failure import (
    ReportedError,
    UpstreamFailure,
    failure_for,
    read_error,
    retry_after_s,
    unclear,
)

_TIERS = {"standard": "default", "priority": "priority", "batch": "batch"}
# Anthropic answers an empty account with 400, and a contract's limit with 429.
_NO_CREDIT = re.compile(r"credit balance is too low|spend_limit_reached", re.IGNORECASE)
_TOO_LONG = re.compile(r"exceed\w* (?:the )?(?:context limit|maximum context)", re.IGNORECASE)
# Its messages name the parameter first, as in `messages.0.content: Field required`.
_PARAM = re.compile(
    r"((?:messages|system|tools|tool_choice|max_tokens|temperature|top_[kp]|stop_sequences|thinking|metadata|output_config"
    r"|service_tier|container|context_management|mcp_servers)(?:\.[\w-]+)*): "
)
_POLICY = re.compile(r"content filtering policy|usage policy", re.IGNORECASE)


def read_finish(value: Mapping[str, Any], *, has_calls: bool, has_answer: bool) -> list[Event]:
    """From the members `stop_reason`, `stop_sequence` and `stop_details`; nothing while there is no reason.

    `has_answer`: the structured answer came as a call, which is none for the client. Raises UpstreamFailure for an end
    in a call where there was none.
    """
    word = value.get("stop_reason")
    if not isinstance(word, str) or not word:
        return []
    reason = finishes.read_reason("anthropic", word)
    if reason is FinishReason.TOOL_CALLS and has_answer and not has_calls:
        reason = FinishReason.STOP
    finishes.refuse_without_call(reason, has_calls=has_calls)
    sequence = value.get("stop_sequence")
    finished = Finished(reason, word, sequence if isinstance(sequence, str) else None)
    return [*_read_refusal(value.get("stop_details")), finished]


def write_finish(finished: Finished, refusal: str, *, has_calls: bool) -> dict[str, Any]:
    """The three members. `refusal`: the words of it, which are an explanation here and no text."""
    word = "refusal" if refusal else _word(finished, has_calls=has_calls)
    details = {"type": "refusal", "category": None, "explanation": refusal or None}
    return {
        "stop_reason": word,
        "stop_sequence": finished.stop_sequence if word == "stop_sequence" else None,
        "stop_details": details if word == "refusal" else None,
    }


def read_tier(usage: object) -> str | None:
    tier = usage.get("service_tier") if isinstance(usage, Mapping) else None
    return _TIERS.get(tier) if isinstance(tier, str) else None


def write_tier(tier: str | None) -> dict[str, str]:
    word = next((word for word, ours in _TIERS.items() if ours == tier), None)
    return {"service_tier": word} if word else {}


def _word(finished: Finished, *, has_calls: bool) -> str:
    if finished.reason is FinishReason.STOP and has_calls:
        return "tool_use"
    if finished.reason is FinishReason.STOP and finished.stop_sequence is not None:
        return "stop_sequence"
    if finished.native != "tool_use" and finishes.READ["anthropic"].get(finished.native) is finished.reason:
        return finished.native
    return finishes.WRITTEN["anthropic"][finished.reason]


def _read_refusal(details: object) -> list[Event]:
    text = details.get("explanation") if isinstance(details, Mapping) else None
    return [RefusalDelta(text)] if isinstance(text, str) and text else []


def read_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """An answer that is not 2xx. `headers` have lower-case names."""
    error, detail = read_error(body), _detail(body)
    if _NO_CREDIT.search(error.message) or _NO_CREDIT.search(detail):
        return failure_for(402, error, retry_after_s(headers))
    return failure_for(status, _refine(error), retry_after_s(headers))


def read_inner_failure(value: Any) -> UpstreamFailure:
    """An error event of a stream, or an error that came with a status of success."""
    error = value.get("error") if isinstance(value, Mapping) else None
    kind = error.get("type") if isinstance(error, Mapping) else None
    status = ANTHROPIC_STATUSES.get(kind) if isinstance(kind, str) else None
    if status is None:
        return unclear(read_error(orjson.dumps(value)).message)
    return read_failure(status, {}, orjson.dumps(value))


def _refine(error: ReportedError) -> ReportedError:
    named = _PARAM.match(error.message)
    param, code = error.param or (named.group(1) if named else ""), error.code
    if error.says(_TOO_LONG):
        code = "context_length_exceeded"
    elif error.says(_POLICY):
        code = "content_policy_violation"
    elif error.type == "request_too_large":
        # Of bytes, not of tokens.
        code = error.type
    return replace(error, param=param, code=code)


def _detail(body: bytes) -> str:
    """`error.details.error_code`, empty where there is none."""
    try:
        code = orjson.loads(body)["error"]["details"]["error_code"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return ""
    return code if isinstance(code, str) else ""

"""How a response ended: its status and, where it is incomplete, why."""

from collections.abc import Mapping
from typing import Any

from providers.formats import finishes
from providers.wire.events import Finished, FinishReason
from providers.wire.failure import ReportedError, UpstreamFailure, bad_response, failure_for, reported_inside

# A failed response has no HTTP status of its own, so its code says which it would have been.
_STATUSES = {
    "server_error": 500,
    "rate_limit_exceeded": 429,
    "vector_store_timeout": 504,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "invalid_encrypted_content": 400,
}


def read_finish(response: Mapping[str, Any], *, has_calls: bool) -> Finished:
    """Of a whole response. Raises UpstreamFailure for one that failed or is not there yet."""
    status = response.get("status")
    if status == "completed":
        return Finished(FinishReason.TOOL_CALLS if has_calls else FinishReason.STOP, "completed")
    if status == "incomplete":
        details = response.get("incomplete_details")
        word = details.get("reason") if isinstance(details, Mapping) else None
        word = word if isinstance(word, str) else ""
        is_known = word in finishes.READ["responses"]
        reason = finishes.read_reason("responses", word) if is_known else FinishReason.PAUSE
        return Finished(reason, word or "incomplete")
    if status == "failed":
        raise read_failure(response.get("error"))
    raise bad_response("The provider's response did not end.")


def read_failure(error: object) -> UpstreamFailure:
    """Of the `error` in a response, or of an error event."""
    if not isinstance(error, Mapping):
        return reported_inside({})
    inner = error.get("error")
    if isinstance(inner, Mapping):
        return read_failure(inner)
    code, message = error.get("code"), error.get("message")
    status = _STATUSES.get(code) if isinstance(code, str) else None
    if status is None or not isinstance(code, str):
        return reported_inside(error)
    text = message if isinstance(message, str) else ""
    return failure_for(status, ReportedError(message=text, code=code))


def write_status(finished: Finished) -> dict[str, Any]:
    """The members of a response that ended well or too early."""
    if finished.reason in {FinishReason.STOP, FinishReason.TOOL_CALLS}:
        return {"status": "completed", "incomplete_details": None}
    word = finishes.WRITTEN["responses"].get(finished.reason)
    return {"status": "incomplete", "incomplete_details": {"reason": word} if word else None}

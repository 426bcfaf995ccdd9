"""What can fail at a provider, whose fault it is, and what may be said about it.

What vendors say of it is read here as OpenAI's format has it, which most of them follow; formats with words of their
own bring them along.
"""

import email.utils
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gateway.core.envelopes import CONTEXT_EXCEEDED, OVERLOADED
from providers.wire.json_text import read_json
from providers.wire.scrub import scrub

_READ_BYTES = 64 * 1024
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PARAM = re.compile(r"[!-~]{1,200}")
_TOO_LONG = re.compile(
    r"context.length.exceeded|maximum context length|context window|prompt is too long|too many input tokens"
    r"|available context size|maximum prompt length|input (?:token count|length) exceeds",
    re.IGNORECASE,
)
_NO_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing_hard_limit", re.IGNORECASE)
# Google answers a wrong key with 400. A bare `invalid key` may well be one of the caller's JSON.
_BAD_KEY = re.compile(
    r"API_KEY_INVALID|api[ _-]?key (?:is )?(?:not valid|invalid|incorrect|expired)"
    r"|\b(?:invalid|incorrect|wrong|bad|expired)[ _-](?:x-)?api[ _-]?key"
    r"|\b(?:wrong|bad) key\b(?! (?:in|for|of|name)\b)(?!\s*['\"`])",
    re.IGNORECASE,
)
# Of a signature or of encrypted thoughts that somebody else issued, or we with another credential.
_BAD_PROOF = re.compile(
    r"invalid_encrypted_content|encrypted content .{0,400}could not be|invalid .?signature|corrupted thought.signature"
    r"|thought.signature.{0,20} (?:not valid|invalid)|invalid .?data.? in .?redacted_thinking",
    re.IGNORECASE | re.DOTALL,
)
# OpenAI's, Azure's and Google's words for what their filters refuse.
_FILTERED = re.compile(
    r"content_filter|content_policy_violation|ResponsibleAIPolicyViolation|content management policy"
    r"|rejected (?:as a result of|by) our safety system|prohibited_content",
    re.IGNORECASE,
)
_SHORTEST_WAIT_S, _LONGEST_WAIT_S, _WITHOUT_CREDIT_S = 1.0, 3600.0, 60.0
_OVERLOADED = re.compile(r"overloaded", re.IGNORECASE)


class FailureKind(Enum):
    """Whose trouble it is, and so what follows. All but CALLER are retried at the next offering.

    Neither of the first two is held against the provider.
    """

    CALLER = "caller"  # the caller's own mistake: passed on as a 4xx, no other offering is tried
    UNSUPPORTED = (
        # A format has no words for it: the provider's for the request, which was not sent, or the client's for the
        # answer. Another one's may have. Workers of other versions know it by this value.
        "unsayable"
    )
    AUTH = "auth"  # the provider refuses our credential or account: alarm staff
    RATE_LIMIT = "rate_limit"
    MODEL_MISSING = "model_missing"
    UNAVAILABLE = "unavailable"  # 5xx, overload, refused, unreachable
    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"  # answered, but not in the format


NO_FAULT = frozenset({FailureKind.CALLER, FailureKind.UNSUPPORTED})
"""The kinds that say nothing about the provider's health."""


POOL_FULL = "provider_pool_full"
"""The code of our own trouble: as many calls are under way in this process as it makes. Nobody was asked."""
INVALID_REQUEST = "invalid_request"
"""The code of a caller's mistake of which nothing more is known."""


class UpstreamFailure(Exception):
    """A provider's failure, classified.

    `status` is the provider's own, None where none came; `code` and `param` are for the client. `about_us` is what
    staff have to know of it: empty unless the provider refused our credential or account. `is_quoted`: the texts hold
    words of the provider. They are scrubbed of credentials, hosts and paths at once, and once more by `hide`.
    `refuses_proofs`: what proves reasoning was refused, and all else may be fine. `refuses_content`: it was a content
    filter's doing.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        code: str,
        status: int | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        about_us: str = "",
        is_quoted: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.code = code
        self.status = status
        self.param = param
        self.retry_after_s = retry_after_s
        self.about_us = about_us
        self.refuses_proofs = False
        self.refuses_content = False
        self._quoted = (message, about_us) if is_quoted else None
        self.hide("")

    def blame(self, message: str) -> None:
        """It was not us whom the provider refused: this is for clients, and what it said for those whom it did."""
        about_us = self._quoted[1] if self._quoted else self.about_us
        self._quoted = message, about_us.replace("he gateway's", "he")
        self.hide("")

    def hide(self, secret: str | None) -> None:
        """Take the very credential that was used out of all that the provider said, whatever it looks like."""
        if not self._quoted:
            return
        self.message, self.about_us = (scrub(text, secret or "") for text in self._quoted)
        self.args = (self.message,)
        # Half a name is none. Codes of all other kinds are ours.
        if self.kind is FailureKind.CALLER and scrub(self.code, secret or "") != self.code:
            self.code = INVALID_REQUEST
        if self.param and scrub(self.param, secret or "") != self.param:
            self.param = None


class BrokenOff(UpstreamFailure):
    """The connection failed, whatever had been said on it."""


@dataclass(frozen=True, slots=True)
class ReportedError:
    """What a provider said about a failure, in its own words, not scrubbed. Empty strings where it said nothing.

    `page` is HTML, which is looked into and never shown.
    """

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    page: str = field(default="", repr=False)

    def says(self, pattern: re.Pattern[str]) -> bool:
        return any(pattern.search(text) for text in (self.code, self.type, self.message, self.page))


@dataclass(frozen=True, slots=True)
class _Class:
    kind: FailureKind
    code: str
    message: str


_AUTH = _Class(FailureKind.AUTH, "provider_auth_error", "The provider refused the gateway's credential.")
_MISSING = _Class(
    FailureKind.MODEL_MISSING, "provider_model_missing", "The provider does not know this model any more."
)
_LIMITED = _Class(FailureKind.RATE_LIMIT, "provider_rate_limited", "The provider is limiting our requests.")
_NO_CREDIT = _Class(
    FailureKind.RATE_LIMIT, "provider_quota_exhausted", "The gateway's quota at the provider is used up."
)
_DOWN = _Class(FailureKind.UNAVAILABLE, "provider_unavailable", "The provider is not available.")
_BUSY = _Class(FailureKind.UNAVAILABLE, OVERLOADED, "The provider is overloaded.")
_BAD = _Class(
    FailureKind.BAD_RESPONSE, "provider_bad_response", "The provider's answer is not in the expected format."
)
_BY_STATUS = dict.fromkeys((401, 402, 403), _AUTH)
_BY_STATUS |= dict.fromkeys((404, 410), _MISSING)
_BY_STATUS |= dict.fromkeys((408, 409, 425, 429, 498), _LIMITED)


def classify(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
    """An answer that is not 2xx. `headers` have lower-case names."""
    return failure_for(status, read_error(body), retry_after_s(headers))


def failure_for(status: int, error: ReportedError, wait_s: float | None = None) -> UpstreamFailure:
    if status in {400, 413, 422} and not error.says(_BAD_KEY):
        return _callers_mistake(status, error)
    cause = _cause(status, error)
    if cause is _NO_CREDIT:
        wait_s = _WITHOUT_CREDIT_S
    message, about_us = f"{cause.message} It said: {error.message}" if error.message else cause.message, ""
    if cause in (_AUTH, _NO_CREDIT):
        # What a provider says about our account or our credential is not for clients.
        message, about_us = cause.message, message
    return UpstreamFailure(
        cause.kind,
        message,
        code=cause.code,
        status=status,
        retry_after_s=wait_s,
        about_us=about_us,
        is_quoted=True,
    )


def bad_response(message: str = _BAD.message, status: int | None = None) -> UpstreamFailure:
    return UpstreamFailure(_BAD.kind, message, code=_BAD.code, status=status)


def too_large() -> UpstreamFailure:
    message = "The provider's answer is larger than we accept."
    return UpstreamFailure(FailureKind.BAD_RESPONSE, message, code="provider_response_too_large")


def unclear(reported: str) -> UpstreamFailure:
    """An error that came with a status of success, and of which no more is known than what the provider said."""
    message = f"The provider reported an error: {reported}" if reported else _BAD.message
    return UpstreamFailure(_BAD.kind, message, code=_BAD.code, is_quoted=True)


def reported_inside(value: object) -> UpstreamFailure:
    """An error that came with a status of success; a number in its `code` is the status it should have had."""
    status = value.get("code") if isinstance(value, Mapping) else None
    error = _read(value)
    if isinstance(status, int) and 400 <= status < 600:
        return failure_for(status, error)
    if error.says(_NO_QUOTA):
        return failure_for(429, error)
    return unclear(error.message)


def read_error(body: bytes) -> ReportedError:
    """Understands OpenAI's envelope, an array of it, `detail`, `errors` and plain text; HTML says nothing."""
    try:
        value, _ = read_json(body[:_READ_BYTES])
    except ValueError:
        text = body[:_READ_BYTES].decode("utf-8", "replace").strip()
        return ReportedError(page=text) if text.startswith("<") else ReportedError(message=text)
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ReportedError()
    for name in ("error", "errors", "detail"):
        if value.get(name):
            return _read(value[name])
    return _read(value)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from 1 to an hour. None where the header is absent or makes no sense."""
    text = headers.get("retry-after", "").strip()
    wait_s = _number(text)
    if wait_s is None:
        wait_s = _until(text, headers.get("date", ""))
    if wait_s is None or not math.isfinite(wait_s) or wait_s < 0:
        return None
    return min(max(wait_s, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)


def _callers_mistake(status: int, error: ReportedError) -> UpstreamFailure:
    code = CONTEXT_EXCEEDED if error.says(_TOO_LONG) else error.code or INVALID_REQUEST
    message = error.message or "The provider refused the request as invalid."
    failure = UpstreamFailure(
        FailureKind.CALLER, message, code=code, status=status, param=error.param or None, is_quoted=True
    )
    failure.refuses_proofs = error.says(_BAD_PROOF)
    failure.refuses_content = error.says(_FILTERED)
    return failure


def _cause(status: int, error: ReportedError) -> _Class:
    if error.says(_NO_QUOTA):
        return _NO_CREDIT
    if error.says(_BAD_KEY):
        return _AUTH
    if status >= 500:
        return _BUSY if status == 529 or error.says(_OVERLOADED) else _DOWN
    return _BY_STATUS.get(status, _BAD)


def _read(value: object) -> ReportedError:
    while isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return ReportedError(message=value)
    if not isinstance(value, dict):
        return ReportedError()
    message = _text(value, "message") or _text(value, "msg") or _text(value, "detail")
    code, kind = _text(value, "code"), _text(value, "type") or _text(value, "status")
    return ReportedError(
        message=message,
        code=code if _CODE.fullmatch(code) else "",
        type=kind[:64],
        param=param_in(value, "param"),
    )


def param_in(value: Mapping[str, Any], name: str) -> str:
    """A parameter's name, empty where what stands there cannot be one."""
    param = _text(value, name)
    return param if _PARAM.fullmatch(param) else ""


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _until(text: str, now: str) -> float | None:
    """Seconds from the answer's own `Date` to an HTTP date: no clock of ours is needed."""
    try:
        later, earlier = email.utils.parsedate_to_datetime(text), email.utils.parsedate_to_datetime(now)
        return (later - earlier).total_seconds()
    except (ValueError, TypeError):
        return None

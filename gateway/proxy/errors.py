"""What the data plane answers when a call cannot be served, and how it is written.

GatewayError
├── CallerError      the caller's mistake: 4xx, names the parameter
│   ├── InvalidRequest 400   ├── Unauthorised 401   ├── Forbidden 403   ├── NotFound 404   ├── MethodNotAllowed 405
│   ├── RequestTimeout 408   ├── ModelRetired 410   ├── BodyTooLarge 413     ├── UrlTooLong 414
│   ├── UnsupportedMediaType 415                    └── HeadTooLarge 431
├── RateLimited      429, with the time to wait
│   ├── TooManyGuesses   429: wrong keys from one address
│   └── BeyondLimit      429: larger than its limit, so that no waiting helps
├── BudgetExceeded   402: what is left of a budget is nothing
├── ProviderError    502, 503, 504 or 429: never our 500, never the caller's 401
└── Unavailable      503: this gateway cannot take the call now
    ├── NoWorker     503: none takes calls now
    └── WorkerLost   502: the worker died with the call; it may have been paid, so it is not repeated
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from accounts.guesses import TOO_MANY_KEYS
from gateway.core.envelopes import OVERLOADED, openai_type
from gateway.core.refusals import whole_seconds
from gateway.proxy.response_headers import successor_link
from providers.wire.failure import NO_FAULT, POOL_FULL, FailureKind, UpstreamFailure


class GatewayError(Exception):
    """An answer that is not 2xx. `may_retry` False tells clients that trying again cannot help."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    may_retry: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.error_code = code or self.code
        self.http_status = status or self.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        headers = []
        if self.retry_after_s is not None:
            headers.append((b"retry-after", str(whole_seconds(self.retry_after_s)).encode()))
        if not self.may_retry:
            headers.append((b"x-should-retry", b"false"))
        return headers

    def to_dict(self) -> dict[str, Any]:
        """For gateway.core.envelopes; and what a worker sends to the web process, where `read_error` reads it."""
        return {
            "status": self.http_status,
            "code": self.error_code,
            "message": self.message,
            "param": self.param,
            # The version before this one tells by it what kind of error it was.
            "type": openai_type(self.http_status),
            "retry_after_s": self.retry_after_s,
        }


class CallerError(GatewayError):
    status = 400
    code = "invalid_request"
    may_retry = False


class InvalidRequest(CallerError):
    pass


class Unauthorised(CallerError):
    status = 401
    code = "invalid_api_key"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [*super().headers, (b"www-authenticate", b"Bearer")]


class Forbidden(CallerError):
    status = 403
    code = "permission_denied"


class NotFound(CallerError):
    status = 404
    code = "not_found"


class MethodNotAllowed(CallerError):
    status = 405
    code = "method_not_allowed"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [*super().headers, (b"allow", b"POST")]


class ModelRetired(CallerError):
    status = 410
    code = "model_retired"

    def __init__(
        self, message: str, *, param: str, successor_id: str | None, code: str = "model_retired"
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.successor_id = successor_id

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [*super().headers, *successor_link(self.successor_id)]


class BodyTooLarge(CallerError):
    status = 413
    code = "request_too_large"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        # Else the rest of the body would have to be heard before the next request.
        return [*super().headers, (b"connection", b"close")]


class RequestTimeout(CallerError):
    status = 408
    code = "request_timeout"
    may_retry = True


class UrlTooLong(CallerError):
    status = 414
    code = "url_too_long"


class HeadTooLarge(CallerError):
    status = 431
    code = "request_head_too_large"


class UnsupportedMediaType(CallerError):
    status = 415
    code = "unsupported_media_type"


class RateLimited(GatewayError):
    status = 429
    code = "rate_limit_exceeded"


class TooManyGuesses(RateLimited):
    """In place of a 401. Trying the same key again cannot help."""

    may_retry = False

    def __init__(self, wait_s: float) -> None:
        wait_s = math.ceil(wait_s)
        super().__init__(TOO_MANY_KEYS.format(wait_s=wait_s), code="too_many_guesses", retry_after_s=wait_s)


class BeyondLimit(RateLimited):
    code = "request_beyond_limit"
    may_retry = False


class BudgetExceeded(GatewayError):
    """Refused by what is spent: trying again cannot help before the budget is renewed or raised."""

    status = 402
    code = "budget_exceeded"
    may_retry = False


class ProviderError(GatewayError):
    status = 502
    code = "provider_error"


class Unavailable(GatewayError):
    status = 503
    code = "service_unavailable"


def too_many_connections() -> Unavailable:
    return Unavailable(
        "This gateway has no room for one more connection.", code="too_many_connections", retry_after_s=1
    )


class NoWorker(Unavailable):
    """Nobody has begun the call."""

    code = "no_worker"


class WorkerLost(Unavailable):
    status = 502
    code = "worker_lost"
    may_retry = False


_STATUS_OF_KIND = {
    FailureKind.RATE_LIMIT: 429,
    FailureKind.TIMEOUT: 504,
    FailureKind.UNAVAILABLE: 502,
    FailureKind.AUTH: 502,
    FailureKind.MODEL_MISSING: 502,
    FailureKind.BAD_RESPONSE: 502,
}


def from_failure(failure: UpstreamFailure) -> GatewayError:
    """What the client sees of a provider's failure once no other offering is left."""
    if failure.kind in NO_FAULT:
        return InvalidRequest(
            failure.message, code=failure.code, param=failure.param, status=failure.status or 400
        )
    status = 503 if failure.code in {OVERLOADED, POOL_FULL} else _STATUS_OF_KIND[failure.kind]
    kind = RateLimited if status == 429 else ProviderError
    return kind(failure.message, code=failure.code, status=status, retry_after_s=failure.retry_after_s)


def read_error(fields: Mapping[str, Any]) -> GatewayError:
    """The error that a worker, perhaps of another version, sent: ready to be raised again."""
    return _kind_of(fields)(
        fields.get("message", "The worker could not make this call."),
        code=fields.get("code"),
        param=fields.get("param"),
        status=fields.get("status"),
        retry_after_s=fields.get("retry_after_s"),
    )


def _kind_of(fields: Mapping[str, Any]) -> type[GatewayError]:
    status = fields.get("status") or 500
    if fields.get("code") == WorkerLost.code:
        return WorkerLost
    if status == 429:
        return RateLimited
    return InvalidRequest if status < 500 else ProviderError

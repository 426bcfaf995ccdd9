"""What refusals of all surfaces share: the field or the act that cannot be, and how a wait is told. Pure."""

import math


class InvalidField(ValueError):
    """A value that cannot be accepted. `field` names its field; the message says what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class Refused(ValueError):
    """What may not be done, or not now: `status` as of HTTP, `code` for programs, a message for people."""

    def __init__(self, code: str, message: str, *, status: int = 409) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def whole_seconds(wait_s: float) -> int:
    """A waiting time as clients are told it. Rounded up: whoever comes a moment early is refused again."""
    return max(1, math.ceil(wait_s))

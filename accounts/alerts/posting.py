"""One try of a delivery over HTTP, through the outbound door, and what the receiver's answer means. No rows."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

import httpx

from accounts.alerts.signing import SLOW_DOWN, read_retry_after
from gateway.core.outbound import OutboundPolicy, httpx_client

TIMEOUT_S = 15.0
TOTAL_S = 20.0
_ANSWER_BYTES = 64 * 1024
_NUMBER = re.compile(r"^\[Errno -?\d+\] ")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted. `delivery` is the id of the row that it is for."""

    delivery: int
    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `status`: None where none came; `asked_s`: how long the receiver wants to be left alone."""

    delivery: int
    at: datetime
    took_ms: int
    status: int | None = None
    problem: str = ""
    asked_s: float | None = None

    @property
    def is_good(self) -> bool:
        return not self.problem

    @property
    def is_gone(self) -> bool:
        """It wants no more, ever."""
        return self.status == HTTPStatus.GONE

    @property
    def slows_down(self) -> bool:
        """Not this message is wrong: there are too many of them."""
        return self.asked_s is not None or self.status in SLOW_DOWN


def post_in_order(letters: Sequence[Letter], policy: OutboundPolicy) -> Sequence[Answer]:
    """Post to one receiver, one after the other. After the first that it does not take the others are not tried."""
    answers = []
    with httpx_client(policy, timeout_s=TIMEOUT_S, total_s=TOTAL_S, limit_bytes=_ANSWER_BYTES) as client:
        for letter in letters:
            answers.append(_post(client, letter))
            if not answers[-1].is_good:
                break
    return answers


def _post(client: httpx.Client, letter: Letter) -> Answer:
    at, began = datetime.now(UTC), time.monotonic()
    status, problem, asked_s = None, "", None
    try:
        # Of the answer only its head is waited for: what it says besides tells nothing.
        with client.stream("POST", letter.url, content=letter.body, headers=letter.headers) as response:
            status = response.status_code
            if not response.is_success:
                problem = _meaning(response)
                asked_s = read_retry_after(response.headers.get("retry-after", ""), at=at)
    except httpx.TimeoutException:
        problem = "No answer came in time."
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        problem = _why(error)
    return Answer(letter.delivery, at, round((time.monotonic() - began) * 1000), status, problem, asked_s)


def _meaning(response: httpx.Response) -> str:
    if response.is_redirect or response.has_redirect_location:
        return (
            f"It redirects ({response.status_code}), which is not followed: give the address where it leads."
        )
    try:
        name = f" {HTTPStatus(response.status_code).phrase}"
    except ValueError:
        name = ""
    return f"It answered {response.status_code}{name}."


def _why(error: Exception) -> str:
    """For people of a team: which address of ours a name leads to is none of their business."""
    # The client's own pool forgets the cause, and keeps its words.
    if "private or reserved" in str(error):
        return "Its name leads to a private or reserved address, which is not allowed."
    return f"It cannot be reached: {in_words(error)}"[:200]


def in_words(error: Exception) -> str:
    """What the system says of it, without its number, which is for nobody."""
    return _NUMBER.sub("", str(error))

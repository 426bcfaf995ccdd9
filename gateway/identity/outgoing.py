"""What allauth fetches from identity providers goes out by the house's own door, in the form that it asks for."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import requests
from django.conf import settings

from gateway.core.outbound import OutboundPolicy, httpx_client

TIMEOUT_S, TOTAL_S, MOST_BYTES = 5.0, 10.0, 1024 * 1024


def refusal_of(url: str) -> str | None:
    """Why nothing is sent there; None if it may be. By http:// others could change what comes, and be anybody."""
    if url.startswith("https://"):
        return None
    policy = OutboundPolicy(frozenset(settings.IDENTITY_PRIVATE_ADDRESSES_ALLOWED))
    return policy.url_refusal(url.partition("?")[0])


class Answer:
    """As much of a response of requests' as allauth reads."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.headers = response.headers
        self.text = response.text
        self.content = response.content
        self._response = response

    def json(self) -> Any:
        try:
            return self._response.json()
        except ValueError as error:
            raise requests.RequestException("no JSON") from error

    def raise_for_status(self) -> None:
        if not self._response.is_success:
            raise requests.RequestException(f"status {self.status_code}")


class Session:
    """Likewise of a session of requests'. Whatever goes wrong is a RequestException."""

    def __enter__(self) -> Self:
        policy = OutboundPolicy(frozenset(settings.IDENTITY_PRIVATE_ADDRESSES_ALLOWED))
        self._client = httpx_client(policy, timeout_s=TIMEOUT_S, total_s=TOTAL_S, limit_bytes=MOST_BYTES)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", url, headers=headers)

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
    ) -> Answer:
        if refusal := refusal_of(url):
            raise requests.RequestException(refusal)
        basic = (auth.username, auth.password) if auth is not None else None
        told = {"accept": "application/json", **(headers or {})}
        try:
            return Answer(
                self._client.request(method, url, params=params, data=data, headers=told, auth=basic)
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise requests.RequestException(type(error).__name__) from error

"""What middleware of this project stands on."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Middleware:
    """Does something before and after each answer, in Django's synchronous and asynchronous chain without a thread.

    What the rest of the chain raises is an answer already.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer_later(request)
        self.before(request)
        return self.after(request, self._get_response(request))

    def before(self, request: HttpRequest) -> None:
        """Nothing, unless overridden."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        return response

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        self.before(request)
        return self.after(request, await self._get_response(request))

"""Stored responses in SQL, read and written off the loop."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import orjson
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from accounts.models import StoredResponse
from gateway.core import sql
from gateway.core.sealing import SecretError, SecretUnreadable, seal, unseal
from gateway.proxy.ports import StoredResponsesUnavailable, StoredTurn

_log = logging.getLogger(__name__)
_THREADS = 4
_TIMEOUT_S = 5.0

T = TypeVar("T")


class SqlResponses:
    """What `gateway.proxy.ports.StoredResponses` asks for."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="responses")

    async def find(self, team_id: int, response_id: str) -> StoredTurn | None:
        return await self._run(lambda: find(team_id, response_id))

    async def keep(self, team_id: int, kept: StoredTurn) -> None:
        await self._run(lambda: keep(team_id, kept))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await loop.run_in_executor(self._pool, _with_connection, work)
        except (Error, SecretError, TimeoutError) as error:
            raise StoredResponsesUnavailable(type(error).__name__) from error


def find(team_id: int, response_id: str) -> StoredTurn | None:
    """None where it was not stored, is deleted or over, or is another team's, or where its encryption key is gone.

    Raises KeyUnusable, django.db.Error.
    """
    alive = StoredResponse.objects.filter(team_id=team_id, expires_at__gt=timezone.now())
    # PostgreSQL takes no NUL in a text, and no id has one.
    row = None if "\0" in response_id else alive.filter(response_id=response_id).first()
    if row is None:
        return None
    try:
        return StoredTurn(**orjson.loads(unseal(row.sealed)))
    except SecretUnreadable:
        _log.warning("Stored response %s cannot be opened by any key of this deployment.", response_id)
        return None


def keep(team_id: int, kept: StoredTurn) -> None:
    """In place of one of the same id. Raises SecretError, django.db.Error."""
    content = orjson.dumps({"response": kept.response, "input": kept.input})
    StoredResponse.objects.update_or_create(
        team_id=team_id,
        response_id=kept.response["id"],
        defaults={
            "sealed": seal(content),
            "expires_at": timezone.now() + timedelta(days=settings.RESPONSE_DAYS),
        },
    )


def delete(team_id: int, response_id: str) -> bool:
    """Whether there was one."""
    if "\0" in response_id:
        return False
    count, _ = StoredResponse.objects.filter(
        team_id=team_id, response_id=response_id, expires_at__gt=timezone.now()
    ).delete()
    return count > 0


def _with_connection(work: Callable[[], T]) -> T:
    try:
        with sql.answer_within(sql.QUICK_S):
            return work()
    finally:
        connection.close()

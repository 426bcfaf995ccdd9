"""Work on rows in another thread, which gives its connection back when it is done."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


async def in_thread(work: Callable[..., Result], *arguments: object) -> Result:
    """As `asyncio.to_thread`, whose threads end with their connection open: Python 3.13 complains in a later test."""
    return await asyncio.to_thread(_and_close, work, *arguments)


def _and_close(work: Callable[..., Result], *arguments: object) -> Result:
    try:
        return work(*arguments)
    finally:
        connections.close_all()

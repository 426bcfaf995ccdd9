"""Work on large bodies, in threads: what takes the processor for half a second must not stall everybody's streams.

Nothing else leaves the loop: a thread costs an ordinary call more than its work does. What is handed over is pure.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

# Some 20 ms of work at the most.
LARGE_BYTES = 128 * 1024
# One interpreter runs one of them at a time; a second one lets a smaller body pass a larger one.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="large-body")


async def off_loop(work: Callable[..., Result], *arguments: object) -> Result:
    """What it returns or raises."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)

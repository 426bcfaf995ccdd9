"""What the agents of all frameworks share: their tool, and how they are run.

`python an_agent.py SURFACE MODEL PROMPT SURFACE MODEL PROMPT …` runs one after the other, and prints for each a line of
JSON: what the agent said, or what it failed with. Loading a framework takes longer than all its runs.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

URL = os.environ["GATEWAY_URL"]
KEY = os.environ["GATEWAY_KEY"]


def write_file(file_path: str, content: str) -> str:
    """Write a text to a file.

    Args:
        file_path: The absolute path of the file.
        content: The whole text.
    """
    Path(file_path).write_text(content)
    return "Written."


def run_all(models: dict[str, Callable[[str], Any]], run: Callable[[Any, str], Awaitable[str]]) -> None:
    """`models` makes a framework's model for each surface; `run` gives it a prompt."""

    async def run_each() -> None:
        given = sys.argv[1:]
        for surface, name, prompt in zip(given[::3], given[1::3], given[2::3], strict=True):
            told = {"surface": surface, "model": name}
            try:
                told["said"] = await run(models[surface](name), prompt)
            except Exception as error:  # noqa: BLE001 - the next one is run all the same
                told["failed"] = f"{type(error).__name__}: {error}"
            sys.stdout.write(json.dumps(told) + "\n")

    asyncio.run(run_each())

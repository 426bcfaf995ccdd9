"""Many streams at once, and what became of each."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.system.deployment import Deployment


@dataclass
class Ending:
    """`kind`: whole (finish and terminator), error (explicit, with its code) or silent."""

    project: str
    kind: str
    code: str = ""
    ended_at: float = 0.0


async def _one(
    client: httpx.AsyncClient, deployment: Deployment, project: str, *, lane: str, behaviour: str
) -> Ending:
    body = {
        "model": "acme/one",
        "stream": True,
        "scripted": behaviour,
        "messages": [{"role": "user", "content": project}],
    }
    headers = {**deployment.headers, "x-gateway-lane": lane, "x-gateway-project-id": project}
    try:
        answer = await client.post(f"{deployment.url}/v1/chat/completions", json=body, headers=headers)
    except httpx.HTTPError as error:
        return Ending(project, "broken", type(error).__name__, time.monotonic())
    return _judge(project, answer.text)


def _judge(project: str, text: str) -> Ending:
    now = time.monotonic()
    if text.rstrip().endswith("data: [DONE]") and '"finish_reason": "stop"' in text.replace('":"', '": "'):
        return Ending(project, "whole", "", now)
    last = text.strip().split("data: ")[-1]
    try:
        return Ending(project, "error", json.loads(last)["error"]["code"], now)
    except (ValueError, KeyError):
        return Ending(project, "silent", last[-100:], now)


def run_streams(
    deployment: Deployment, behaviours: list[str], *, lane: str, midway: Callable[[], None], after_s: float
) -> list[Ending]:
    """Open a stream for each behaviour of the provider, do something `after_s` later, and wait for all of them."""

    async def run() -> list[Ending]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=30) as client:
            tasks = [
                asyncio.create_task(
                    _one(client, deployment, f"call-{number}", lane=lane, behaviour=behaviour)
                )
                for number, behaviour in enumerate(behaviours)
            ]
            await asyncio.sleep(after_s)
            await asyncio.to_thread(midway)
            return await asyncio.gather(*tasks)

    return asyncio.run(run())

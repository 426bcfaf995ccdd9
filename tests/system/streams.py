"""Many streams at once, and what became of each. The engine is the client: it is fast enough not to be measured."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.outbound import OutboundPolicy
from providers.adapters.base import UpstreamRequest
from providers.engine import Timeouts
from providers.transport import HttpEngine
from providers.wire.failure import UpstreamFailure
from tests.patience import HANG_S
from tests.system.deployment import Deployment

PATIENT = Timeouts(connect_s=HANG_S, first_byte_s=HANG_S, idle_s=HANG_S, total_s=HANG_S)


@dataclass
class Ending:
    """`kind`: whole (finish and terminator), error (explicit, with its code) or silent."""

    project: str
    kind: str
    code: str = ""
    ended_at: float = 0.0


async def _one(
    engine: HttpEngine, deployment: Deployment, project: str, *, lane: str, behaviour: str
) -> Ending:
    body = {
        "model": "acme/one",
        "stream": True,
        "scripted": behaviour,
        "messages": [{"role": "user", "content": project}],
    }
    headers = {
        **deployment.headers,
        "content-type": "application/json",
        "x-gateway-lane": lane,
        "x-gateway-project-id": project,
    }
    url = f"{deployment.url}/v1/chat/completions"
    try:
        answer = await engine.open(UpstreamRequest(url, headers, json.dumps(body).encode()), PATIENT)
        text = (await answer.read(1 << 24)).decode()
        await answer.close()
    except UpstreamFailure as failure:
        return Ending(project, "broken", failure.code, time.monotonic())
    return _judge(project, text)


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
    """Open a stream for each behaviour of the provider, do something once all have gone on for `after_s`."""

    seen = len(deployment.seen_by_provider())

    async def run() -> list[Ending]:
        engine = HttpEngine(OutboundPolicy(frozenset({"127.0.0.1"})))
        tasks = [
            asyncio.create_task(_one(engine, deployment, f"call-{number}", lane=lane, behaviour=behaviour))
            for number, behaviour in enumerate(behaviours)
        ]
        async with asyncio.timeout(HANG_S):
            while len(await asyncio.to_thread(deployment.seen_by_provider)) < seen + len(behaviours):
                await asyncio.sleep(0.05)
        await asyncio.sleep(after_s)
        await asyncio.to_thread(midway)
        endings = await asyncio.gather(*tasks)
        await engine.close()
        return endings

    return asyncio.run(run())

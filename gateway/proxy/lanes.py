"""Stop 6: where the call is made: here, or by a worker. The same code makes it in both places."""

from collections.abc import Awaitable

from gateway.proxy.errors import InvalidRequest, NoWorker
from gateway.proxy.exchange import CallResult, ResponseSink
from gateway.proxy.lane.web import WorkerLane
from gateway.proxy.observers import CallRecord
from gateway.proxy.services import CallServices
from gateway.proxy.walk import run_call
from providers.wire.call import Call

AUTO, WORKER, DIRECT = "auto", "worker", "direct"
LANES = (AUTO, WORKER, DIRECT)


class Lanes:
    """Both lanes of a web process. `setting` holds unless a key or a request says otherwise."""

    def __init__(self, services: CallServices, worker_lane: WorkerLane, *, setting: str) -> None:
        self._services = services
        self._worker_lane = worker_lane
        self._setting = setting

    def choose(self, asked: str, key_lane: str) -> str:
        """The first of request, key and setting that is not `auto`. Raises InvalidRequest."""
        if asked and asked not in LANES:
            raise InvalidRequest(
                f"'x-gateway-lane' must be one of {', '.join(LANES)}, not '{asked[:40]}'.",
                code="invalid_value",
                param="x-gateway-lane",
            )
        if asked and asked != AUTO:
            return asked
        return key_lane if key_lane and key_lane != AUTO else self._setting

    def carry(
        self, call: Call, record: CallRecord, *, wanted: str, sink: ResponseSink
    ) -> Awaitable[CallResult]:
        """Make the call; `record` tells where. Raises ClientGone, NoWorker, Unavailable, WorkerLost."""
        if wanted != DIRECT and (wanted == WORKER or self._worker_lane.is_open):
            return self._carry_by_worker(call, record, wanted, sink)
        record.lane = DIRECT
        return run_call(self._services, call, lane=DIRECT, sink=sink)

    async def _carry_by_worker(
        self, call: Call, record: CallRecord, wanted: str, sink: ResponseSink
    ) -> CallResult:
        """Or here, where none takes it and the client leaves that open."""
        if not self._worker_lane.is_open:
            raise _no_worker()
        record.lane = WORKER
        end = await self._worker_lane.carry(call, sink)
        if end is not None:
            call.waited_s = end.waited_s or call.waited_s
            return end
        if wanted == WORKER:
            raise _no_worker()
        record.lane = DIRECT
        return await run_call(self._services, call, lane=DIRECT, sink=sink)


def _no_worker() -> NoWorker:
    return NoWorker(
        "No worker is taking calls at the moment, and this call must go through one.", retry_after_s=2
    )

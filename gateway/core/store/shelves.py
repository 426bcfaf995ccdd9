"""What processes tell each other beside their calls: leases on what only one may do, and what newcomers should know."""

import time
from collections.abc import Callable, Mapping

from gateway.core.store.address import PREFIX
from gateway.core.store.connection import Connection
from gateway.core.store.script import Script

# KEYS: the lease. ARGV: who claims it, for how many ms.
_CLAIM = Script(
    """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
)


class MemoryShelves:
    """`clock` is monotonic. Nobody else is there: whatever is claimed is given."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shelves: dict[str, tuple[float, dict[str, bytes]]] = {}

    async def claim(self, name: str, lease_s: float) -> bool:  # noqa: ARG002
        return True

    def keep(self, shelf: str, entry: str, value: bytes, keep_s: float) -> None:
        now = self._clock()
        for name in [name for name, (until, _) in self._shelves.items() if until <= now]:
            del self._shelves[name]
        entries = self._shelves[shelf][1] if shelf in self._shelves else {}
        self._shelves[shelf] = now + keep_s, {**entries, entry: value}

    async def read_shelf(self, shelf: str) -> Mapping[str, bytes]:
        until, entries = self._shelves.get(shelf, (0.0, {}))
        return entries if self._clock() < until else {}


class RedisShelves:
    def __init__(self, commands: Connection, process_id: str) -> None:
        self._commands = commands
        self._process_id = process_id

    async def claim(self, name: str, lease_s: float) -> bool:
        arguments = (self._process_id, round(lease_s * 1000))
        return bool(await self._commands.run(_CLAIM, [f"{PREFIX}lease:{name}"], arguments))

    def keep(self, shelf: str, entry: str, value: bytes, keep_s: float) -> None:
        key = f"{PREFIX}shelf:{shelf}"
        self._commands.send_muted("HSET", key, entry, value)
        self._commands.send_muted("PEXPIRE", key, round(keep_s * 1000))

    async def read_shelf(self, shelf: str) -> Mapping[str, bytes]:
        kept = await self._commands.call("HGETALL", f"{PREFIX}shelf:{shelf}")
        pairs = kept.items() if isinstance(kept, dict) else zip(kept[::2], kept[1::2], strict=True)
        return {entry.decode(): value for entry, value in pairs}

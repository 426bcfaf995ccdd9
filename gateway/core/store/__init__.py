"""The store: volatile state that processes share, behind one interface with a memory and a Redis form."""

from gateway.core.store.interface import Store
from gateway.core.store.memory import MemoryStore


def open_store(redis_url: str | None, process_id: str) -> Store:
    """Choose the form; whoever runs the loop then awaits `open` of it. `process_id` is unlike any other's."""
    if not redis_url:
        return MemoryStore()
    # redis-py costs half a second to import, which a process without Redis need not spend.
    from gateway.core.store.redis import RedisStore

    return RedisStore(redis_url, process_id)

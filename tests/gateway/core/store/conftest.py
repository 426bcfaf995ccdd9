"""The worlds in which what both stores promise is played."""

import pytest

from tests.gateway.core.store.worlds import World


@pytest.fixture(params=["memory", "redis", "redis on uvloop"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return World(None)
    server = request.getfixturevalue("redis_server")
    server.ask("FLUSHALL")
    return World(server.url, is_fast_loop=request.param.endswith("uvloop"))

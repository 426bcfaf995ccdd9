"""How many files and sockets this process may open, and how many of them are for clients."""

import logging
import resource
from contextlib import suppress
from dataclasses import replace

from gateway.server.patience import EdgeLimits

logger = logging.getLogger(__name__)

# For the spool, the database, the store, the log, what Python itself opens, and those that are turned away.
KEPT_BACK = 192


def within_descriptors(limits: EdgeLimits, upstream_connections: int) -> EdgeLimits:
    """The limits that can be kept, once this process may open as many files as the system lets it."""
    descriptors = raise_limit(limits.connections + upstream_connections + KEPT_BACK)
    connections = share_for_clients(descriptors, limits.connections, upstream_connections)
    if connections < limits.connections:
        logger.warning(
            "This process may open %d files, which is enough for %d connections of clients and not for %d: "
            "raise the limit (ulimit -n, LimitNOFILE), or set GATEWAY_CONNECTIONS.",
            descriptors,
            connections,
            limits.connections,
        )
    return replace(limits, connections=connections)


def share_for_clients(descriptors: int, wanted: int, upstream_connections: int) -> int:
    """A call may take one connection of a client and one to a provider; there are no more calls than clients."""
    free = descriptors - KEPT_BACK
    return max(1, min(wanted, max(free // 2, free - upstream_connections)))


def raise_limit(wanted: int) -> int:
    """Let this process open so many files, or as many as it may. Returns how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most <= soft or soft == resource.RLIM_INFINITY:
        return wanted if soft == resource.RLIM_INFINITY else soft
    # Not every system lets go up to what it calls the limit.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

"""What the web processes of one supervisor share: they are forked off a process that imported it. See `supervisor`."""

import contextlib
import gc
import os
import signal
from functools import partial

from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from gateway.env import BadEnvironment

# Only the supervisor ends this process. A service manager asks all of a service's processes to end at once, and then
# nobody could tell any more how its children ended.
signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end_as_usual() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _hear_end()


# From its first moment each child can be ended, so the signal waits while one is forked off.
_hear_end = partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, [signal.SIGTERM])
os.register_at_fork(
    before=partial(signal.pthread_sigmask, signal.SIG_BLOCK, [signal.SIGTERM]),
    after_in_parent=_hear_end,
    after_in_child=_end_as_usual,
)

# Each child finds out again, and says so.
with contextlib.suppress(BadEnvironment, ImproperlyConfigured):
    from gateway.boot import distributed  # noqa: F401

    # Django looks them up at its first request.
    _ = get_resolver().url_patterns
    # What the collector never looks at is never written to, and stays shared.
    gc.collect()
    gc.freeze()

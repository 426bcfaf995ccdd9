"""Two small servers under our supervisor: `python -m tests.gateway.small_supervisor PORT`."""

import sys

from gateway.boot.supervisor import Supervisor
from gateway.server.serving import bind
from tests.gateway import small_server

if __name__ == "__main__":
    listener = bind("127.0.0.1", int(sys.argv[1]))
    sys.exit(Supervisor(small_server.serve, listener, 2, preloaded=small_server.__name__).run())

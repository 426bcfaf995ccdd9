"""Two small servers under our supervisor: `python -m tests.gateway.small_supervisor PORT`."""

import sys

from gateway.boot.supervisor import Supervisor
from gateway.server.serving import bind

if __name__ == "__main__":
    command = [sys.executable, "-m", "tests.gateway.small_server"]
    sys.exit(Supervisor(command, bind("127.0.0.1", int(sys.argv[1])), 2).run())

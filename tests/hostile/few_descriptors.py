"""The product where a process may open few files: `python -m tests.hostile.few_descriptors run`."""

import resource
import sys

from gateway import cli

MOST = 300

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST, MOST))
    sys.exit(cli.main())

#!/usr/bin/env python
"""Django's command line for this project."""

import sys

from gateway.cli import manage

if __name__ == "__main__":
    sys.exit(manage(sys.argv))

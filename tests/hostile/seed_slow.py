"""Providers that all are one slow server: `python -m tests.hostile.seed_slow URL COUNT`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from tests import make  # noqa: E402

for number in range(int(sys.argv[2])):
    make.make_provider(f"slow-{number}", base_url=sys.argv[1])

"""Fills the database that is measured: `python -m benchmarks.seed UPSTREAM_URL`; prints a key.

The key has limits that nobody reaches, so that every call asks the store.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from accounts.limits import LIMIT_MAX  # noqa: E402
from tests import make  # noqa: E402

provider = make.make_provider("bench", base_url=sys.argv[1], is_probed=False)
offering = make.make_offering(make.make_model("acme/one"), provider, upstream_name="bench-model")
make.make_price(offering, "input_text_tokens", "1")
make.make_price(offering, "output_text_tokens", "2")
make.publish_all()
_, key = make.make_key(make.make_team("bench"), requests_per_minute=LIMIT_MAX, concurrency=LIMIT_MAX)
sys.stdout.write(key)

"""Fills the database that is measured: `python -m benchmarks.seed UPSTREAM_URL`; prints a key.

The key has limits and budgets that nobody reaches, so that every call asks the store for all of them. Beside the model
that all is measured with there are two that each have two providers: one of `acme/sick` always fails.
"""

import os
import sys
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from accounts.budgeting import make_budget  # noqa: E402
from accounts.limiting import set_limit  # noqa: E402
from accounts.limits import LIMIT_MAX  # noqa: E402
from tests import make  # noqa: E402

url = sys.argv[1]
provider, second, sick = (
    make.make_provider(slug, base_url=base_url, is_probed=False)
    for slug, base_url in (("bench", url), ("bench-2", url), ("bench-sick", url.replace("/v1", "/sick/v1")))
)
for model, providers in {
    "acme/one": [provider],
    "acme/two": [provider, second],
    "acme/sick": [provider, sick],
}.items():
    made = make.make_model(model)
    for each in providers:
        offering = make.make_offering(made, each, upstream_name="bench-model")
        make.make_price(offering, "input_text_tokens", "1")
        make.make_price(offering, "output_text_tokens", "2")
make.publish_all()
key, text = make.make_key(make.make_team("bench"), requests_per_minute=LIMIT_MAX, concurrency=LIMIT_MAX)
set_limit(subject=key, unit="tokens", window="minute", amount=1_000_000_000)
for window in ("day", "month"):
    make_budget(subject=key, window=window, amount_usd=Decimal(1_000_000), zone="Europe/Berlin")
sys.stdout.write(text)

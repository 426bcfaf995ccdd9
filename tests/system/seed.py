"""Fills the deployment's database: `python -m tests.system.seed UPSTREAM_URL`; prints a key."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from django.db import transaction  # noqa: E402

from accounts.revision import Part, take_revision  # noqa: E402
from tests import make  # noqa: E402

# A process that runs already learns of a provider by the revision, which rows alone do not move.
with transaction.atomic():
    take_revision(Part.PROVIDERS)
    provider = make.make_provider("scripted", base_url=sys.argv[1], is_probed=False)
    model = make.make_model("acme/one")
    offering = make.make_offering(model, provider, upstream_name="scripted-model")
    make.make_price(offering, "input_text_tokens", "1")
    make.make_price(offering, "output_text_tokens", "2")
    make.publish_all()
    key = make.make_key(make.make_team("proof"))[1]
sys.stdout.write(key)

"""Puts the providers into a gateway's database: `python -m tests.agents.seed FORMAT=URL …`; prints a key."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from providers.models import Credential  # noqa: E402
from providers.services import save_credential  # noqa: E402
from tests import make  # noqa: E402

for wire_format, url in (argument.split("=", 1) for argument in sys.argv[1:]):
    fields = {"base_url": url, "wire_format": wire_format, "is_probed": False}
    provider = make.make_provider(f"scripted-{wire_format}", has_credential=False, **fields)
    save_credential(credential=Credential(provider=provider, kind=Credential.Kind.NONE))
    model = make.make_model(f"acme/{wire_format}", context_length=200_000, max_output_tokens=32_000)
    offering = make.make_offering(model, provider, upstream_name="upstream")
    make.make_price(offering, "input_text_tokens", "1")
    make.make_price(offering, "output_text_tokens", "2")
make.publish_all()
sys.stdout.write(make.make_key(make.make_team("agents"))[1])

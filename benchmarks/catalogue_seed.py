"""Fills the database of the catalogue's benchmark: `python -m benchmarks.catalogue_seed`; prints a key.

A made-up catalogue of the size of a large real one: 1,300 models of 40 organisations, 4,200 offerings at 100
providers, 11,200 prices. With the argument `publish` it publishes one model after the other instead, and prints how
many ms each took; with `look` it opens staff's list of models and its search, and prints the median ms of CPU of each.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
django.setup()

from django.test import Client  # noqa: E402

from catalogue.models import Model, Offering, Organisation, Price  # noqa: E402
from catalogue.publishing.editions import publish  # noqa: E402
from providers.models import Credential, Provider  # noqa: E402
from tests import make  # noqa: E402

MODELS, ORGANISATIONS, PROVIDERS, OFFERINGS = 1300, 40, 100, 4200
PUBLICATIONS = 20
LOOKS = 15
_PARAMS = ("temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice", "response_format", "seed")
_METERS = ("input_text_tokens", "output_text_tokens", "cached_read_text_tokens")
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def fill() -> str:
    """Returns the text of a key."""
    random = Random(1)
    providers = Provider.objects.bulk_create(
        Provider(
            slug=f"provider-{n}", name=f"Provider {n}", base_url=f"https://p{n}.example/v1", is_probed=False
        )
        for n in range(PROVIDERS)
    )
    Credential.objects.bulk_create(Credential(provider=each, kind=Credential.Kind.NONE) for each in providers)
    models = _make_models(random)
    offerings = Offering.objects.bulk_create(
        _offering(random, models, providers, n) for n in range(OFFERINGS)
    )
    Price.objects.bulk_create(price for offering in offerings for price in _prices(random, offering))
    publish(models, note="made up")
    return make.make_key(make.make_team("bench"))[1]


def publish_one_by_one() -> str:
    """ms of each publication."""
    took = []
    for model in Model.objects.order_by("pk")[:PUBLICATIONS]:
        Model.objects.filter(pk=model.pk).update(name=f"{model.name} {time.time()}")
        began = time.perf_counter()
        publish([model], note="one")
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(0.1)
    return " ".join(f"{ms:.1f}" for ms in took)


def look_at_lists() -> str:
    """ms of CPU of a page of staff's list of models, and of one of what a search finds, PostgreSQL's own left out."""
    staff = Client(headers={"host": "localhost"})
    staff.force_login(make.make_staff())
    return " ".join(f"{_look_ms(staff, query):.1f}" for query in ("", "?q=model-1"))


def _look_ms(staff: Client, query: str) -> float:
    staff.get(address := f"/admin/catalogue/model/{query}")
    took = []
    for _ in range(LOOKS):
        began = time.process_time()
        staff.get(address)
        took.append((time.process_time() - began) * 1000)
    return median(took)


def _make_models(random: Random) -> list[Model]:
    organisations = Organisation.objects.bulk_create(
        Organisation(id=f"organisation-{n}", name=f"Organisation {n}") for n in range(ORGANISATIONS)
    )
    return Model.objects.bulk_create(
        _model(random, organisations[n % ORGANISATIONS], n) for n in range(MODELS)
    )


def _model(random: Random, organisation: Organisation, number: int) -> Model:
    return Model(
        organisation=organisation,
        slug=f"model-{number}",
        public_id=f"{organisation.pk}/model-{number}",
        name=f"Model {number}",
        description="A model that was made up to be listed.",
        release_at=_FIRST_DAY + timedelta(days=random.randrange(900)),
        input_types=["text", "image"] if number % 2 else ["text"],
        output_types=["text"],
        context_length=random.choice([8_192, 32_768, 131_072, 1_048_576]),
        max_output_tokens=8_192,
    )


def _offering(random: Random, models: list[Model], providers: list[Provider], number: int) -> Offering:
    model = models[number % MODELS]
    return Offering(
        model=model,
        provider=providers[(number * 7) % PROVIDERS],
        upstream_name=f"{model.slug}-{number}",
        endpoints=["chat.completions"],
        params=sorted(random.sample(_PARAMS, 6)),
        position=number // MODELS,
    )


def _prices(random: Random, offering: Offering) -> Any:
    for meter in random.sample(_METERS, 2) + random.choices(_METERS, k=random.randint(0, 1)):
        yield Price(offering=offering, meter=meter, amount=f"{random.randint(1, 900) / 100}")


if __name__ == "__main__":
    acts = {"publish": publish_one_by_one, "look": look_at_lists}
    sys.stdout.write(acts.get(sys.argv[-1], fill)())

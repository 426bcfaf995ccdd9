"""The filters in SQL against the plain description of them."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from catalogue.models import Model
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from tests.catalogue.queries import random_query
from tests.catalogue.reference import ids_by_sql, ids_in_memory, read_rows
from tests.make import (
    NOW,
    make_member,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_route,
    publish_all,
)

pytestmark = pytest.mark.django_db


def make_catalogue(random: Random) -> None:
    """Forty models at six providers, two of which cannot be called, and eight routes: all that lists tell apart."""
    providers = [
        make_provider(f"p{number}", is_enabled=number != 1, has_credential=number != 2) for number in range(6)
    ]
    for number in range(40):
        model = make_model(f"{random.choice(['acme', 'beta', 'gamma'])}/m{number}", **_model_fields(random))
        for _ in range(random.randint(0, 3)):
            _make_offering(random, model, random.choice(providers))
    models = list(Model.objects.all())
    for number in range(8):
        _make_route(random, f"{random.choice(['acme', 'house'])}/r{number}", models)
    publish_all()


def _make_route(random: Random, public_id: str, models: list[Model]) -> None:
    fields = _model_fields(random)
    route = make_route(public_id, **{name: fields[name] for name in ("name", "description", "release_at")})
    for model in random.sample(models, random.randint(1, 4)):
        offering = model.offerings.first()
        make_member(
            route,
            model,
            tier=random.randint(0, 2),
            provider=offering and random.choice([None, offering.provider]),
            input_types=random.choice([[], [], ["image"]]),
        )


def _model_fields(random: Random) -> dict[str, Any]:
    release = random.choice([None, NOW - timedelta(days=random.randint(-30, 500))])
    deprecation = release and random.choice([None, release + timedelta(days=20)])
    retirement = deprecation and random.choice([None, deprecation + timedelta(days=20)])
    return {
        "name": random.choice(["Alpha", "alpha", "Éclair", "éclair", "Zeta-2", "Zeta 10", "beta"]),
        "description": random.choice(["", "Straße in Öl", "fast"]),
        "release_at": release,
        "deprecation_at": deprecation,
        "retirement_at": retirement,
        "input_types": random.sample(["text", "image", "audio"], random.randint(0, 3)),
        "context_length": random.choice([None, 8000, 200_000]),
        "reasoning_tier": random.choice(["", "low", "high"]),
        "open_weights": random.choice([None, True, False]),
    }


def _make_offering(random: Random, model: Model, provider: Any) -> None:
    offering = make_offering(
        model,
        provider,
        upstream_name=f"u{random.random()}",
        endpoints=random.sample(["chat.completions", "embeddings", "chat"], random.randint(1, 2)),
        params=random.sample(["tools", "tool_choice", "Tools", "top_p", "top_k"], random.randint(0, 3)),
        context_length=random.choice([None, 32768]),
        position=random.randint(0, 2),
        is_enabled=random.random() < 0.8,
        effective_from=random.choice([None, NOW - timedelta(days=9), NOW + timedelta(days=1)]),
        effective_to=random.choice([None, None, NOW + timedelta(days=5)]),
        regions=random.sample(["eu", "eu-central-1", "global", "us"], random.randint(0, 2)),
    )
    meters = ["input_text_tokens", "output_text_tokens", "cached_read_text_tokens", "requests"]
    for meter in random.sample(meters, random.randint(0, 4)):
        make_price(
            offering, meter, random.choice(["0", "0.1", "0.15", "3"]), valid_to=random.choice([None, NOW])
        )
        make_price(offering, meter, random.choice(["0", "0.1", "10"]), valid_from=NOW - timedelta(days=2))
        if random.random() < 0.3:
            make_price(offering, meter, "0.01", conditions=[{"path": "input_tokens", "op": "gt", "value": 1}])


@pytest.mark.parametrize("seed", range(6))
def test_any_combination_equals_its_description(seed: int) -> None:
    random = Random(seed)
    make_catalogue(random)
    reading = Reading(snapshots.refresh(), NOW)
    rows = read_rows(reading)
    for _ in range(80):
        query = random_query(random, reading.snapshot)
        assert ids_by_sql(query, reading) == ids_in_memory(query, rows), query

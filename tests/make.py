"""Small functions that make rows, with defaults that work; a test names only what it is about."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import Key, LedgerEntry, Membership, Team, User
from accounts.rights import Role
from accounts.services import issue_key
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, Route, RouteMember
from catalogue.publishing.editions import publish
from providers.models import Credential, Provider

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YESTERDAY = datetime(2026, 5, 31, 12, tzinfo=UTC)
TOMORROW = datetime(2026, 6, 2, 12, tzinfo=UTC)

_numbers = count(1)


def make_organisation(id: str = "acme", **fields: Any) -> Organisation:  # noqa: A002 - the field's name
    """The organisation of that id, made where it does not exist yet."""
    fields.setdefault("name", id.title())
    return Organisation.objects.get_or_create(id=id, defaults=fields)[0]


def make_model(public_id: str = "acme/one", *, aliases: Iterable[str] = (), **fields: Any) -> Model:
    """A text model, active, without offerings and not published."""
    organisation_id, slug = public_id.split("/", 1)
    fields.setdefault("name", slug.title())
    fields.setdefault("input_types", ["text"])
    fields.setdefault("output_types", ["text"])
    model = Model.objects.create(organisation=make_organisation(organisation_id), slug=slug, **fields)
    Alias.objects.bulk_create(Alias(model=model, name=name) for name in aliases)
    return model


def make_provider(slug: str = "", *, has_credential: bool = True, **fields: Any) -> Provider:
    """An enabled provider that needs no key; without a credential it is not usable."""
    slug = slug or f"provider-{next(_numbers)}"
    fields.setdefault("name", slug.title())
    fields.setdefault("base_url", f"https://{slug}.example/v1")
    provider = Provider.objects.create(slug=slug, **fields)
    if has_credential:
        Credential.objects.create(provider=provider, kind=Credential.Kind.NONE)
    return provider


def make_offering(model: Model | None = None, provider: Provider | None = None, **fields: Any) -> Offering:
    """A chat offering; of a new model and at a new provider unless they are given."""
    model = model or make_model(f"acme/model-{next(_numbers)}")
    fields.setdefault("upstream_name", model.slug)
    fields.setdefault("endpoints", ["chat.completions"])
    return Offering.objects.create(model=model, provider=provider or make_provider(), **fields)


def make_price(
    offering: Offering, meter: str = "input_text_tokens", amount: str | Decimal = "1", **fields: Any
) -> Price:
    """USD for a million units."""
    return Price.objects.create(offering=offering, meter=meter, amount=Decimal(amount), **fields)


def make_route(public_id: str = "house/fast", *members: Model, **fields: Any) -> Route:
    """A named route over those models, all of the first tier and of the same weight; not published."""
    organisation_id, slug = public_id.split("/", 1)
    fields.setdefault("name", slug.title())
    route = Route.objects.create(organisation=make_organisation(organisation_id), slug=slug, **fields)
    for model in members:
        make_member(route, model)
    return route


def make_member(route: Model, model: Model, **fields: Any) -> RouteMember:
    return RouteMember.objects.create(route=route, model=model, **fields)


def make_user(
    username: str = "", *, teams: Sequence[Team] = (), role: str = Role.MEMBER, **fields: Any
) -> User:
    """Somebody whose password is `password`, of that role in those teams."""
    username = username or f"user-{next(_numbers)}"
    user = User.objects.create(username=username, password=make_password("password"), **fields)
    for team in teams:
        make_membership(team, user, role=role)
    return user


def make_membership(team: Team, user: User | None = None, *, role: str = Role.MEMBER) -> Membership:
    """Of somebody new unless one is given; it stands on somebody's word."""
    made = Membership.objects.create(team=team, user=user or make_user(), role=role)
    made.grants.create(source="manual", role=role)
    return made


def make_staff(username: str = "curator", **fields: Any) -> User:
    """Somebody who may do everything in the admin."""
    return make_user(username, is_staff=True, is_superuser=True, **fields)


def make_team(slug: str = "", **fields: Any) -> Team:
    slug = slug or f"team-{next(_numbers)}"
    fields.setdefault("name", slug.title())
    return Team.objects.create(slug=slug, **fields)


def make_key(team: Team | None = None, name: str = "test", **terms: Any) -> tuple[Key, str]:
    """A key with its text; of a new team unless one is given."""
    return issue_key(team=team or make_team(), name=name, **terms)


def make_entry(key: Key, outcome: str = "finished", **fields: Any) -> LedgerEntry:
    """One attempt with this key, free and just now."""
    made = {
        "attempt_id": uuid4(),
        "call_id": uuid4(),
        "number": 1,
        "lane": "direct",
        "requested_model": "acme/one",
        "model": "acme/one",
        "provider": "acme",
        "is_streamed": False,
        "started_at": timezone.now(),
        "cost_usd": 0,
        "loss_usd": 0,
    }
    return LedgerEntry.objects.create(team=key.team, key=key, outcome=outcome, **made | fields)


def publish_all(*, at: datetime | None = None) -> Edition | None:
    """Publish every model that changed."""
    return publish(Model.objects.all(), note="test", at=at)


def make_published(public_id: str = "acme/one", **fields: Any) -> Model:
    """A model with one priced chat offering, published."""
    model = make_model(public_id, **fields)
    offering = make_offering(model)
    make_price(offering, "input_text_tokens", "1")
    make_price(offering, "output_text_tokens", "2")
    publish([model])
    return model

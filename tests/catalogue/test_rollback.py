"""Rolling back: what an earlier edition said is published again, as a new edition."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from catalogue.models import Alias, Edition, Model, Offering, Price, PublishedModel
from catalogue.published.content import Content
from catalogue.publishing.editions import publish
from catalogue.publishing.rollback import RollbackRefusedError, plan_rollback, roll_back
from catalogue.services import delete_models, set_price, switch_offerings
from tests.make import (
    NOW,
    TOMORROW,
    make_model,
    make_offering,
    make_price,
    make_published,
    make_staff,
    publish_all,
)

pytestmark = pytest.mark.django_db


def newest() -> int:
    return Edition.objects.latest("number").number


def live(public_id: str = "acme/one") -> Content:
    content: Content = PublishedModel.objects.current().get(public_id=public_id).content
    return content


def without_prices(content: Content) -> Any:
    return content | {"offerings": [each | {"prices": []} for each in content["offerings"]]}


def change(model: Model, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(model, name, value)
    model.save()
    publish([model])


def current_amounts() -> dict[str, Decimal]:
    running = Price.objects.filter(valid_to=None)
    return {price.meter: price.amount for price in running}


def test_older_content_is_published_as_a_new_edition() -> None:
    model = make_published(aliases=["uno"], release_at=NOW)
    before, content = newest(), live()
    change(model, name="Uno", context_length=8, retirement_at=TOMORROW, open_weights=True, licence="MIT")
    author = make_staff()
    edition = roll_back(before, "acme/one", author=author)
    assert edition is not None
    assert (edition.number > before, edition.author) == (True, author)
    assert edition.note == f"Rolled back acme/one to {Edition.objects.get(number=before)}"
    assert without_prices(live()) == without_prices(content)


def test_aliases_come_back_with_their_policies() -> None:
    model = make_published(aliases=["uno"])
    Alias.objects.update(policy="redirect")
    publish([model])
    before = newest()
    Alias.objects.all().delete()
    Alias.objects.create(model=model, name="ein")
    publish([model])
    roll_back(before, "acme/one")
    assert list(Alias.objects.values_list("name", "policy")) == [("uno", "redirect")]


def test_prices_are_ended_and_appended_and_never_rewritten() -> None:
    model = make_published()
    before = newest()
    set_price(Offering.objects.get(), meter="input_text_tokens", usd_per_million=Decimal(9))
    publish([model])
    rows = set(Price.objects.values_list("pk", "amount", "valid_from"))
    roll_back(before, "acme/one")
    assert rows <= set(Price.objects.values_list("pk", "amount", "valid_from"))
    assert current_amounts() == {"input_text_tokens": 1, "output_text_tokens": 2}
    assert Price.objects.filter(amount=9, valid_to__isnull=False).exists()


def test_price_that_has_not_begun_is_taken_out() -> None:
    model = make_published()
    before = newest()
    make_price(Offering.objects.get(), "requests", valid_from=timezone.now() + (TOMORROW - NOW))
    publish([model])
    roll_back(before, "acme/one")
    assert not Price.objects.filter(meter="requests").exists()


def test_offering_added_since_goes_and_one_deleted_since_comes_back_switched_off() -> None:
    model = make_published()
    before, offering = newest(), Offering.objects.get()
    old_id = offering.pk
    offering.delete()
    make_offering(model)
    publish([model])
    roll_back(before, "acme/one")
    back = Offering.objects.get()
    assert (back.pk, back.provider, back.is_enabled) == (old_id, offering.provider, False)
    assert current_amounts() == {"input_text_tokens": 1, "output_text_tokens": 2}


def test_offering_added_anew_at_the_same_place_is_the_same_one() -> None:
    model = make_published()
    before, offering = newest(), Offering.objects.get()
    offering.delete()
    anew = make_offering(model, offering.provider, params=["tools"])
    publish([model])
    roll_back(before, "acme/one")
    assert (Offering.objects.get().pk, Offering.objects.get().params) == (anew.pk, [])


def test_switches_are_not_rolled_back() -> None:
    model = make_published()
    before = newest()
    change(model, name="Uno")
    switch_offerings(Offering.objects.all(), is_enabled=False)
    roll_back(before, "acme/one")
    assert not Offering.objects.get().is_enabled


def test_deleted_model_comes_back_as_it_was() -> None:
    make_published(aliases=["uno"], source="page")
    before, content = newest(), live()
    delete_models(Model.objects.all())
    assert roll_back(before, "acme/one") is not None
    assert without_prices(live()) == without_prices(content)


def test_whole_edition_is_rolled_back_and_newer_models_stay() -> None:
    one, two = make_published("acme/one"), make_published("acme/two")
    before = newest()
    change(one, name="Uno")
    delete_models(Model.objects.filter(pk=two.pk))
    make_published("acme/three")
    plan = plan_rollback(before)
    assert [(step.public_id, step.is_gone) for step in plan.steps] == [
        ("acme/one", False),
        ("acme/two", True),
    ]
    assert plan.newer == ["acme/three"]
    roll_back(before)
    assert sorted(PublishedModel.objects.current().values_list("public_id", flat=True)) == [
        "acme/one",
        "acme/three",
        "acme/two",
    ]
    assert live()["name"] == "One"


def test_newer_models_are_deleted_where_that_is_asked_for() -> None:
    make_published("acme/one")
    before = newest()
    make_published("acme/two")
    assert roll_back(before, removes_newer=True) is not None
    assert list(PublishedModel.objects.current().values_list("public_id", flat=True)) == ["acme/one"]


def test_alias_that_moved_between_two_models_moves_back() -> None:
    one, two = make_published("acme/one", aliases=["best"]), make_published("acme/two")
    before = newest()
    Alias.objects.update(model=two)
    publish([one, two])
    roll_back(before)
    assert Alias.objects.get().model == one


def test_models_that_succeed_each_other_come_back_together() -> None:
    old, new = make_model("acme/old"), make_model("acme/new")
    old.successor = new
    old.save()
    publish_all()
    before = newest()
    delete_models(Model.objects.all())
    roll_back(before)
    assert live("acme/old")["successor_id"] == "acme/new"


def refusal(edition: int, public_id: str | None = None) -> str:
    with pytest.raises(RollbackRefusedError) as caught:
        roll_back(edition, public_id)
    return str(caught.value)


def test_provider_that_is_gone_refuses_and_nothing_changes() -> None:
    model = make_published()
    before, provider = newest(), Offering.objects.get().provider
    Offering.objects.all().delete()
    provider.delete()
    change(model, name="Uno")
    assert f"the provider {provider.slug} no longer exists" in refusal(before, "acme/one")
    assert live()["name"] == "Uno"


def test_alias_that_another_model_has_now_refuses() -> None:
    make_published("acme/one", aliases=["best"])
    before = newest()
    Alias.objects.all().delete()
    make_published("acme/two", aliases=["best"])
    assert "its alias best belongs to acme/two now" in refusal(before, "acme/one")


def test_successor_that_is_gone_refuses() -> None:
    old, new = make_model("acme/old"), make_model("acme/new")
    old.successor = new
    old.save()
    publish_all()
    before = newest()
    delete_models(Model.objects.filter(pk=new.pk))
    assert "its successor acme/new no longer exists" in refusal(before, "acme/old")


def test_rolling_back_to_what_is_live_makes_no_edition() -> None:
    make_published()
    assert roll_back(newest(), "acme/one") is None
    assert Edition.objects.count() == 1


def test_names_of_organisation_and_provider_are_not_rolled_back() -> None:
    model = make_published()
    before, provider = newest(), Offering.objects.get().provider
    model.organisation.name = provider.name = "Renamed"
    model.organisation.save()
    provider.save()
    publish([model])
    assert plan_rollback(before, "acme/one").steps == []


def test_rolling_back_twice_ends_nothing_the_second_time() -> None:
    model = make_published()
    before = newest()
    set_price(Offering.objects.get(), meter="input_text_tokens", usd_per_million=Decimal(9))
    publish([model])
    roll_back(before, "acme/one")
    prices = Price.objects.count()
    assert plan_rollback(before, "acme/one").steps == []
    assert roll_back(before, "acme/one") is None
    assert Price.objects.count() == prices


def test_plan_takes_as_many_queries_for_many_models_as_for_one(django_assert_max_num_queries: Any) -> None:
    make_published("acme/one")
    before = newest()
    Model.objects.update(name="Uno")
    publish_all()
    with django_assert_max_num_queries(13) as once:
        plan_rollback(before)
    models = [make_published(f"acme/m{number}") for number in range(5)]
    before = newest()
    Model.objects.update(name="New")
    publish_all()
    with django_assert_max_num_queries(len(once)):
        assert len(plan_rollback(before).steps) == len(models) + 1

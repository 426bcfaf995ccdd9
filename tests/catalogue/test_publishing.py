"""Editions: what changed is published, what is wrong is quarantined, what was published stays."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.revision import read
from catalogue.endpoints import openings
from catalogue.models import Alias, Edition, Model, Offering, Price, PublishedModel
from catalogue.published.loading import snapshots
from catalogue.published.reading import Reading
from catalogue.publishing.editions import publish, withdraw
from catalogue.services import delete_models, set_price, switch_offering, switch_offerings
from tests.make import (
    NOW,
    TOMORROW,
    YESTERDAY,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_published,
    make_staff,
    publish_all,
)

pytestmark = pytest.mark.django_db

SAVEPOINT_QUERIES = 2


def live(public_id: str = "acme/one") -> PublishedModel:
    return PublishedModel.objects.current().get(public_id=public_id)


def ids(rows: Iterable[PublishedModel]) -> list[str]:
    return [row.public_id for row in rows]


def routable_ids(at: datetime = NOW) -> list[str]:
    return ids(Reading(snapshots.refresh(), at).routable())


def spoil(model: Model) -> None:
    Model.objects.filter(pk=model.pk).update(input_types="text")


def test_first_publication_opens_an_edition_with_author_and_note() -> None:
    author = make_staff()
    edition = publish([make_model()], author=author, note="first", at=NOW)
    assert edition == live().edition_from
    assert (edition.author, edition.note, edition.published_at) == (author, "first", NOW)


def test_edition_has_the_number_of_the_revision() -> None:
    edition = publish([make_model()])
    assert edition is not None
    assert edition.number == read().number == read().catalogue


def test_publishing_again_without_a_change_makes_no_edition() -> None:
    model = make_model()
    publish([model])
    revision = read().number
    assert publish([model]) is None
    assert read().number == revision


def test_change_closes_the_old_row_and_opens_a_new_one() -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(name="Uno")
    edition = publish([model])
    old = PublishedModel.objects.get(edition_to=edition)
    assert (old.name, live().name, live().edition_from) == ("One", "Uno", edition)


def test_only_the_models_that_changed_are_in_an_edition() -> None:
    make_published("acme/one")
    make_published("acme/two")
    Model.objects.filter(public_id="acme/two").update(name="Due")
    edition = publish_all()
    assert edition is not None
    assert ids(edition.opened.all()) == ["acme/two"]


def test_working_rows_not_yet_published_are_not_listed() -> None:
    make_model()
    assert not PublishedModel.objects.exists()


def test_bad_model_is_set_aside_with_its_reason() -> None:
    model = make_published()
    spoil(model)
    assert publish([model]) is None
    model.refresh_from_db()
    assert "input_types" in model.quarantine_reason
    assert live().content["input_types"] == ["text"]


def test_instance_that_was_passed_says_why_it_was_set_aside() -> None:
    model = make_model()
    spoil(model)
    publish([model])
    assert "input_types" in model.quarantine_reason


def test_bad_model_does_not_hold_up_the_others() -> None:
    spoil(make_model("acme/bad"))
    make_model("acme/good")
    publish_all()
    assert ids(PublishedModel.objects.current()) == ["acme/good"]


def test_repaired_model_leaves_quarantine() -> None:
    model = make_model()
    spoil(model)
    publish([model])
    Model.objects.filter(pk=model.pk).update(input_types=["text"])
    publish([model])
    assert Model.objects.get().quarantine_reason == ""
    assert live().name == "One"


def test_alias_equal_to_the_id_of_another_model_quarantines_its_model_only() -> None:
    make_model("acme/one")
    two = make_model("acme/two")
    Alias.objects.create(model=two, name="acme/one")
    publish([two])
    assert "acme/one" in two.quarantine_reason


def test_model_whose_id_is_the_alias_of_another_is_set_aside() -> None:
    make_model("acme/two", aliases=["acme/one"])
    one = make_model("acme/one")
    publish([one])
    assert "another model's alias" in one.quarantine_reason


def test_withdrawn_model_is_no_longer_current_but_stays_in_its_edition() -> None:
    make_published()
    before = Edition.objects.latest("number").number
    withdraw(["acme/one"])
    assert not PublishedModel.objects.current().exists()
    assert ids(PublishedModel.objects.at_edition(before)) == ["acme/one"]


def test_withdrawing_what_was_never_published_makes_no_edition() -> None:
    make_model()
    assert withdraw(["acme/one"]) is None


def test_deleted_model_disappears_from_its_predecessor() -> None:
    old, new = make_model("acme/old"), make_model("acme/new")
    Model.objects.filter(pk=old.pk).update(successor=new)
    publish_all()
    delete_models(Model.objects.filter(pk=new.pk))
    assert ids(PublishedModel.objects.current()) == ["acme/old"]
    assert live("acme/old").content["successor_id"] is None


def test_renamed_organisation_is_published_on_all_its_models() -> None:
    organisation = make_published().organisation
    organisation.name = "Acme & Sons"
    organisation.save()
    publish(organisation.models.all())
    assert live().content["organisation"]["name"] == "Acme & Sons"


def test_renamed_provider_is_published_on_the_models_it_serves() -> None:
    make_published()
    provider = Offering.objects.get().provider
    provider.name = "Fast"
    provider.save()
    publish(Model.objects.filter(offerings__provider=provider))
    assert live().content["offerings"][0]["provider"]["name"] == "Fast"


def test_switching_an_offering_is_no_edition_but_a_new_revision() -> None:
    make_published()
    before = read()
    switch_offering(Offering.objects.get(), is_enabled=False)
    assert (read().catalogue, read().providers) == (before.catalogue, before.number + 1)
    assert publish_all() is None


def test_switching_off_what_is_off_changes_nothing() -> None:
    make_offering(is_enabled=False)
    assert switch_offerings(Offering.objects.all(), is_enabled=False) == 0


def test_new_price_ends_the_old_one_and_keeps_its_row() -> None:
    offering = make_offering()
    make_price(offering, amount="1", valid_from=YESTERDAY)
    set_price(offering, meter="input_text_tokens", usd_per_million=Decimal("0.5"), at=NOW)
    rows = Price.objects.order_by("valid_from").values_list("amount", "valid_from", "valid_to")
    assert list(rows) == [(1, YESTERDAY, NOW), (Decimal("0.5"), NOW, None)]


def test_new_price_leaves_conditional_prices_alone() -> None:
    offering = make_offering()
    make_price(offering, conditions=[{"min_tokens": 200_000}])
    set_price(offering, meter="input_text_tokens", usd_per_million=Decimal(2), at=NOW)
    assert Price.objects.filter(valid_to=None).count() == 2


def test_price_of_none_ends_the_running_price() -> None:
    offering = make_offering()
    make_price(offering)
    assert set_price(offering, meter="input_text_tokens", usd_per_million=None, at=NOW) is None
    assert Price.objects.get().valid_to == NOW


def test_publishing_one_model_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    model = make_published(aliases=["uno"])
    Model.objects.filter(pk=model.pk).update(name="Uno")
    with django_assert_max_num_queries(16 + SAVEPOINT_QUERIES):
        publish([model])


def test_publishing_many_models_takes_no_more_queries(django_assert_max_num_queries: Any) -> None:
    make_published()
    for number in range(10):
        make_price(make_offering(make_model(f"acme/m{number}", aliases=[f"m{number}"])))
    with django_assert_max_num_queries(16 + SAVEPOINT_QUERIES):
        publish_all()


def test_listed_are_released_models_that_are_not_retired() -> None:
    make_model("acme/unknown")
    make_model("acme/released", release_at=NOW)
    make_model("acme/announced", release_at=TOMORROW)
    make_model("acme/retired", retirement_at=NOW)
    publish_all()
    listed = PublishedModel.objects.current().listed(NOW)
    assert set(ids(listed)) == {"acme/unknown", "acme/released"}


def test_model_with_a_usable_offering_is_routable() -> None:
    make_published()
    assert routable_ids() == ["acme/one"]


def test_model_at_a_provider_that_cannot_be_opened_is_not_routable() -> None:
    make_published()
    assert not PublishedModel.objects.routable(NOW, openings({}))


def test_model_at_a_disabled_provider_is_not_routable() -> None:
    make_offering(make_model(), make_provider(is_enabled=False))
    publish_all()
    assert routable_ids() == []


def test_model_whose_only_offering_is_off_is_not_routable() -> None:
    make_published()
    switch_offering(Offering.objects.get(), is_enabled=False)
    assert routable_ids() == []


@pytest.mark.parametrize("dates", [{"effective_from": TOMORROW}, {"effective_to": NOW}])
def test_offering_outside_its_dates_does_not_make_a_model_routable(dates: dict[str, Any]) -> None:
    make_offering(make_model(), **dates)
    publish_all()
    assert routable_ids() == []


def test_offering_not_yet_published_does_not_make_a_model_routable() -> None:
    model = make_model()
    publish([model])
    make_offering(model)
    assert routable_ids() == []


def test_people_count_editions_from_one_on_while_numbers_have_gaps() -> None:
    model = make_published("acme/one")
    make_published("acme/two")
    switch_offerings(model.offerings.all(), is_enabled=False)
    model.name = "Uno"
    model.save()
    publish([model])
    editions = list(Edition.objects.order_by("number"))
    assert [str(edition) for edition in editions] == ["edition 1", "edition 2", "edition 3"]
    assert editions[2].number > editions[1].number + 1


def test_deleted_offering_does_not_make_a_model_routable() -> None:
    make_published()
    formats = dict.fromkeys(Offering.objects.values_list("provider_id", flat=True), "openai")
    Offering.objects.all().delete()
    assert not PublishedModel.objects.current().routable(NOW, openings(formats))


def test_newest_come_first_and_unknown_dates_last_by_name() -> None:
    make_model("acme/b", name="beta")
    make_model("acme/a", name="Alpha")
    make_model("acme/old", release_at=YESTERDAY)
    make_model("acme/new", release_at=NOW)
    publish_all()
    ordered = PublishedModel.objects.current().newest_first()
    assert ids(ordered) == ["acme/new", "acme/old", "acme/a", "acme/b"]

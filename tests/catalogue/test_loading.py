"""The snapshot: all of it at first, then only what changed."""

import logging
from typing import Any

import pytest

from accounts.models import Revision
from accounts.revision import Part, take_revision
from catalogue.models import Model, Offering, PublishedModel
from catalogue.published.loading import load_snapshot
from catalogue.publishing.editions import publish, withdraw
from catalogue.services import switch_offering
from gateway.core.store.interface import Limit
from providers.models import Quota
from tests.make import NOW, make_model, make_offering, make_provider, make_published, publish_all

pytestmark = pytest.mark.django_db


def rename(public_id: str, name: str) -> None:
    Model.objects.filter(public_id=public_id).update(name=name)
    publish_all()


def spoil_content(public_id: str) -> None:
    PublishedModel.objects.current().filter(public_id=public_id).update(content={"id": public_id})


def test_empty_catalogue_is_an_empty_snapshot() -> None:
    snapshot = load_snapshot(None)
    assert (snapshot.revision, snapshot.edition, snapshot.models) == (0, 0, {})


def test_first_snapshot_has_what_is_current_only() -> None:
    make_published()
    rename("acme/one", "Uno")
    snapshot = load_snapshot(None)
    assert {model.id: model.name for model in snapshot.models.values()} == {"acme/one": "Uno"}


def test_model_is_found_by_id_and_by_alias() -> None:
    make_published(aliases=["uno"])
    snapshot = load_snapshot(None)
    assert snapshot.find("uno") is snapshot.find("acme/one") is snapshot.models["acme/one"]


def test_edition_is_that_of_the_last_publication() -> None:
    edition = publish([make_model()])
    switch_offering(make_offering(), is_enabled=False)
    snapshot = load_snapshot(None)
    assert edition is not None
    assert (snapshot.edition, snapshot.revision) == (edition.number, edition.number + 1)


def test_only_models_that_changed_are_read_again() -> None:
    make_published("acme/one")
    make_published("acme/two")
    before = load_snapshot(None)
    rename("acme/two", "Due")
    after = load_snapshot(before)
    assert after.models["acme/one"] is before.models["acme/one"]
    assert after.models["acme/two"].name == "Due"


def test_withdrawn_model_leaves_the_snapshot() -> None:
    make_published("acme/one", aliases=["uno"])
    before = load_snapshot(None)
    withdraw(["acme/one"])
    after = load_snapshot(before)
    assert (after.models, after.aliases) == ({}, {})


def test_two_editions_of_a_model_between_two_loads_leave_the_newer() -> None:
    make_published()
    before = load_snapshot(None)
    rename("acme/one", "Uno")
    rename("acme/one", "Ein")
    assert load_snapshot(before).models["acme/one"].name == "Ein"


def test_row_closed_by_a_later_edition_was_live_until_then() -> None:
    make_published()
    number = load_snapshot(None).revision
    rename("acme/one", "Uno")
    old, new = PublishedModel.objects.order_by("edition_from_id")
    assert (old.is_live_at(number), new.is_live_at(number)) == (True, False)
    assert (old.is_live_at(number + 1), new.is_live_at(number + 1)) == (False, True)


def test_switched_off_offering_is_off_in_the_snapshot() -> None:
    make_published()
    before = load_snapshot(None)
    switch_offering(Offering.objects.get(), is_enabled=False)
    after = load_snapshot(before)
    assert [offering.is_enabled for offering in before.models["acme/one"].offerings] == [True]
    assert [offering.is_enabled for offering in after.models["acme/one"].offerings] == [False]


def test_patience_with_an_offering_is_in_the_snapshot_and_stays_when_its_model_is_published() -> None:
    make_published()
    Offering.objects.update(patience_s=90)
    before = load_snapshot(None)
    assert [offering.patience_s for offering in before.models["acme/one"].offerings] == [90]
    rename("acme/one", "Uno")
    assert load_snapshot(before).models["acme/one"].offerings[0].patience_s == 90


def test_quotas_of_an_offering_are_in_the_snapshot_and_stay_when_its_model_is_published() -> None:
    make_published()
    offering = Offering.objects.get()
    Quota.objects.create(offering=offering, unit="requests", window="minute", amount=30)
    before = load_snapshot(None)
    limits = (Limit(f"offering:{offering.pk}", "requests", 30, 60),)
    assert [each.quotas for each in before.models["acme/one"].offerings] == [limits]
    rename("acme/one", "Uno")
    assert load_snapshot(before).models["acme/one"].offerings[0].quotas == limits


def test_offering_that_is_off_stays_off_when_its_model_is_published() -> None:
    make_published()
    switch_offering(Offering.objects.get(), is_enabled=False)
    before = load_snapshot(None)
    rename("acme/one", "Uno")
    assert not load_snapshot(before).models["acme/one"].offerings[0].is_enabled


def test_new_providers_are_loaded() -> None:
    before = load_snapshot(None)
    provider = make_provider("fast")
    take_revision(Part.PROVIDERS)
    assert load_snapshot(before).providers[provider.pk].slug == "fast"


def test_providers_are_kept_when_only_the_catalogue_changed() -> None:
    make_published()
    before = load_snapshot(None)
    rename("acme/one", "Uno")
    assert load_snapshot(before).providers is before.providers


def test_nothing_but_the_revision_is_read_when_nothing_changed(django_assert_max_num_queries: Any) -> None:
    make_published()
    before = load_snapshot(None)
    with django_assert_max_num_queries(3):
        after = load_snapshot(before)
    assert after.models["acme/one"] is before.models["acme/one"]


def test_keys_that_changed_do_not_reload_the_catalogue() -> None:
    make_published()
    before = load_snapshot(None)
    number = take_revision(Part.KEYS)
    after = load_snapshot(before)
    assert after.revision == number
    assert after.models["acme/one"] is before.models["acme/one"]


def test_record_that_cannot_be_read_leaves_the_last_good_one(caplog: pytest.LogCaptureFixture) -> None:
    make_published()
    before = load_snapshot(None)
    rename("acme/one", "Uno")
    spoil_content("acme/one")
    with caplog.at_level(logging.ERROR):
        after = load_snapshot(before)
    assert after.models["acme/one"].name == "One"
    assert "acme/one" in caplog.text


def test_record_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    make_published("acme/one")
    make_published("acme/two")
    spoil_content("acme/one")
    assert list(load_snapshot(None).models) == ["acme/two"]


def test_restored_database_is_loaded_from_the_beginning() -> None:
    make_published()
    before = load_snapshot(None)
    PublishedModel.objects.all().delete()
    Offering.objects.all().delete()
    Revision.objects.update(number=0, catalogue=0, providers=0)
    assert load_snapshot(before).models == {}


def test_dates_are_in_the_facts() -> None:
    make_published(retirement_at=NOW)
    assert load_snapshot(None).models["acme/one"].retirement_at == NOW

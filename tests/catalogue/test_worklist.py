"""The worklist's page, and the score in the list of models."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from catalogue.models import Model, Offering, Price
from catalogue.quality.lint import Kind
from catalogue.quality.worklist import examine_catalogue, worklist_cache
from providers.models import UpstreamList
from tests.make import (
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_published,
    make_staff,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db

PAGE = "/admin/catalogue/model/worklist/"


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def kinds_of(model: Model) -> set[Kind]:
    return {finding.kind for finding in examine_catalogue().findings if finding.model_pk == model.pk}


def test_entry_leads_to_the_page_that_mends_it(curator: Client) -> None:
    offering = make_offering(make_model(context_length=1))
    page = curator.get(f"{PAGE}?kind=no_price").text
    assert f'href="/admin/catalogue/offering/{offering.pk}/change/"' in page
    assert "calls there are free" in page


def test_page_is_filtered_by_kind_and_organisation(curator: Client) -> None:
    make_offering(make_model("acme/one"))
    make_offering(make_model("other/two"))
    rows = curator.get(f"{PAGE}?kind=no_price&organisation=other").context["rows"]
    assert [row["model"] for row in rows] == ["other/two"]


def test_empty_worklist_says_so(curator: Client) -> None:
    assert "No issues" in curator.get(PAGE).text
    make_model()
    assert "Nothing matches" in curator.get(f"{PAGE}?kind=dead_alias").text


def test_worklist_is_for_those_who_may_see_models(client: Client) -> None:
    client.force_login(make_user(is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_worklist_is_judged_anew_after_an_edit() -> None:
    model = make_model()
    assert worklist_cache.read().qualities[model.pk].score < 100
    model.description = "A model."
    model.save()
    scores = [
        worklist_cache.read().qualities[model.pk].missing,
        examine_catalogue().qualities[model.pk].missing,
    ]
    assert scores[0] == scores[1]
    assert "description" not in scores[0]


def test_model_edited_without_publishing_is_on_the_list() -> None:
    model = make_published()
    assert Kind.EDITED not in kinds_of(model)
    Model.objects.filter(pk=model.pk).update(name="Uno")
    assert Kind.EDITED in kinds_of(model)


def test_model_too_broken_to_be_read_is_set_aside_and_hides_nobody() -> None:
    good, bad = make_published("acme/good"), make_published("acme/bad")
    Model.objects.filter(pk=bad.pk).update(input_types=3)
    publish_all()
    assert kinds_of(bad) == {Kind.QUARANTINED}
    assert good.pk in examine_catalogue().qualities


def test_price_is_stale_unless_a_source_was_read_since() -> None:
    model = make_published()
    Price.objects.update(created_at=timezone.now() - timedelta(days=200))
    assert Kind.STALE_PRICE in kinds_of(model)
    Price.objects.update(source=f"https://acme.example/prices, read {timezone.now():%Y-%m-%d}")
    assert Kind.STALE_PRICE not in kinds_of(model)


def test_day_that_no_calendar_has_is_no_date() -> None:
    model = make_published(source="read 2026-02-31")
    assert Kind.STALE_PRICE not in kinds_of(model)


def test_name_that_a_probe_did_not_find_is_on_the_list() -> None:
    model = make_published()
    provider = Offering.objects.get().provider
    UpstreamList.objects.create(provider=provider, names=["other"], changed_at=timezone.now())
    assert Kind.UNSEEN_UPSTREAM in kinds_of(model)


def test_examining_takes_as_many_queries_for_many_models_as_for_one(
    django_assert_max_num_queries: Any,
) -> None:
    make_published("acme/one", aliases=["a"])
    with django_assert_max_num_queries(16) as once:
        examine_catalogue()
    for number in range(5):
        make_price(make_offering(make_model(f"acme/m{number}", aliases=[f"b{number}"])))
    with django_assert_max_num_queries(len(once)):
        examine_catalogue()


@pytest.mark.parametrize(("quality", "found"), [("low", 0), ("fair", 1), ("good", 0)])
def test_list_of_models_is_filtered_by_quality(curator: Client, quality: str, found: int) -> None:
    make_published()
    rows = curator.get(f"/admin/catalogue/model/?quality={quality}").context["cl"].result_list
    assert len(rows) == found


def test_model_page_says_what_its_record_lacks(curator: Client) -> None:
    model = make_published()
    page = curator.get(f"/admin/catalogue/model/{model.pk}/change/").text
    assert "No context length" in page
    assert "</span> description</li>" in page


def test_front_page_leads_to_the_worklist(curator: Client) -> None:
    make_published()
    page = curator.get("/admin/").text
    assert f"{PAGE}?kind=no_context" in page


def tokens(curator: Client, query: str = "") -> list[str]:
    return [row["token"] for row in curator.get(f"{PAGE}?{query}").context["rows"]]


def test_finding_is_ignored_with_a_reason_until_it_is_put_back(curator: Client) -> None:
    make_offering(make_model("acme/one", context_length=1))
    make_offering(make_model("acme/two", context_length=1))
    (first, second) = tokens(curator, "kind=no_price")
    said = {"act": "ignore", "reason": "free for  everybody", "finding": [first]}
    page = curator.post(f"{PAGE}?kind=no_price", said, follow=True).text
    assert "Ignored from now on: 1." in page
    assert tokens(curator, "kind=no_price") == [second]
    assert "free for everybody" in curator.get(f"{PAGE}?ignored").text
    curator.post(f"{PAGE}?ignored", {"act": "watch", "finding": [first]})
    assert tokens(curator, "kind=no_price") == [first, second]


def test_ignored_finding_is_gone_from_the_page_of_its_model(curator: Client) -> None:
    model = make_offering(make_model("acme/one", context_length=1)).model
    page = f"/admin/catalogue/model/{model.pk}/change/"
    assert "No price" in [title for title, _ in curator.get(page).context["summary"].findings]
    curator.post(PAGE, {"act": "ignore", "reason": "free", "finding": tokens(curator, "kind=no_price")})
    assert "No price" not in [title for title, _ in curator.get(page).context["summary"].findings]


def test_provider_that_nobody_means_to_connect_is_ignored_whatever_it_could_serve(curator: Client) -> None:
    provider = make_provider("shut", has_credential=False)
    make_offering(make_model("acme/one", context_length=1), provider)
    line = tokens(curator, "kind=unconnected")
    page = curator.post(PAGE, {"act": "publish", "finding": line}, follow=True).text
    assert "Only models are published" in page
    curator.post(PAGE, {"act": "ignore", "reason": "no contract", "finding": line})
    make_offering(make_model("acme/two", context_length=1), provider)
    worklist_cache.forget()
    assert tokens(curator, "kind=unconnected") == []
    assert "Ignored by" in (page := curator.get(f"{PAGE}?ignored").text)
    assert "no contract" in page
    curator.post(f"{PAGE}?ignored", {"act": "watch", "finding": line})
    assert tokens(curator, "kind=unconnected") == line


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"act": "ignore", "reason": " "}, "say why"),
        ({"act": "ignore", "finding": []}, "Select what this is about"),
    ],
)
def test_nothing_is_ignored_without_a_reason_or_without_a_tick(
    curator: Client, said: dict[str, Any], answer: str
) -> None:
    make_offering(make_model("acme/one", context_length=1))
    ticked = tokens(curator)
    page = curator.post(PAGE, {"finding": ticked} | said, follow=True).text
    assert answer in page
    assert tokens(curator) == ticked


def test_selected_models_are_published(curator: Client) -> None:
    model = make_published("acme/one")
    Model.objects.filter(pk=model.pk).update(name="Uno")
    worklist_cache.forget()
    page = curator.post(PAGE, {"act": "publish", "finding": tokens(curator, "kind=edited")}, follow=True)
    assert "Published as edition" in page.text
    assert tokens(curator, "kind=edited") == []


def test_who_may_only_look_cannot_act(client: Client) -> None:
    person = make_user(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_model"))
    client.force_login(person)
    assert "Ignore selected" not in client.get(PAGE).text
    assert client.post(PAGE, {"act": "ignore", "reason": "no", "finding": ["x"]}).status_code == 403

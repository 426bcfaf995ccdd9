"""The curator's pages, as a browser uses it."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.revision import read
from catalogue.admin.fields import MomentField, WordsField
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, PublishedModel
from catalogue.published.content import facts_from_content
from catalogue.published.loading import load_snapshot
from catalogue.quality.worklist import worklist_cache
from providers.models import Provider
from tests.make import (
    NOW,
    TOMORROW,
    make_entry,
    make_key,
    make_model,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
    make_staff,
    make_team,
    publish_all,
)
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db

MODELS = "/admin/catalogue/model/"


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def form_values(answer: Any) -> dict[str, Any]:
    """What the browser would send back, if nothing was touched."""
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    return {field.html_name: _sent(field) for form in forms for field in form if _sent(field) is not None}


def _sent(field: Any) -> Any:
    value = field.value()
    if value is None or value is False:
        return None
    return "on" if value is True else field.field.widget.format_value(value)


def add_values(**changes: str) -> dict[str, str]:
    """A new model with an offering and an alias."""
    values = {"organisation": "acme", "slug": "one", "name": "One", "input_types": "text, image"}
    values |= {"offerings-TOTAL_FORMS": "1", "offerings-INITIAL_FORMS": "0"}
    values |= {"aliases-TOTAL_FORMS": "1", "aliases-INITIAL_FORMS": "0", "aliases-0-name": "uno"}
    provider = Provider.objects.first() or make_provider("fast")
    values |= {"offerings-0-provider": str(provider.pk), "offerings-0-upstream_name": "one-large"}
    values |= {"offerings-0-endpoints": "chat.completions", "offerings-0-position": "0"}
    values |= {
        "offerings-0-is_enabled": "on",
        "offerings-0-input_usd": "0.15",
        "offerings-0-output_usd": "0.6",
    }
    return values | changes


def add(curator: Client, **changes: str) -> Any:
    make_organisation()
    return curator.post(f"{MODELS}add/", add_values(**changes))


def edit(curator: Client, row: Model | Offering | Organisation | Provider, **changes: str) -> Any:
    url = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    return curator.post(url, form_values(curator.get(url)) | changes)


def said(answer: Any) -> str:
    return " ".join(map(str, get_messages(answer.wsgi_request)))


def errors(answer: Any) -> str:
    assert answer.status_code == 200, said(answer)
    return re.sub(r"\s+", " ", " ".join(map(str, answer.context["errors"])))


def act(curator: Client, action: str, *rows: Model | Offering) -> Any:
    url = f"/admin/catalogue/{rows[0]._meta.model_name}/"
    return curator.post(url, {"action": action, "_selected_action": [row.pk for row in rows]})


def test_saving_a_new_model_publishes_it_with_all_that_was_typed(curator: Client) -> None:
    answer = add(curator, release_at="2026-03-01", context_length="128000")
    content = PublishedModel.objects.get().content
    assert "Published as edition" in said(answer)
    assert (content["id"], content["aliases"], content["input_types"]) == (
        "acme/one",
        ["uno"],
        ["text", "image"],
    )
    assert (content["release_at"], content["context_length"]) == ("2026-03-01T00:00:00+00:00", 128000)
    prices = {price["meter"]: price["amount"] for price in content["offerings"][0]["prices"]}
    assert prices == {"input_text_tokens": "0.15", "output_text_tokens": "0.6"}


def test_edition_has_the_curator_as_its_author(curator: Client) -> None:
    add(curator)
    edition = Edition.objects.get()
    assert (edition.author.username, edition.note) == ("curator", "Added acme/one")  # type: ignore[union-attr]


def test_saving_without_a_change_makes_no_edition(curator: Client) -> None:
    answer = edit(curator, make_published(aliases=["uno"], release_at=NOW))
    assert "Nothing changed for clients" in said(answer)
    assert Edition.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"slug": "One"}, "Lower-case letters"),
        ({"slug": "taken"}, "already exists"),
        ({"slug": "alias"}, "is an alias of acme/taken. Remove it there"),
        ({"deprecation_at": "2026-03-01", "release_at": "2026-04-01"}, "before the model is released"),
        ({"retirement_at": "soon"}, "Write 2026-03-01"),
        ({"retirement_at": "9999-12-31T23:59:59-10:00"}, "Write 2026-03-01"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"input_types": '["a\\u0000"]'}, "A list of words"),
        ({"input_types": '[{"a": 1}]'}, "A list of words"),
        ({"aliases-0-name": "acme/taken"}, "is the id of a model"),
        ({"aliases-0-name": "acme/one"}, "is the id of a model"),
        ({"aliases-0-name": "acme/alias"}, "is an alias of acme/taken already"),
        ({"aliases-0-name": "my model"}, "without spaces"),
        ({"offerings-0-input_usd": "-1"}, "greater than or equal to 0"),
        ({"offerings-0-input_usd": "NaN"}, "Enter a number"),
        ({"offerings-0-endpoints": ""}, "required"),
    ],
)
def test_bad_value_is_refused_and_saves_nothing(
    curator: Client, changes: dict[str, str], complaint: str
) -> None:
    make_model("acme/taken", aliases=["acme/alias"])
    assert complaint in errors(add(curator, **changes))
    assert Model.objects.count() == 1


def test_chat_at_a_provider_of_embeddings_is_refused_at_the_field(curator: Client) -> None:
    make_provider("voyage", wire_format="voyage")
    assert "Voyage (embeddings only), which has no chat.completions." in errors(add(curator))


def test_price_typed_on_the_model_page_ends_the_old_one(curator: Client) -> None:
    model = make_published()
    edit(curator, model, **{"offerings-0-input_usd": "0.5"})
    old, new = Price.objects.filter(meter="input_text_tokens").order_by("id")
    assert (old.amount, new.amount) == (Decimal(1), Decimal("0.5"))
    assert old.valid_to == new.valid_from is not None
    assert len(PublishedModel.objects.current().get().content["offerings"][0]["prices"]) == 3


def test_price_emptied_on_the_model_page_ends_without_a_new_one(curator: Client) -> None:
    edit(curator, make_published(), **{"offerings-0-output_usd": ""})
    assert Price.objects.get(meter="output_text_tokens").valid_to is not None
    assert Price.objects.count() == 2


def test_patience_on_the_offering_page_is_no_edition_but_in_the_next_snapshot(curator: Client) -> None:
    make_published()
    before = load_snapshot(None)
    url = f"/admin/catalogue/offering/{Offering.objects.get().pk}/change/"
    assert curator.post(url, form_values(curator.get(url)) | {"patience_s": "90"}).status_code == 302
    (offering,) = load_snapshot(before).models["acme/one"].offerings
    assert (offering.patience_s, Edition.objects.count()) == (90, 1)


def test_quota_on_the_offering_page_is_no_edition_but_in_the_next_snapshot(curator: Client) -> None:
    make_published()
    before = load_snapshot(None)
    url = f"/admin/catalogue/offering/{Offering.objects.get().pk}/change/"
    row = {"quotas-TOTAL_FORMS": "1", "quotas-0-unit": "concurrency", "quotas-0-amount": "8"}
    values = form_values(curator.get(url)) | row | {"quotas-0-window": "none"}
    assert curator.post(url, values).status_code == 302
    (offering,) = load_snapshot(before).models["acme/one"].offerings
    assert [(limit.unit, limit.amount) for limit in offering.quotas] == [("concurrency", 8)]
    assert Edition.objects.count() == 1


def test_switch_on_the_model_page_is_no_edition_but_a_revision(curator: Client) -> None:
    model = make_published()
    before = read().number
    url = f"{MODELS}{model.pk}/change/"
    values = form_values(curator.get(url))
    del values["offerings-0-is_enabled"]
    curator.post(url, values)
    assert not Offering.objects.get().is_enabled
    assert (read().providers, Edition.objects.count()) == (before + 1, 1)


def test_removing_an_offering_on_the_model_page_publishes(curator: Client) -> None:
    edit(curator, make_published(), **{"offerings-0-DELETE": "on"})
    assert PublishedModel.objects.current().get().content["offerings"] == []


def test_second_of_two_editors_is_told(curator: Client) -> None:
    model = make_published()
    url = f"{MODELS}{model.pk}/change/"
    opened = form_values(curator.get(url))
    edit(curator, model, name="Uno")
    assert "Somebody else saved" in errors(curator.post(url, opened | {"name": "Ein"}))
    assert Model.objects.get().name == "Uno"


def test_id_of_a_published_model_cannot_be_edited(curator: Client) -> None:
    model = make_published()
    edit(curator, model, slug="other")
    model.refresh_from_db()
    assert model.public_id == "acme/one"


def test_deleting_a_model_withdraws_it(curator: Client) -> None:
    model = make_published()
    answer = curator.post(f"{MODELS}{model.pk}/delete/", {"post": "yes"})
    assert "no longer see it" in said(answer)
    assert not PublishedModel.objects.current().exists()


def test_deleting_from_the_list_withdraws(curator: Client) -> None:
    model = make_published()
    curator.post(MODELS, {"action": "delete_selected", "_selected_action": [model.pk], "post": "yes"})
    assert not PublishedModel.objects.current().exists()


def test_publish_now_says_which_models_were_set_aside(curator: Client) -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(input_types="text")
    assert "acme/one was not published" in said(act(curator, "publish_now", model))


def test_page_of_a_model_set_aside_says_why(curator: Client) -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(input_types="te xt")
    publish_all()
    page = curator.get(f"{MODELS}{model.pk}/change/").content.decode()
    assert "could not be published" in page
    assert "input_types" in page


def test_page_says_what_is_live_and_where_it_differs(curator: Client) -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(name="<Uno>")
    page = curator.get(f"{MODELS}{model.pk}/change/").content.decode()
    assert "Clients see something else: publishing would change 1 field" in page
    assert "<del>One</del> <ins>&lt;Uno&gt;</ins>" in page
    assert "<Uno>" not in page


def test_switch_action_takes_all_offerings_of_a_model_out(curator: Client) -> None:
    model = make_published()
    make_offering(model)
    answer = act(curator, "switch_offerings_off", model)
    assert "Switched 2 offerings off" in said(answer)
    assert not Offering.objects.filter(is_enabled=True).exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=announced", ["acme/soon"]),
        ("status=active", ["acme/live", "acme/new"]),
        ("publication=unpublished", ["acme/new"]),
        ("q=acme/soon", ["acme/soon"]),
        ("q=uno", ["acme/live"]),
        ("q=acme", ["acme/live", "acme/new", "acme/soon"]),
        ("organisation__id__exact=acme", ["acme/live", "acme/new", "acme/soon"]),
    ],
)
def test_list_is_filtered(curator: Client, query: str, found: list[str]) -> None:
    live = make_model("acme/live", aliases=["uno", "acme-1"])
    for name in ("acme-a", "acme-b"):
        make_offering(live, upstream_name=name)
    make_model("acme/soon", release_at=timezone.now() + (TOMORROW - NOW))
    publish_all()
    make_model("acme/new")
    rows = curator.get(f"{MODELS}?{query}").context["cl"].result_list
    assert [row.public_id for row in rows] == found


def test_list_is_filtered_by_provider(curator: Client) -> None:
    offering = make_offering(make_model("acme/one"))
    make_offering(make_model("acme/two"))
    query = f"offerings__provider__id__exact={offering.provider_id}"
    rows = curator.get(f"{MODELS}?{query}").context["cl"].result_list
    assert [row.public_id for row in rows] == ["acme/one"]


def look(curator: Client, url: str) -> None:
    """Without what an earlier look left for half a minute: it would end between two that are compared."""
    cache.clear()
    curator.get(url)


@pytest.mark.parametrize("name", ["model", "offering", "organisation", "edition"])
def test_lists_take_as_many_queries_for_many_rows_as_for_one(
    curator: Client, name: str, django_assert_max_num_queries: Any
) -> None:
    url = f"/admin/catalogue/{name}/"
    make_published("acme/one", aliases=["a"])
    worklist_cache.read()
    with django_assert_max_num_queries(25) as once:
        look(curator, url)
    for number in range(5):
        make_published(f"org-{number}/m", aliases=[f"b{number}"])
    worklist_cache.read()
    with django_assert_max_num_queries(len(once)):
        look(curator, url)


def test_model_page_takes_as_many_queries_for_many_offerings_as_for_one(
    curator: Client, django_assert_max_num_queries: Any
) -> None:
    model = make_published()
    url = f"{MODELS}{model.pk}/change/"
    # The first page lists the session, which takes queries of its own.
    look(curator, url)
    with django_assert_max_num_queries(30) as once:
        look(curator, url)
    for number in range(5):
        make_price(make_offering(model))
        Alias.objects.create(model=model, name=f"a{number}")
    with django_assert_max_num_queries(len(once)):
        look(curator, url)


def test_price_row_cannot_be_rewritten(curator: Client) -> None:
    price = make_price(make_offering())
    edit(curator, price.offering, **{"prices-0-amount": "9", "prices-0-DELETE": "on"})
    assert Price.objects.get().amount == 1


def test_price_row_can_be_ended_now(curator: Client) -> None:
    price = make_price(make_offering())
    edit(curator, price.offering, **{"prices-0-valid_to": "now"})
    assert Price.objects.get().valid_to is not None


def test_price_row_cannot_be_ended_in_the_past(curator: Client) -> None:
    price = make_price(make_offering())
    answer = edit(curator, price.offering, **{"prices-0-valid_to": "2026-01-01"})
    assert "What was charged stays" in errors(answer)


def test_saving_an_offering_publishes_its_model(curator: Client) -> None:
    offering = make_offering(make_model())
    answer = edit(curator, offering, params="tools temperature")
    assert "Published as edition" in said(answer)
    assert PublishedModel.objects.get().content["offerings"][0]["params"] == ["temperature", "tools"]


def test_new_price_on_the_offering_page_is_published(curator: Client) -> None:
    offering = make_offering(make_model())
    new = {"prices-TOTAL_FORMS": "1", "prices-0-meter": "requests", "prices-0-amount": "0.01"}
    new |= {"prices-0-plan": "standard", "prices-0-unit_size": "1", "prices-0-currency": "USD"}
    edit(curator, offering, **new, **{"prices-0-conditions": "[]"})
    assert PublishedModel.objects.get().content["offerings"][0]["prices"][0]["amount"] == "0.01"


def test_deleting_an_offering_publishes_its_model(curator: Client) -> None:
    make_published()
    offering = Offering.objects.get()
    curator.post(f"/admin/catalogue/offering/{offering.pk}/delete/", {"post": "yes"})
    assert PublishedModel.objects.current().get().content["offerings"] == []


def test_deleting_offerings_from_the_list_publishes_their_models(curator: Client) -> None:
    make_published()
    offering = Offering.objects.get()
    url = "/admin/catalogue/offering/"
    curator.post(url, {"action": "delete_selected", "_selected_action": [offering.pk], "post": "yes"})
    assert PublishedModel.objects.current().get().content["offerings"] == []


def test_offerings_are_switched_from_their_list(curator: Client) -> None:
    offering = make_offering()
    act(curator, "switch_off", offering)
    offering.refresh_from_db()
    assert not offering.is_enabled


def test_renaming_an_organisation_publishes_its_models(curator: Client) -> None:
    answer = edit(curator, make_published().organisation, name="Acme & Sons")
    assert "Published as edition" in said(answer)


def test_id_of_an_organisation_cannot_be_edited(curator: Client) -> None:
    edit(curator, make_organisation(), id="other")
    assert Organisation.objects.get().pk == "acme"


def test_renaming_a_provider_publishes_the_models_it_serves(curator: Client) -> None:
    make_published()
    edit(curator, Provider.objects.get(), name="Fast")
    content = PublishedModel.objects.current().get().content
    assert content["offerings"][0]["provider"]["name"] == "Fast"


def test_what_a_provider_says_of_data_publishes_the_models_it_serves(curator: Client) -> None:
    make_published()
    edit(curator, Provider.objects.get(), zero_retention="true", collects_data="false")
    (offering,) = facts_from_content(PublishedModel.objects.current().get().content).offerings
    assert (offering.zero_retention, offering.collects_data) == (True, False)
    edit(curator, Offering.objects.get(), zero_retention="false")
    (offering,) = facts_from_content(PublishedModel.objects.current().get().content).offerings
    assert (offering.zero_retention, offering.collects_data) == (False, False)


def test_edition_page_names_what_it_published_and_cannot_be_edited(curator: Client) -> None:
    make_published()
    url = f"/admin/catalogue/edition/{Edition.objects.get().pk}/change/"
    assert "acme/one" in curator.get(url).content.decode()
    assert curator.post(url, {"note": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("text image", ["text", "image"]),
        ("text,image ,\n text", ["text", "image"]),
        ('["text", "image"]', ["text", "image"]),
        ("", []),
    ],
)
def test_words_are_typed_with_commas_or_spaces(typed: str, words: list[str]) -> None:
    assert WordsField(required=False).clean(typed) == words


@pytest.mark.parametrize("typed", ["2026-06-01 12:00", "2026-06-01T12:00:00Z", "2026-06-01T14:00+02:00"])
def test_moments_are_understood_in_utc(typed: str) -> None:
    assert MomentField().clean(typed) == NOW


def test_errors_are_summed_up_on_top_with_the_way_to_each(curator: Client) -> None:
    make_model("acme/other", aliases=["uno"])
    page = add(curator, **{"name": "", "offerings-0-input_usd": "lots"}).text
    summary = re.search(r'<div class="errornote.*?</div>', page, re.DOTALL)
    assert summary
    links = re.findall(r'<a href="#([^"]+)">', summary[0])
    assert links == ["id_name", "id_offerings-0-input_usd", "id_aliases-0-name"]
    for link in links:
        assert f'id="{link}"' in page


def test_page_that_asks_before_deleting_says_who_would_miss_it(curator: Client) -> None:
    offering = make_offering(make_model("acme/one"), make_provider("fast"), upstream_name="large")
    key, _ = make_key(make_team("atlas", name="Atlas"), "batch jobs")
    for number in range(3):
        make_entry(key, model="acme/one", provider="fast", upstream_name="large", number=number)
    make_offering(make_model("acme/two"), make_provider("slow"), upstream_name="small")
    make_entry(key, model="acme/two", provider="slow", upstream_name="small")
    make_entry(key, model="acme/three", provider="other", upstream_name="small")
    for row in (offering, offering.model, offering.provider):
        page = curator.get(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/delete/").text
        assert "3 calls by 1 key" in page, row
        assert "batch jobs</a> of Atlas: 3 calls" in page
        other = type(row).objects.exclude(pk=row.pk).get()
        ticked = {"action": "delete_selected", "_selected_action": [row.pk, other.pk]}
        page = curator.post(f"/admin/{row._meta.app_label}/{row._meta.model_name}/", ticked).text
        assert "4 calls by 1 key" in page, row
        assert "went to the 2 selected" in page
        assert " instead: " in page
    page = curator.get(f"{MODELS}{offering.model.pk}/delete/").text
    assert f'href="{MODELS}{offering.model.pk}/change/#id_retirement_at"' in page


@pytest.mark.parametrize(
    ("served", "said", "outcome"),
    [
        ("one-large", "one-large at Fast: answered in", "can be called now."),
        ("another", "Fast answers, but its list has no one-large.", "will probably fail."),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_save_and_test_on_the_add_page_says_whether_a_call_gets_through(
    curator: Client, settings: Any, served: str, said: str, outcome: str
) -> None:
    with ScriptedProvider() as upstream:
        upstream.models = [served]
        settings.PRIVATE_ADDRESSES_ALLOWED = [upstream.address]
        make_provider("fast", name="Fast", base_url=upstream.base_url)
        assert 'name="catalogue_model_save_and_test"' in curator.get(f"{MODELS}add/").text
        answer = add(curator, catalogue_model_save_and_test="")
        page = curator.get(answer["Location"]).text
    assert answer["Location"] == f"{MODELS}{Model.objects.get().pk}/change/"
    assert said in page
    assert outcome in page


def test_pages_of_the_admin_come_compressed(curator: Client) -> None:
    answer = curator.get(MODELS, headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"

"""The pages around the model's form: what clients see, every price, editions compared and rolled back, conflicts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalogue.models import Alias, Edition, Model, Offering, Price, PublishedModel
from catalogue.publishing.editions import publish
from catalogue.quality.worklist import worklist_cache
from catalogue.services import delete_models
from providers.models import Provider
from tests.catalogue.test_admin import edit, form_values
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

MODELS, EDITIONS = "/admin/catalogue/model/", "/admin/catalogue/edition/"
MOST_QUERIES = 15


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    return client


@pytest.fixture
def other() -> Client:
    client = Client()
    client.force_login(make_staff("bea"))
    return client


def page_of(model: Model) -> str:
    return f"{MODELS}{model.pk}/change/"


def newest() -> int:
    return Edition.objects.latest("number").number


def rename(model: Model, name: str) -> None:
    Model.objects.filter(pk=model.pk).update(name=name)
    publish([model])


def errors(answer: Any) -> str:
    """What stands above the form."""
    assert answer.status_code == 200
    return " ".join(re.findall(r'<div class="errornote.*?</div>', answer.text, re.DOTALL))


def test_preview_marks_what_differs_from_the_live_record(curator: Client) -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(name="Uno")
    members = curator.get(page_of(model)).context["summary"].preview.members
    differing = [(member.live, member.text) for member in members if member.live is not None]
    assert differing == [('"name": "One"', '"name": "Uno",')]


def test_preview_is_the_record_that_clients_get(curator: Client) -> None:
    model = make_published(context_length=128)
    members = [
        member.text.rstrip(",") for member in curator.get(page_of(model)).context["summary"].preview.members
    ]
    assert {'"id": "acme/one"', '"is_routable": true', '"status": "active"'} <= set(members)


def test_model_that_breaks_a_rule_has_no_preview(curator: Client) -> None:
    model = make_published()
    Model.objects.filter(pk=model.pk).update(input_types="te xt")
    assert "There is no record to show" in curator.get(page_of(model)).text


def test_every_price_stands_on_the_models_page(curator: Client) -> None:
    model, now = make_published(), timezone.now()
    offering = Offering.objects.get()
    Price.objects.filter(meter="input_text_tokens").update(valid_to=now - timedelta(days=1))
    make_price(offering, "requests", valid_from=now + timedelta(days=1))
    table = curator.get(page_of(model)).context["summary"].prices[0]
    assert table.counts == "1 current, 1 coming, 1 past"
    assert [line.state for line in table.lines] == ["current", "coming", "past"]


def test_saved_offering_stays_at_its_provider(curator: Client) -> None:
    model, elsewhere = make_published(), make_provider("elsewhere")
    provider = Offering.objects.get().provider
    edit(curator, model, **{"offerings-0-provider": str(elsewhere.pk)})
    assert Offering.objects.get().provider == provider


def test_policy_of_an_alias_is_edited_beside_its_name(curator: Client) -> None:
    model = make_published(aliases=["uno"])
    edit(curator, model, **{"aliases-0-policy": "block"})
    assert PublishedModel.objects.current().get().content["alias_policies"] == {"uno": "block"}


def test_new_fields_are_edited_and_published(curator: Client) -> None:
    make_model("acme/zero")
    model = make_published()
    zero = Model.objects.get(public_id="acme/zero")
    fields = {
        "previous": str(zero.pk),
        "open_weights": "true",
        "licence": "MIT",
        "knowledge_cutoff": "2026-01-31",
    }
    edit(curator, model, **fields)
    content = PublishedModel.objects.current().get().content
    said = [content[name] for name in ("previous_id", "open_weights", "licence", "knowledge_cutoff")]
    assert said == ["acme/zero", True, "MIT", "2026-01-31"]


def test_second_editor_is_told_who_did_what_and_keeps_what_was_typed(curator: Client, other: Client) -> None:
    model = make_published()
    opened = form_values(curator.get(page_of(model)))
    edit(other, model, name="Uno")
    answer = curator.post(page_of(model), opened | {"name": "Ein", "offerings-0-input_usd": "7"})
    assert "bea at" in errors(answer)
    assert "name: One → Uno" in errors(answer)
    assert 'value="Ein"' in answer.text
    assert 'value="7"' in answer.text
    assert Model.objects.get().name == "Uno"


@pytest.mark.parametrize("act", ["price", "alias", "offering", "switch", "deletion", "command"])
def test_what_others_do_to_offerings_prices_and_aliases_counts_too(curator: Client, act: str) -> None:
    model = make_published(aliases=["uno"])
    offering = Offering.objects.get()
    opened = form_values(curator.get(page_of(model)))
    match act:
        case "price":
            make_price(offering, "requests")
        case "alias":
            Alias.objects.create(model=model, name="ein")
        case "offering":
            make_offering(model)
        case "switch":
            Offering.objects.update(is_enabled=False)
        case "deletion":
            offering.delete()
        case "command":
            Model.objects.update(source="read elsewhere")
    answer = curator.post(page_of(model), opened | {"name": "Ein"})
    assert "Somebody else saved" in errors(answer)
    assert Model.objects.get().name == "One"


def test_saving_without_a_change_is_no_conflict_for_others(curator: Client, other: Client) -> None:
    model = make_published()
    opened = form_values(curator.get(page_of(model)))
    edit(other, model)
    curator.post(page_of(model), opened | {"name": "Ein"})
    assert Model.objects.get().name == "Ein"


def test_form_with_a_stamp_that_nobody_gave_is_refused_in_words(curator: Client) -> None:
    model = make_published()
    assert "Open the page again" in errors(edit(curator, model, opened_at="yesterday x"))


def test_model_that_nobody_could_ever_call_is_published_with_a_warning(curator: Client) -> None:
    model = make_published()
    answer = edit(curator, model, **{"offerings-0-endpoints": "!chat.completion", "_continue": ""})
    told = [(each.level_tag, str(each)) for each in get_messages(answer.wsgi_request)]
    assert [tag for tag, text in told if "no call can go there" in text] == ["warning"]
    page = curator.get(page_of(model))
    assert "chat.completion, which nobody knows" in " ".join(page.context["summary"].uncallable)
    assert "No call can go there, whatever is connected." in page.text


def test_model_that_only_waits_for_a_provider_is_published_without_a_warning(curator: Client) -> None:
    model = make_published()
    Provider.objects.get().credential.delete()
    answer = edit(curator, model, name="Uno")
    assert not [text for each in get_messages(answer.wsgi_request) if "no call" in (text := str(each))]
    assert curator.get(page_of(model)).context["summary"].uncallable == []


def test_two_editions_are_compared_field_by_field(curator: Client) -> None:
    model = make_published()
    before = newest()
    rename(model, "Uno")
    make_published("acme/two")
    page = curator.get(f"{EDITIONS}compare/?from={before}&to={newest()}")
    kinds = [(each.pair.public_id, each.pair.kind) for each in page.context["differences"]]
    assert kinds == [("acme/one", "changed"), ("acme/two", "added")]
    assert "<del>One</del> <ins>Uno</ins>" in page.text


def test_editions_may_be_named_in_any_order_and_the_one_before_is_the_default(curator: Client) -> None:
    model = make_published()
    before = newest()
    rename(model, "Uno")
    for query in (f"from={newest()}&to={before}", f"to={newest()}", ""):
        context = curator.get(f"{EDITIONS}compare/?{query}").context
        assert (context["earlier"].number, context["later"].number) == (before, newest())


@pytest.mark.parametrize("query", ["from=x", "to=99", f"to={'9' * 30}"])
def test_edition_that_does_not_exist_is_not_found(curator: Client, query: str) -> None:
    make_published()
    assert curator.get(f"{EDITIONS}compare/?{query}").status_code == 404


def test_comparing_nothing_says_so(curator: Client) -> None:
    assert "No edition yet" in curator.get(f"{EDITIONS}compare/").text
    make_published()
    assert "No difference" in curator.get(f"{EDITIONS}compare/?from={newest()}&to={newest()}").text


@pytest.mark.parametrize(("ticked", "address"), [(2, "/compare/?from="), (1, None)])
def test_two_ticked_editions_are_compared(curator: Client, ticked: int, address: str | None) -> None:
    model = make_published()
    rename(model, "Uno")
    numbers = list(Edition.objects.values_list("number", flat=True))[:ticked]
    answer = curator.post(EDITIONS, {"action": "compare", "_selected_action": numbers})
    assert (address or EDITIONS) in answer["location"]


def test_model_is_rolled_back_after_a_look_at_what_changes(curator: Client) -> None:
    model = make_published()
    before = newest()
    rename(model, "Uno")
    address = f"{EDITIONS}{before}/rollback/?model=acme/one"
    assert "<del>Uno</del> <ins>One</ins>" in curator.get(address).text
    curator.post(address)
    assert PublishedModel.objects.current().get().content["name"] == "One"
    assert Edition.objects.latest("number").author.username == "ada"  # type: ignore[union-attr]


def test_whole_edition_is_rolled_back_from_its_page(curator: Client) -> None:
    make_published()
    before = newest()
    delete_models(Model.objects.all())
    assert f"{EDITIONS}{before}/rollback/" in curator.get(f"{EDITIONS}{before}/change/").text
    curator.post(f"{EDITIONS}{before}/rollback/")
    assert PublishedModel.objects.current().get().public_id == "acme/one"


def test_what_stands_in_the_way_is_said_instead_of_a_button(curator: Client) -> None:
    model = make_published()
    before, provider = newest(), Offering.objects.get().provider
    Offering.objects.all().delete()
    provider.delete()
    rename(model, "Uno")
    address = f"{EDITIONS}{before}/rollback/?model=acme/one"
    page = curator.get(address).text
    assert "no longer exists" in page
    assert "danger" not in page
    answer = curator.post(address)
    assert "Nothing was rolled back" in " ".join(map(str, get_messages(answer.wsgi_request)))


@pytest.mark.parametrize("address", ["99/rollback/", "{newest}/rollback/?model=acme/x"])
def test_what_no_edition_had_is_not_found(curator: Client, address: str) -> None:
    make_published()
    assert curator.get(EDITIONS + address.replace("{newest}", str(newest()))).status_code == 404


def test_who_may_only_look_does_not_roll_back(client: Client) -> None:
    make_published()
    client.force_login(make_user(is_staff=True))
    assert client.post(f"{EDITIONS}{newest()}/rollback/").status_code == 403
    assert client.get(f"{EDITIONS}compare/").status_code == 403


def test_editions_of_a_model_tell_what_each_changed(curator: Client) -> None:
    model = make_published()
    rename(model, "Uno")
    page = curator.get(f"{MODELS}{model.pk}/editions/").text
    assert "<del>One</del> <ins>Uno</ins>" in page
    assert page.count("Roll back to this") == 1
    assert page.index("Uno</ins>") < page.index("Published for the first time")


def test_editions_of_a_model_that_was_never_published(curator: Client) -> None:
    assert "Never published" in curator.get(f"{MODELS}{make_model().pk}/editions/").text


@pytest.fixture
def many() -> Model:
    """One model with 60 offerings of 5 prices, and 300 more models."""
    model = make_published("acme/big")
    providers = [make_provider() for _ in range(60)]
    offerings = Offering.objects.bulk_create(
        Offering(model=model, provider=provider, upstream_name="big", endpoints=["chat.completions"])
        for provider in providers
    )
    Price.objects.bulk_create(
        Price(offering=offering, meter="requests", amount=number, plan=f"plan-{number}")
        for offering in offerings
        for number in range(5)
    )
    Model.objects.bulk_create(
        Model(organisation=model.organisation, slug=f"m{n}", public_id=f"acme/m{n}", name=f"M{n}")
        for n in range(300)
    )
    publish_all()
    return model


ADDRESSES = [
    MODELS,
    "{model}change/",
    "{model}history/",
    "{model}editions/",
    f"{MODELS}worklist/",
    "/admin/catalogue/offering/",
    EDITIONS,
    f"{EDITIONS}compare/",
    "/admin/catalogue/organisation/",
    "/admin/accounts/auditentry/",
    "/admin/",
]


def test_every_page_takes_few_queries_for_many_rows(curator: Client, many: Model) -> None:
    worklist_cache.read()
    for address in ADDRESSES:
        url = address.replace("{model}", f"{MODELS}{many.pk}/")
        # What is kept for seconds may end just then.
        assert min(_queries(curator, url) for _ in range(3)) <= MOST_QUERIES, url


def _queries(curator: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert curator.get(url).status_code == 200, url
    return len(asked)


def test_model_with_many_offerings_is_saved_from_its_page(curator: Client, many: Model) -> None:
    edit(curator, many, name="Bigger", **{"offerings-7-input_usd": "3"})
    assert PublishedModel.objects.current().get(public_id="acme/big").content["name"] == "Bigger"
    assert Price.objects.filter(amount=3, meter="input_text_tokens").count() == 1

"""Names on a provider's list become offerings of models that are known, or models of their own."""

from datetime import date

import pytest

from catalogue.models import Edition, Model, Offering, PublishedModel
from catalogue.published.reading import read_now
from catalogue.upstream_names import MOST_ADDED, Added, add_names, callable_at, names_to_add
from providers.models import Provider
from tests.make import make_model, make_offering, make_provider, publish_all

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 1)


@pytest.fixture
def box() -> Provider:
    return make_provider("box")


def add(box: Provider, *names: str) -> Added:
    return add_names(box, names, author=None, on=DAY)


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ("openai/gpt-oss-20b", {"public_id": "openai/gpt-oss-20b"}),
        ("gpt-oss:20b", {"public_id": "openai/gpt-oss-20b", "aliases": ["gpt-oss-20b"]}),
        ("gpt-oss-20b:latest", {"public_id": "openai/gpt-oss-20b", "aliases": ["gpt-oss-20b"]}),
        ("OpenAI/GPT-OSS-20B", {"public_id": "openai/gpt-oss-20b"}),
    ],
)
def test_known_model_is_offered_there_too(box: Provider, listed: str, known: dict[str, str]) -> None:
    model = make_model(**known)
    assert add(box, listed).offered == [model]
    assert Offering.objects.get().upstream_name == listed


def test_name_that_another_provider_uses_is_known(box: Provider) -> None:
    offering = make_offering(upstream_name="meta-llama/Llama-3.1-8B")
    assert add(box, "meta-llama/llama-3.1-8b").offered == [offering.model]


def test_name_of_two_models_is_nobodys(box: Provider) -> None:
    for public_id in ("acme/one", "acme/two"):
        make_offering(make_model(public_id), upstream_name="tiny")
    assert [model.public_id for model in add(box, "tiny").new] == ["box/tiny"]


@pytest.mark.parametrize(
    ("listed", "public_id"),
    [
        ("llama3.2:3b", "box/llama3.2:3b"),
        ("Qwen/Qwen3-8B", "box/qwen-qwen3-8b"),
        ("/models/my model.gguf", "box/models-my-model.gguf"),
    ],
)
def test_unknown_name_becomes_a_model_of_the_server(box: Provider, listed: str, public_id: str) -> None:
    (model,) = add(box, listed).new
    assert (model.public_id, model.name, model.output_types) == (public_id, listed, ["text"])
    assert PublishedModel.objects.current().get().public_id == public_id


def test_name_that_says_so_embeds(box: Provider) -> None:
    add(box, "nomic-embed-text")
    offering = Offering.objects.get()
    assert (offering.endpoints, offering.streams) == (["embeddings"], False)
    assert offering.model.output_types == ["embeddings"]


def test_all_of_them_are_one_edition(box: Provider) -> None:
    add(box, "one", "two", "three")
    assert Edition.objects.count() == 1


def test_names_that_make_the_same_id_are_refused_after_the_first(box: Provider) -> None:
    added = add(box, "a/b", "a-b")
    assert [model.public_id for model in added.new] == ["box/a-b"]
    assert list(added.refused) == ["a-b"]


def test_name_of_nothing_but_signs_is_refused_with_the_reason(box: Provider) -> None:
    assert list(add(box, "///").refused) == ["///"]
    assert not Model.objects.exists()


def test_endpoint_that_the_format_lacks_is_refused() -> None:
    claude = make_provider("claude", wire_format="anthropic")
    assert "has no embeddings" in add(claude, "embed-one").refused["embed-one"]


def test_long_list_is_added_in_several_acts(box: Provider) -> None:
    names = [f"model-{number}" for number in range(MOST_ADDED + 2)]
    assert add(box, *names).left == 2
    assert names_to_add(box, names) == names[MOST_ADDED:]


def test_only_what_calls_can_go_to_counts_as_callable(box: Provider) -> None:
    make_offering(make_model("acme/one"), box, upstream_name="uno")
    make_offering(make_model("acme/off"), box, is_enabled=False)
    make_offering(make_model("acme/elsewhere"))
    publish_all()
    found = callable_at(box.pk, read_now())
    assert [(model.id, names) for model, names in found] == [("acme/one", frozenset({"uno"}))]

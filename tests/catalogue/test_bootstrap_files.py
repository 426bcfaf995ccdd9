"""The bootstrap files: what they say, and what a wrong one is answered with."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from shutil import copytree

import pytest
from django.conf import settings

from catalogue.bootstrap.check import DEMO_PROVIDERS
from catalogue.bootstrap.check import METERS as CHECKED_METERS
from catalogue.bootstrap.entries import Bootstrap, BootstrapError, OfferingEntry
from catalogue.bootstrap.loader import METERS
from catalogue.bootstrap.reader import FOLDER, read_bootstrap
from providers.operations.registry import KNOWN_QUIRKS
from providers.services import DEMO_SLUGS

AT = datetime(2026, 11, 22, tzinfo=UTC)
NATIVE_IDS = {
    "llama-3.3-70b-versatile": "meta/llama-3.3-70b-instruct",
    "gemini-2.0-flash": "google/gemini-2.0-flash",
    "gemini-2.0-flash-thinking-exp": "google/gemini-2.0-flash-thinking-exp",
    "gemini-2.5-flash": "google/gemini-2.5-flash",
    "@cf/meta/llama-3.3-70b-instruct-fp8-fast": "meta/llama-3.3-70b-instruct",
    "voyage-3": "voyage/voyage-3",
    "voyage-3.5": "voyage/voyage-3.5",
    "gpt-5-mini": "openai/gpt-5-mini",
    "claude-haiku-4-5-20251001": "anthropic/claude-haiku-4.5",
}
GPT_5 = "models/openai-gpt-5.toml"
SHARE = 0.9
SIX = {"groq", "gemini", "workers_ai", "openrouter", "cerebras", "voyage_ai"}
OTHERS = {"openai", "anthropic", "mistral", "cohere", "deepseek", "xai", "together", "fireworks", "nvidia"}
# Which models they serve is their owner's to say.
WITHOUT_MODELS = {"azure_openai", "amazon_bedrock", "ollama", "vllm", "llama_cpp"}
OTHERS |= {"sambanova", "perplexity", *WITHOUT_MODELS}


@pytest.fixture(scope="module")
def bootstrap() -> Bootstrap:
    return read_bootstrap()


# What the files say.


def test_there_are_44_published_organisations_and_the_demo(bootstrap: Bootstrap) -> None:
    ids = {entry.id for entry in bootstrap.organisations}
    assert len(ids - {"demo"}) == 44
    assert "demo" in ids


def test_the_six_published_providers_are_there_with_others_that_are_often_used(bootstrap: Bootstrap) -> None:
    assert {entry.slug for entry in bootstrap.providers} >= SIX | OTHERS


def test_there_are_120_models_of_20_providers(bootstrap: Bootstrap) -> None:
    assert len(bootstrap.models) >= 120
    assert len(bootstrap.providers) >= 20


def test_120_models_are_not_retired(bootstrap: Bootstrap) -> None:
    assert sum(entry.retirement_at is None or entry.retirement_at > AT for entry in bootstrap.models) >= 120


def test_nine_in_ten_models_state_context_and_both_prices(bootstrap: Bootstrap) -> None:
    complete = [
        entry
        for entry in bootstrap.models
        if entry.context_length
        and any({"input", "output"} <= _general(offering) for offering in entry.offerings)
    ]
    assert len(complete) >= SHARE * len(bootstrap.models)


def test_a_dozen_models_ended_and_as_many_are_about_to(bootstrap: Bootstrap) -> None:
    ends = [entry.retirement_at for entry in bootstrap.models if entry.retirement_at]
    assert sum(at <= AT for at in ends) >= 12
    assert sum(at > AT for at in ends) >= 12


def test_popular_open_weights_are_offered_by_many(bootstrap: Bootstrap) -> None:
    providers = {
        entry.public_id: {offering.provider for offering in entry.offerings} for entry in bootstrap.models
    }
    assert len(providers["openai/gpt-oss-120b"]) >= 8
    assert len(providers["z-ai/glm-5.2"]) >= 8
    assert sum(len(offered) >= 4 for offered in providers.values()) >= 30


def test_every_key_variable_is_one_that_credentials_may_read(bootstrap: Bootstrap) -> None:
    variables = {entry.variable for entry in bootstrap.providers if entry.variable}
    assert variables <= set(settings.CREDENTIAL_VARIABLES)


def test_every_quirk_is_known(bootstrap: Bootstrap) -> None:
    assert {quirk for entry in bootstrap.providers for quirk in entry.quirks} <= KNOWN_QUIRKS.keys()


def test_servers_of_ones_own_are_switched_off_and_on_this_machine(bootstrap: Bootstrap) -> None:
    own = [entry for entry in bootstrap.providers if not entry.variable]
    assert {entry.slug for entry in own} == {"ollama", "vllm", "llama_cpp"}
    for entry in own:
        assert entry.base_url.startswith("http://127.0.0.1:")
        assert not entry.is_enabled


def test_every_name_means_one_model(bootstrap: Bootstrap) -> None:
    names = [name for entry in bootstrap.models for name in (entry.public_id, *entry.aliases)]
    assert len(names) == len(set(names))


def test_native_ids_of_the_published_page_are_aliases(bootstrap: Bootstrap) -> None:
    aliases = {alias: entry.public_id for entry in bootstrap.models for alias in entry.aliases}
    assert NATIVE_IDS.items() <= aliases.items()


def test_every_organisation_of_a_model_has_a_row(bootstrap: Bootstrap) -> None:
    known = {entry.id for entry in bootstrap.organisations}
    assert {entry.organisation for entry in bootstrap.models} <= known


def test_every_offering_is_at_a_known_provider(bootstrap: Bootstrap) -> None:
    offered = {offering.provider for entry in bootstrap.models for offering in entry.offerings}
    assert offered == {entry.slug for entry in bootstrap.providers} - WITHOUT_MODELS | DEMO_PROVIDERS


def test_the_demo_providers_are_those_that_the_product_starts() -> None:
    assert set(DEMO_SLUGS) == DEMO_PROVIDERS


def test_every_checked_meter_can_be_written() -> None:
    assert set(METERS) == CHECKED_METERS


def _general(offering: OfferingEntry) -> set[str]:
    """Meters with a price that depends on nothing."""
    return {price.meter for price in offering.prices if price.input_tokens_above is None}


def test_dates_are_in_order(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            days = [day for day in (entry.release_at, entry.deprecation_at, entry.retirement_at) if day]
            assert all(earlier < later for earlier, later in pairwise(days))


def test_source_names_a_day(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            assert entry.organisation == "demo" or re.search(r"\b20\d\d-\d\d-\d\d\b", entry.source)


def test_successors_lead_to_a_model_that_does_not_end(
    subtests: pytest.Subtests, bootstrap: Bootstrap
) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            models = {model.public_id: model for model in bootstrap.models}
            last = entry
            while last.successor:
                last = models[last.successor]
            assert last.retirement_at is None


def test_a_model_follows_an_earlier_one(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            models = {model.public_id: model for model in bootstrap.models}
            followed = models[entry.follows].release_at if entry.follows else None
            assert not (followed and entry.release_at) or followed <= entry.release_at


def test_some_offering_lasts_as_long_as_its_model(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            ends = [offering.effective_to for offering in entry.offerings]
            assert None in ends or (
                entry.retirement_at and max(end for end in ends if end) >= entry.retirement_at
            )


def test_context_and_types_are_stated(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            assert entry.context_length
            assert entry.input_types
            assert entry.output_types
            assert entry.offerings


def test_prices_are_stated_for_every_offering(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            for offering in entry.offerings:
                needed = {"input"} if "embeddings" in offering.endpoints else {"input", "output"}
                assert needed <= _general(offering)


def test_a_model_that_ends_names_its_successor(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            assert bool(entry.successor) == bool(entry.retirement_at)


def test_what_is_embedded_is_not_streamed(subtests: pytest.Subtests, bootstrap: Bootstrap) -> None:
    for entry in bootstrap.models:
        with subtests.test(entry.public_id):
            is_embedding = "embeddings" in entry.output_types
            assert all(offering.streams != is_embedding for offering in entry.offerings)
            assert all(
                (offering.endpoints == ("embeddings",)) == is_embedding for offering in entry.offerings
            )


# What a wrong file is answered with.


def _edit(tmp_path: Path, name: str, old: str, new: str) -> Path:
    folder = tmp_path / "bootstrap"
    copytree(FOLDER, folder)
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("models/demo.toml", "context =", "contxt =", r"models/demo.toml: model 1: unknown: contxt"),
        ("models/demo.toml", 'slug = "chat"', "", r"models/demo.toml: model 1: slug is missing"),
        ("models/demo.toml", "128_000", '"many"', r"models/demo.toml: model 1: context is not of type int"),
        ("models/demo.toml", "2026-11-01", '"soon"', r"models/demo.toml: model 1: released is not a day"),
        ("models/demo.toml", "input = 0.10", "input = -1", r"offering 1: prices 1: input is not a price"),
        ("models/demo.toml", "input = 0.10", "inptu = 0.10", r"model 1 \(chat\): offering at demo-a: inptu"),
        ("models/demo.toml", "demo-a", "demo-z", r"model 1 \(chat\): provider demo-z is not in"),
        ("models/demo.toml", '["demo"]', '["demo/embed"]', r"\(chat\): demo/embed names more than one model"),
        ("models/demo.toml", '"demo"\n', '"dmeo"\n', r"model 1 \(chat\): organisation dmeo is not in"),
        (GPT_5, "retired = 2026-12-11", "retired = 2026-01-01", r"\(gpt-5\): released, dep"),
        (GPT_5, '"openai/gpt-6.1-terra"', '"openai/gpt-0"', r"successor openai/gpt-0 is not"),
        (
            GPT_5,
            '"openai/gpt-6-luna"',
            '"openai/gpt-5.4-nano"',
            r"successor openai/gpt-5.4-nano is not another",
        ),
        (GPT_5, 'follows = "', 'follows = "x', r"\(gpt-5.5\): follows xopenai/gpt-5.4 is not another model"),
        (
            GPT_5,
            '"structured", "tools"',
            '"strctured"',
            r"model 1: strctured is not one of budget, reasoning, sam",
        ),
        (GPT_5, "input_tokens_above", "tokens_above", r"offering 1: prices 2: when: unknown: tokens_above"),
        (
            GPT_5,
            "cached_read = 0.50, ",
            "",
            r"\(gpt-5.5\): offering at openai: cached_read has a price under a",
        ),
        (GPT_5, "open_weights = false", 'open_weights = "no"', r"model 1: open_weights is not of type bool"),
        ("models/voyage.toml", "[[model]]", "[[model", r"models/voyage.toml: .*line"),
        (
            "providers.toml",
            "probed = false\n",
            "probed = 0\n",
            r"providers.toml: workers_ai: probed is not of type",
        ),
        ("providers.toml", "always =", "allways =", r"providers.toml: groq: params of allways belong to no"),
        ("providers.toml", '["temperature",', '["stop",', r"providers.toml: groq: params hold stop 2 times"),
        (
            "providers.toml",
            'wire_format = "voyage"',
            'wire_format = "vojage"',
            r"voyage_ai: wire_format vojage is not one of anthropic, cohere, gemini, openai, responses, voyage",
        ),
        ("providers.toml", "embeds_texts_only", "embeds_text", r"workers_ai: embeds_text is not a quirk"),
        (
            "models/voyage.toml",
            'endpoints = ["embeddings"]',
            'endpoints = ["chat.completions"]',
            r"\(voyage-4-large\): voyage_ai speaks a wire format without chat.completions",
        ),
        ("organisations.toml", 'name = "Amazon", ', "", r"organisations.toml: amazon: name is missing"),
        ("providers.toml", 'name = "Groq"', r'name = "Gr\r\noq"', r"groq: name is more than one line"),
        ("models/demo.toml", 'upstream = "', r'upstream = "\u202e', r"upstream is more than one line"),
    ],
)
def test_a_wrong_file_is_refused_by_file_row_and_field(
    tmp_path: Path, name: str, old: str, new: str, complaint: str
) -> None:
    folder = _edit(tmp_path, name, old, new)
    with pytest.raises(BootstrapError, match=complaint):
        read_bootstrap(folder)


def test_successors_in_a_circle_are_refused(tmp_path: Path) -> None:
    ended = 'successor = "demo/{}"\ncontext'
    folder = _edit(tmp_path, "models/demo.toml", "context", ended.format("embed"))
    path = folder / "models/demo.toml"
    head, second = path.read_text(encoding="utf-8").split('slug = "embed"')
    path.write_text(
        f'{head}slug = "embed"{second.replace("context", ended.format("chat"), 1)}', encoding="utf-8"
    )
    with pytest.raises(BootstrapError, match=r"\(chat\): its successors lead in a circle"):
        read_bootstrap(folder)


def test_an_offering_takes_what_its_provider_names_for_its_features(bootstrap: Bootstrap) -> None:
    [llama] = [entry for entry in bootstrap.models if entry.public_id == "meta/llama-3.3-70b-instruct"]
    params = {offering.provider: set(offering.params) for offering in llama.offerings}
    assert {"max_tokens", "temperature", "tools"} <= params["groq"]
    assert "structured_outputs" not in params["groq"]
    assert "structured_outputs" in params["openrouter"]
    assert not params["sambanova"]

"""Patterns of models: what is refused, what is only warned of, and what they let a key call."""

import pytest
from django.test import Client

from accounts.patterns import PATTERNS_MAX, check_patterns, matches_any, warn_of
from gateway.core.refusals import InvalidField
from providers.models import Provider
from tests.make import make_key, make_published


@pytest.mark.parametrize(
    ("count", "length", "is_taken"),
    [(PATTERNS_MAX, 200, True), (PATTERNS_MAX + 1, 1, False), (1, 201, False)],
)
def test_patterns_have_a_number_and_a_length(count: int, length: int, is_taken: bool) -> None:
    patterns = ["x" * length] * count
    if is_taken:
        check_patterns(patterns)
    else:
        with pytest.raises(InvalidField):
            check_patterns(patterns)


@pytest.mark.parametrize(
    "pattern", ["acme/one", "*", "acme/*", "gpt-?", "acme/[a-c]*", "a/[!x]", "@cf/meta/llama", "a/b:free"]
)
def test_pattern_that_may_match_is_taken(pattern: str) -> None:
    check_patterns([pattern])


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("", "is not text"),
        (7, "is not text"),
        (None, "is not text"),
        ("a b", "has spaces"),
        ("a\n", "has spaces"),
        ("a\u202eb", "has spaces or characters that cannot be seen"),
        ("a/*,b/*", "has a comma"),
        ("a/*,", "has a comma"),
        ("acme/", "has a slash"),
        ("/one", "has a slash"),
        ("a//b", "has a slash"),
        ("[", "has a bracket"),
        ("]", "has a bracket"),
        ("a/[x", "has a bracket"),
        ("a/x]", "has a bracket"),
        ("a/[]", "has a bracket"),
    ],
)
def test_malformed_pattern_is_refused_with_what_is_wrong(pattern: object, fault: str) -> None:
    with pytest.raises(InvalidField, match=fault) as refusal:
        check_patterns(["acme/*", pattern])
    assert refusal.value.field == "model_patterns"


@pytest.mark.parametrize(
    ("field", "said"),
    [("model_patterns", "a model's id or alias"), ("denied_provider_patterns", "a provider's slug")],
)
def test_malformed_pattern_is_refused_with_what_it_would_be(field: str, said: str) -> None:
    with pytest.raises(InvalidField, match=f"^{field} holds '\\[', which .*; each is {said}"):
        check_patterns(["["], field)


@pytest.mark.parametrize(
    ("names", "pattern", "matches"),
    [
        (["acme/one"], "acme/*", True),
        (["acme/one"], "acme/one", True),
        (["acme/one"], "ACME/*", False),
        (["acme/one"], "one", False),
        (["acme/one", "one"], "one", True),
        (["acme/one"], "acme", False),
        ([], "*", False),
    ],
)
def test_pattern_matches_whole_names_as_they_are_spelt(names: list[str], pattern: str, matches: bool) -> None:
    assert matches_any(names, [pattern]) is matches


def test_pattern_is_warned_of_where_no_name_matches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.patterns.read_names", lambda: ["acme/one", "one"])
    monkeypatch.setattr("accounts.patterns.read_slugs", lambda: ["acme"])
    assert warn_of(["acme/*", "acme/two", "one"]) == ["No model matches 'acme/two' now."]
    assert warn_of(["one"], ["ac*", "acmee"]) == ["No provider matches 'acmee' now."]


@pytest.mark.django_db
def test_pattern_without_a_model_is_taken_and_warned_of() -> None:
    make_published("acme/one", aliases=["one"])
    assert warn_of(["acme/*", "one", "acme/two", "antropic/*"]) == [
        "No model matches 'acme/two' now.",
        "No model matches 'antropic/*' now.",
    ]
    slug = Provider.objects.get().slug
    assert warn_of([], [slug, "nobody-*"]) == ["No provider matches 'nobody-*' now."]
    assert warn_of([]) == []


@pytest.mark.django_db
def test_key_that_names_an_alias_may_call_its_model_and_no_other() -> None:
    make_published("acme/one", aliases=["one"])
    make_published("acme/two")
    _, text = make_key(model_patterns=["one"])
    listed = Client(headers={"authorization": f"Bearer {text}"}).get("/v1/models").json()["data"]
    assert [model["id"] for model in listed] == ["acme/one"]


@pytest.mark.django_db
def test_api_takes_such_a_pattern_and_says_so() -> None:
    make_published("acme/one")
    _, text = make_key(scope="management")
    client = Client(headers={"authorization": f"Bearer {text}"})
    issued = client.post(
        "/v1/keys", {"name": "a", "model_patterns": ["acme/*", "acme/two"]}, content_type="application/json"
    ).json()
    assert issued["warnings"] == ["No model matches 'acme/two' now."]
    changed = client.patch(
        f"/v1/keys/{issued['id']}", {"model_patterns": ["acme/one"]}, content_type="application/json"
    ).json()
    assert changed["warnings"] == []

"""What stands against a key's request, at, below and above each boundary."""

from typing import Any

import pytest

from accounts.keys import KeyFacts
from accounts.permits import judge, judge_project
from accounts.restrictions import (
    SURFACES,
    Restrictions,
    check_ip_ranges,
    check_lists,
    check_surfaces,
    read_networks,
)
from accounts.scopes import MEANT, check_scopes, scopes_of, word_for
from catalogue.endpoints import CALLED
from gateway.core.refusals import InvalidField
from tests.gateway.proxy.values import a_key


def restricted(**rules: Any) -> KeyFacts:
    return a_key(restrictions=Restrictions(**rules), projects={"blue": 7})


OFFICE = (read_networks(["192.0.2.0/24", "2001:db8::/32"]),)
BOTH = (*OFFICE, read_networks(["192.0.2.128/25"]))


@pytest.mark.parametrize(
    ("scope", "needed", "denied"),
    [
        ("inference", "inference", ""),
        ("inference", "catalogue", ""),
        ("inference", "usage", "scopes"),
        ("inference", "management", "scopes"),
        ("management", "inference", ""),
        ("management", "usage", ""),
        ("management", "management", ""),
        ("feed", "inference", "scopes"),
        ("feed", "", ""),
    ],
)
def test_what_the_one_word_of_a_key_has_always_let_it_do(scope: str, needed: str, denied: str) -> None:
    denial = judge(a_key(scope=scope), needed)
    assert (denial.param if denial else "") == denied


@pytest.mark.parametrize(
    ("rules", "surface", "address", "denied"),
    [
        ({"surfaces": ("messages",)}, "messages", "", ""),
        ({"surfaces": ("messages",)}, "responses", "", "surfaces"),
        ({"surfaces": ()}, "messages", "", "surfaces"),
        ({"surfaces": ()}, "", "", ""),
        ({"surfaces": None}, "messages", "", ""),
        ({"networks": OFFICE}, "", "192.0.1.255", "ip_ranges"),
        ({"networks": OFFICE}, "", "192.0.2.0", ""),
        ({"networks": OFFICE}, "", "192.0.2.255", ""),
        ({"networks": OFFICE}, "", "192.0.3.0", "ip_ranges"),
        ({"networks": OFFICE}, "", "2001:db7:ffff::1", "ip_ranges"),
        ({"networks": OFFICE}, "", "2001:db8::", ""),
        ({"networks": OFFICE}, "", "2001:db9::", "ip_ranges"),
        ({"networks": OFFICE}, "", "", "ip_ranges"),
        ({"networks": BOTH}, "", "192.0.2.127", "ip_ranges"),
        ({"networks": BOTH}, "", "192.0.2.128", ""),
    ],
)
def test_key_is_held_to_its_surfaces_and_its_addresses(
    rules: dict[str, Any], surface: str, address: str, denied: str
) -> None:
    denial = judge(restricted(**rules), "inference", surface=surface, address=address)
    assert (denial.param if denial else "") == denied


@pytest.mark.parametrize(
    ("rules", "named", "denied"),
    [
        ({}, "anything", ""),
        ({"has_free_projects": False}, "blue", ""),
        ({"has_free_projects": False}, "red", "project_id"),
        ({"has_free_projects": False}, "", ""),
        ({"project": "blue"}, "", ""),
        ({"project": "blue"}, "blue", ""),
        ({"project": "blue"}, "red", "project_id"),
        ({"project": "gone"}, "", "project"),
    ],
)
def test_project_of_a_key_wins_over_what_a_request_says(
    rules: dict[str, Any], named: str, denied: str
) -> None:
    denial = judge_project(restricted(**rules), named, "project_id")
    assert (denial.param if denial else "") == denied


@pytest.mark.parametrize(
    ("rules", "own", "may_call"),
    [
        ({"denied_models": ("acme/*",)}, (), False),
        ({"denied_models": ("acme/*",)}, ("acme/one",), False),
        ({"denied_models": ("short",)}, (), False),
        ({"denied_models": ("other/*",)}, (), True),
        ({"team_models": ("acme/*",)}, (), True),
        ({"team_models": ("acme/*",)}, ("acme/two",), False),
        ({"team_models": ("other/*",)}, ("acme/one",), False),
        ({"is_closed": True}, (), False),
        ({"is_closed": True}, ("acme/one",), True),
        ({"is_closed": True, "team_models": ("acme/one",)}, (), True),
    ],
)
def test_model_has_to_be_permitted_on_every_level_and_denied_on_none(
    rules: dict[str, Any], own: tuple[str, ...], may_call: bool
) -> None:
    key = a_key(restrictions=Restrictions(**rules), model_patterns=own)
    assert key.may_call("acme/one", ("short",)) is may_call


@pytest.mark.parametrize(
    ("rules", "permitted"),
    [
        ({}, True),
        ({"providers": (("acme-*",),)}, True),
        ({"providers": (("acme-*",), ("other",))}, False),
        ({"denied_providers": ("acme-cloud",)}, False),
        ({"denied_providers": ("other",)}, True),
        ({"providers": (("acme-*",),), "denied_providers": ("*-cloud",)}, False),
    ],
)
def test_provider_has_to_be_permitted_on_every_level_and_denied_on_none(
    rules: dict[str, Any], permitted: bool
) -> None:
    restrictions = Restrictions(**rules)
    assert restrictions.permits_provider("acme-cloud") is permitted
    assert restrictions.narrows_providers is bool(rules)


MANY = {f"p{number:02}": number for number in range(30)}


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        (lambda: judge(a_key(scope="feed"), "inference"), "This is a feed key"),
        (
            lambda: judge(a_key(), "usage"),
            "lacks the scope usage, which is needed to read usage; it has catalogue, inference.",
        ),
        (
            lambda: judge(restricted(networks=OFFICE), "", address="192.0.3.1"),
            "may not be used from 192.0.3.1.",
        ),
        (lambda: judge(restricted(networks=OFFICE), ""), "from an address that nobody knows."),
        (
            lambda: judge(restricted(surfaces=("messages", "responses")), "", surface="x"),
            "it may call messages, responses.",
        ),
        (
            lambda: judge_project(restricted(has_free_projects=False), "red", "project_id"),
            "Its projects: blue.",
        ),
        (
            lambda: judge_project(
                a_key(restrictions=Restrictions(has_free_projects=False)), "red", "project_id"
            ),
            "It has no project yet.",
        ),
        (
            lambda: judge_project(
                a_key(restrictions=Restrictions(has_free_projects=False), projects=MANY), "x", "p"
            ),
            "p18, p19.",
        ),
    ],
)
def test_denial_says_what_is_permitted(judged: Any, said: str) -> None:
    assert said in judged().message


def test_every_surface_that_is_called_can_be_named() -> None:
    assert set(SURFACES) == set(CALLED)


@pytest.mark.parametrize(
    ("check", "values", "said"),
    [
        (check_scopes, ["admin"], "use any of inference, catalogue, usage, management, feed"),
        (check_scopes, ["feed", "catalogue"], "feed stands alone"),
        (check_surfaces, ["chat"], "use any of chat.completions"),
        (check_ip_ranges, ["192.0.2.1/24"], "has bits behind its mask"),
        (check_ip_ranges, ["office"], "is not an address"),
        (check_ip_ranges, ["1" * 65], "is not an address"),
        (check_ip_ranges, [7], "is not an address"),
        (check_ip_ranges, ["192.0.2.1"] * 101, "more than 100"),
    ],
)
def test_bad_term_is_refused_with_what_is_allowed(check: Any, values: Any, said: str) -> None:
    with pytest.raises(InvalidField, match=said) as refusal:
        check(values)
    assert refusal.value.field == check.__name__.removeprefix("check_")


@pytest.mark.parametrize(
    ("field", "bad"), [("surfaces", "chat"), ("ip_ranges", "messages"), ("provider_patterns", "a b")]
)
def test_each_list_is_checked_as_what_it_holds(field: str, bad: str) -> None:
    good = {"surfaces": ["messages"], "ip_ranges": ["192.0.2.1"] * 100, "provider_patterns": ["messages"]}
    check_lists(good)
    with pytest.raises(InvalidField) as refusal:
        check_lists(good | {field: [bad]})
    assert refusal.value.field == field


@pytest.mark.parametrize("word", MEANT)
def test_set_of_a_word_has_that_word(word: str) -> None:
    assert word_for(MEANT[word]) == word
    assert scopes_of(word, []) == MEANT[word]


@pytest.mark.parametrize(
    ("scopes", "word"),
    [
        (["catalogue"], "feed"),
        (["usage"], "feed"),
        (["inference"], "inference"),
        (["management"], "management"),
    ],
)
def test_word_of_a_set_lets_no_older_process_call_models_for_it(scopes: list[str], word: str) -> None:
    assert word_for(scopes) == word

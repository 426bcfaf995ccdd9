"""What calls keep to: which regions a word stands for, and that what is unknown fulfils nothing."""

from dataclasses import dataclass
from typing import Any

import pytest

from accounts.floors import Floor, check_quantizations, is_quantization, join
from accounts.regions import are_within, check_regions, is_region, is_within, stands_for
from gateway.core.refusals import InvalidField


@pytest.mark.parametrize(
    ("word", "region", "expected"),
    [
        ("eu", "eu", True),
        ("eu", "eu-west-1", True),
        ("eu", "eu-central-1", True),
        ("eu", "europe-west4", True),
        ("eu", "europe-west12", True),
        ("eu", "europe-north1", True),
        ("eu", "westeurope", True),
        ("eu", "swedencentral", True),
        ("eu", "fr", True),
        ("eu", "fr-par", True),
        ("eu", "eusc-de-east-1", True),
        # London and Zurich.
        ("eu", "eu-west-2", False),
        ("eu", "eu-west-2-lon-1a", False),
        ("eu", "eu-central-2", False),
        ("eu", "europe-west2", False),
        ("eu", "europe-west6", False),
        ("eu", "uksouth", False),
        ("eu", "ch", False),
        ("eu", "gb", False),
        # All of Europe is more than its Union.
        ("eu", "europe", False),
        ("eu", "euro", False),
        ("eu", "global", False),
        ("eu", "us", False),
        ("europe", "europe-west2", True),
        ("eu-west", "eu-west-2", True),
        ("us", "us", True),
        ("us", "us-east-1", True),
        ("us", "us-central1", True),
        ("us", "usa", False),
        ("us-east-1", "us", False),
        ("us-east-1", "us-east-1", True),
        ("us-east-1", "us-east-2", False),
        ("global", "global", True),
        ("global", "eu", False),
    ],
)
def test_a_word_stands_for_itself_for_what_it_begins_and_eu_for_the_union(
    word: str, region: str, expected: bool
) -> None:
    assert stands_for(word, region) is expected


@pytest.mark.parametrize(
    ("word", "wider", "expected"),
    [
        ("eu", "eu", True),
        ("eu-west-1", "eu", True),
        ("de", "eu", True),
        ("westeurope", "eu", True),
        # Would stand for London, too.
        ("eu-west", "eu", False),
        ("europe", "eu", False),
        ("eu-west-2", "eu", False),
        ("eu", "europe", False),
        ("us-east-1", "us", True),
        ("us", "us-east-1", False),
        ("us", "us", True),
    ],
)
def test_a_word_is_within_another_that_stands_for_all_that_it_stands_for(
    word: str, wider: str, expected: bool
) -> None:
    assert is_within(word, wider) is expected


@pytest.mark.parametrize(
    ("regions", "words", "expected"),
    [
        (("eu",), ("eu",), True),
        (("eu", "us"), ("eu",), False),
        (("eu", "us"), ("eu", "us"), True),
        (("eu-west-1", "europe-west4"), ("eu",), True),
        (("eu-west-1", "eu-west-2"), ("eu",), False),
        (("global",), ("eu", "us"), False),
        ((), ("eu",), False),
        (("eu",), (), False),
    ],
)
def test_what_runs_in_several_regions_has_to_be_within_with_all_of_them(
    regions: tuple[str, ...], words: tuple[str, ...], expected: bool
) -> None:
    assert are_within(regions, words) is expected


@dataclass(frozen=True)
class Offered:
    regions: tuple[str, ...] = ()
    quantization: str | None = None
    zero_retention: bool | None = None
    collects_data: bool | None = None


@pytest.mark.parametrize(
    ("floor", "offered", "reason"),
    [
        (Floor(), Offered(), ""),
        (Floor(regions=(("eu",),)), Offered(), "floor:regions"),
        (Floor(regions=(("eu",),)), Offered(regions=("eu", "us")), "floor:regions"),
        (Floor(regions=(("eu",),)), Offered(regions=("eu-west-1",)), ""),
        (Floor(regions=(("eu",), ("de", "us"))), Offered(regions=("fr",)), "floor:regions"),
        (Floor(regions=(("eu",), ("de", "us"))), Offered(regions=("us",)), "floor:regions"),
        (Floor(regions=(("eu",), ("de", "us"))), Offered(regions=("de",)), ""),
        (Floor(zero_retention=True), Offered(), "floor:zero_retention"),
        (Floor(zero_retention=True), Offered(zero_retention=False), "floor:zero_retention"),
        (Floor(zero_retention=True), Offered(zero_retention=True), ""),
        (Floor(no_data_collection=True), Offered(), "floor:no_data_collection"),
        (Floor(no_data_collection=True), Offered(collects_data=True), "floor:no_data_collection"),
        (Floor(no_data_collection=True), Offered(collects_data=False), ""),
        (Floor(quantizations=("bf16",)), Offered(), "floor:quantizations"),
        (Floor(quantizations=("bf16",)), Offered(quantization="fp8"), "floor:quantizations"),
        (Floor(quantizations=("bf16",)), Offered(quantization="bf16"), ""),
        (Floor(quantizations=("bf16", "unknown")), Offered(), ""),
        (Floor(quantizations=()), Offered(quantization="bf16"), "floor:quantizations"),
    ],
)
def test_what_is_unknown_or_otherwise_does_not_fulfil_a_floor(
    floor: Floor, offered: Offered, reason: str
) -> None:
    assert floor.reason_against(offered) == reason


@pytest.mark.parametrize(
    ("given", "floor"),
    [
        ({}, None),
        ({"regions": (["us", "eu"], [])}, Floor(regions=(("eu", "us"),))),
        ({"regions": (["us"], ["eu"])}, Floor(regions=(("us",), ("eu",)))),
        ({"quantizations": (["fp8", "bf16"], ["bf16", "fp4"])}, Floor(quantizations=("bf16",))),
        ({"quantizations": (["fp8"], ["bf16"])}, Floor(quantizations=())),
        ({"flags": ((False, True), (True, False))}, Floor(zero_retention=True, no_data_collection=True)),
    ],
)
def test_a_key_keeps_to_what_it_and_its_team_ask_for_together(
    given: dict[str, Any], floor: Floor | None
) -> None:
    nothing: dict[str, Any] = {
        "regions": ([], []),
        "quantizations": ([], []),
        "flags": ((False, False), (False, False)),
    }
    assert join(**{**nothing, **given}) == floor


@pytest.mark.parametrize(
    ("floor", "words"),
    [
        (Floor(), []),
        (Floor(regions=(("de", "eu"), ("eu",))), ["regions de, eu", "regions eu"]),
        (Floor(zero_retention=True), ["zero data retention"]),
        (Floor(no_data_collection=True), ["no data collection"]),
        (Floor(quantizations=("bf16", "fp8")), ["quantizations bf16, fp8"]),
        (Floor(quantizations=()), ["quantizations none"]),
    ],
)
def test_a_floor_is_told_in_words(floor: Floor, words: list[str]) -> None:
    assert list(floor.in_words()) == words


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("eu", True),
        ("europe-west4", True),
        ("a" * 40, True),
        ("a" * 41, False),
        ("EU", False),
        ("-eu", False),
        ("", False),
        ("eu west", False),
        (7, False),
        (None, False),
    ],
)
def test_a_region_is_one_word_in_lower_case_of_up_to_forty_letters(word: object, is_one: bool) -> None:
    assert is_region(word) is is_one


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("fp8", True),
        ("unknown", True),
        ("q4_k.m-x", True),
        ("a" * 20, True),
        ("a" * 21, False),
        ("FP8", False),
        ("_fp8", False),
        ("", False),
        (8, False),
        (None, False),
    ],
)
def test_a_quantization_is_one_word_in_lower_case_of_up_to_twenty_letters(word: object, is_one: bool) -> None:
    assert is_quantization(word) is is_one


@pytest.mark.parametrize("check", [check_regions, check_quantizations])
def test_lists_hold_up_to_sixty_four_words_each_of_which_is_one(check: Any) -> None:
    check([])
    check(["eu"] * 64)
    with pytest.raises(InvalidField, match="holds more than 64 words"):
        check(["eu"] * 65)
    with pytest.raises(InvalidField, match=f"holds '{'X' * 40}'; each is"):
        check(["eu", "X" * 41])

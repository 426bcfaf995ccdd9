import pytest
from rest_framework import serializers

from gateway.core.choice_field import ChoiceField


@pytest.mark.parametrize("given", ["2h", "", "1H", 1, "1h "])
def test_wrong_choice_is_told_what_is_allowed(given: object) -> None:
    with pytest.raises(serializers.ValidationError) as refused:
        ChoiceField(choices=["15m", "1h"]).run_validation(given)
    assert refused.value.detail == [f'must be one of 15m, 1h, not "{given}".']


def test_right_choice_is_taken() -> None:
    assert ChoiceField(choices=[("day", "A day"), ("week", "A week")]).run_validation("week") == "week"

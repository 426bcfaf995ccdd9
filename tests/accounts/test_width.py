"""Nobody makes a key wider than what they have."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Key, Team
from accounts.patterns import is_within
from accounts.scopes import MEANT
from accounts.width import check_ceilings, check_floor, check_not_wider
from gateway.core.refusals import InvalidField

AT = datetime(2026, 6, 1, tzinfo=UTC)
LATER = AT + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("pattern", "wider", "expected"),
    [
        ("acme/one", "acme/one", True),
        ("acme/one", "*", True),
        ("acme/one", "acme/*", True),
        ("acme/one", "acme/on?", True),
        ("acme/one", "acme/[op]ne", True),
        ("acme/one", "other/*", False),
        ("acme/*", "acme/*", True),
        ("acme/o*", "acme/*", True),
        ("acme/*", "acme/o*", False),
        ("*", "acme/*", False),
        # A star that is read as a letter would fit: it matches more than one.
        ("acme/*", "acme/?", False),
        ("acme/*", "acme/[*]", False),
        ("acme/?", "acme/*", False),
        ("acme/[ab]", "*[b]", False),
        ("acme/[ab]", "acme/[ab]", True),
        ("acme/[ab]", "*b*", False),
    ],
)
def test_pattern_is_within_another_where_that_can_be_seen(pattern: str, wider: str, expected: bool) -> None:
    assert is_within(pattern, wider) is expected


def fault_of(check: Any, *given: Any) -> str:
    """The field that is refused; empty where none is."""
    try:
        check(*given)
    except InvalidField as refusal:
        return refusal.field
    return ""


def key(**fields: Any) -> Key:
    return Key(**{"scope": "management", "scopes": sorted(MEANT["management"]), **fields})


@pytest.mark.parametrize(
    ("maker", "made", "field"),
    [
        ({"scopes": ["management"]}, {"scopes": ["inference"]}, "scopes"),
        ({"scopes": ["management", "usage"]}, {"scopes": ["usage"]}, ""),
        ({"scopes": ["management", "catalogue"]}, {"scope": "feed", "scopes": ["feed"]}, ""),
        ({"scopes": ["management"]}, {"scope": "feed", "scopes": ["feed"]}, "scopes"),
        ({"model_patterns": ["acme/*"]}, {}, "model_patterns"),
        ({"model_patterns": ["acme/*"]}, {"model_patterns": ["acme/one", "other/one"]}, "model_patterns"),
        ({"model_patterns": ["acme/*"]}, {"model_patterns": ["acme/one"]}, ""),
        ({"denied_model_patterns": ["acme/two"]}, {}, "denied_model_patterns"),
        ({"denied_model_patterns": ["acme/two"]}, {"denied_model_patterns": ["acme/*"]}, ""),
        ({"provider_patterns": ["acme"]}, {}, "provider_patterns"),
        ({"provider_patterns": ["acme"]}, {"provider_patterns": ["acme"]}, ""),
        ({"denied_provider_patterns": ["acme"]}, {}, "denied_provider_patterns"),
        ({"surfaces": ["messages"]}, {}, "surfaces"),
        ({"surfaces": ["messages"]}, {"surfaces": ["messages", "responses"]}, "surfaces"),
        ({"surfaces": ["messages", "responses"]}, {"surfaces": ["messages"]}, ""),
        ({"surfaces": ["messages"]}, {"surfaces": ["messages"]}, ""),
        ({"ip_ranges": ["192.0.2.0/24"]}, {}, "ip_ranges"),
        ({"ip_ranges": ["192.0.2.0/24"]}, {"ip_ranges": ["192.0.2.0/23"]}, "ip_ranges"),
        ({"ip_ranges": ["192.0.2.0/24"]}, {"ip_ranges": ["2001:db8::1"]}, "ip_ranges"),
        ({"ip_ranges": ["192.0.2.0/24"]}, {"ip_ranges": ["192.0.2.255"]}, ""),
        ({"project_id": 1}, {}, "project"),
        ({"project_id": 1}, {"project_id": 1}, ""),
        ({"expires_at": AT}, {}, "expires_at"),
        ({"expires_at": AT}, {"expires_at": LATER}, "expires_at"),
        ({"expires_at": AT}, {"expires_at": AT}, ""),
        ({}, {"model_patterns": ["acme/*"], "project_id": 1, "expires_at": AT}, ""),
    ],
)
def test_key_is_no_wider_than_the_one_that_makes_it(
    maker: dict[str, Any], made: dict[str, Any], field: str
) -> None:
    assert fault_of(check_not_wider, key(**made), key(**maker)) == field


@pytest.mark.parametrize("field", ["model_patterns", "ip_ranges"])
def test_refusal_names_ten_of_what_the_maker_has(field: str) -> None:
    own = [f"192.0.2.{number}" for number in range(20)]
    with pytest.raises(InvalidField, match=r"192\.0\.2\.8, 192\.0\.2\.9\.$"):
        check_not_wider(key(), key(**{field: own}))


def test_refusal_says_what_was_asked_for() -> None:
    with pytest.raises(InvalidField, match="concurrency is null; keys of this team have at most 5"):
        check_ceilings({"concurrency": None}, CAPPED, AT)
    with pytest.raises(InvalidField, match=r"expires_at is 2026-08-\d\dT"):
        check_ceilings({"expires_at": AT + timedelta(days=70)}, CAPPED, AT)


CAPPED = Team(key_requests_per_minute_most=60, key_concurrency_most=5, key_days_most=30)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"requests_per_minute": 60}, ""),
        ({"requests_per_minute": 61}, "requests_per_minute"),
        ({"requests_per_minute": None}, "requests_per_minute"),
        ({"concurrency": 5}, ""),
        ({"concurrency": 6}, "concurrency"),
        ({"expires_at": AT + timedelta(days=30)}, ""),
        ({"expires_at": AT + timedelta(days=30, seconds=1)}, "expires_at"),
        ({"expires_at": None}, "expires_at"),
        ({"name": "nothing of it"}, ""),
    ],
)
def test_key_is_held_to_the_ceilings_of_its_team(values: dict[str, Any], field: str) -> None:
    assert fault_of(check_ceilings, values, CAPPED, AT) == field
    assert not fault_of(check_ceilings, values, Team(), AT)


@pytest.mark.parametrize(
    ("maker", "made", "field"),
    [
        ({"regions": ["eu"]}, {}, "regions"),
        ({"regions": ["eu"]}, {"regions": ["europe"]}, "regions"),
        ({"regions": ["eu"]}, {"regions": ["eu", "us"]}, "regions"),
        ({"regions": ["eu"]}, {"regions": ["eu-west-1", "de"]}, ""),
        ({"quantizations": ["bf16"]}, {}, "quantizations"),
        ({"quantizations": ["bf16"]}, {"quantizations": ["bf16", "fp8"]}, "quantizations"),
        ({"quantizations": ["bf16", "fp8"]}, {"quantizations": ["fp8"]}, ""),
        ({"zero_retention": True}, {}, "zero_retention"),
        ({"zero_retention": True}, {"zero_retention": True}, ""),
        ({"no_data_collection": True}, {"zero_retention": True}, "no_data_collection"),
        ({}, {"regions": ["eu"], "zero_retention": True}, ""),
    ],
)
def test_key_keeps_to_no_less_than_the_one_that_makes_it(
    maker: dict[str, Any], made: dict[str, Any], field: str
) -> None:
    assert fault_of(check_floor, key(**made), key(**maker)) == field

"""Changes to providers reach every process, and facts say what can be called."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import revision
from providers import services
from providers.models import Credential, ProbeResult, Provider
from providers.probes import ProbeOutcome

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("credential_key")]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD, BAD = ProbeOutcome(True, 200, 5.0), ProbeOutcome(False, 503, 5.0, "answers with an error (503)")


def make_provider(slug: str = "groq", **fields: Any) -> Provider:
    return Provider.objects.create(
        **{"slug": slug, "name": slug, "base_url": f"https://{slug}.example/v1"} | fields
    )


def with_credential(provider: Provider, **fields: Any) -> Credential:
    return Credential.objects.create(provider=provider, **fields)


def record(provider: Provider, *outcomes: ProbeOutcome) -> str:
    """Probes in a row, a minute apart; the health after them."""
    for minute, outcome in enumerate(outcomes):
        at = NOW + timedelta(minutes=minute)
        services.record_probe(provider_id=provider.pk, outcome=outcome, at=at)
    provider.refresh_from_db()
    return provider.health


def test_facts_carry_the_stored_secret_but_not_in_their_repr() -> None:
    credential = Credential(provider=make_provider())
    services.store_secret(credential=credential, secret="gsk_secret")
    facts = services.provider_facts()[credential.provider_id]
    assert (facts.secret, facts.is_callable) == ("gsk_secret", True)
    assert "gsk_secret" not in repr(facts)


def test_facts_cost_two_queries(django_assert_num_queries: Any) -> None:
    for number in range(5):
        with_credential(make_provider(f"p{number}"), kind="none")
    with django_assert_num_queries(2):
        assert len(services.provider_facts()) == 5


def test_variable_that_is_set_makes_its_provider_usable(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CREDENTIAL_ORIGINS = {"GROQ_API_KEY": {"https://groq.example"}}
    credential = with_credential(make_provider(), kind="env", variable="GROQ_API_KEY")
    assert services.usable_provider_ids() == set()
    monkeypatch.setenv("GROQ_API_KEY", "from-environment")
    assert services.usable_provider_ids() == {credential.provider_id}
    assert services.provider_facts()[credential.provider_id].secret == "from-environment"


@pytest.mark.parametrize(
    ("fields", "is_usable"),
    [
        ({"kind": "none"}, True),
        ({"kind": "none", "is_enabled": False}, False),
        ({"kind": "stored"}, False),
        ({"kind": "stored", "ciphertext": "damaged"}, False),
        ({"kind": "env", "variable": "HOME"}, False),
    ],
)
def test_facts_and_listings_agree_on_what_is_usable(fields: dict[str, Any], is_usable: bool) -> None:
    provider = with_credential(make_provider(), **fields).provider
    assert services.provider_facts()[provider.pk].is_usable is is_usable
    assert services.usable_provider_ids() == ({provider.pk} if is_usable else set())


def test_provider_without_credential_is_not_usable() -> None:
    provider = make_provider()
    assert not services.provider_facts()[provider.pk].is_usable


def test_switching_off_bumps_the_revision_once() -> None:
    provider = make_provider()
    services.switch_provider(provider=provider, is_enabled=False)
    services.switch_provider(provider=provider, is_enabled=False)
    assert (revision.read().number, revision.read().providers) == (1, 1)
    assert not Provider.objects.get().is_enabled


@pytest.mark.parametrize("change", ["save", "delete", "secret", "credential"])
def test_every_change_bumps_the_revision(change: str) -> None:
    credential = with_credential(make_provider(), kind="none")
    {
        "save": lambda: services.save_provider(provider=credential.provider),
        "delete": lambda: services.delete_provider(provider=credential.provider),
        "secret": lambda: services.store_secret(credential=credential, secret="s"),
        "credential": lambda: services.save_credential(credential=credential),
    }[change]()
    assert revision.read().providers == 1


def test_new_host_loses_secret_and_health() -> None:
    credential = Credential(provider=make_provider(health="healthy"))
    services.store_secret(credential=credential, secret="gsk_secret")
    provider = credential.provider
    provider.base_url = "https://elsewhere.example/v1"
    services.save_provider(provider=provider)
    credential.refresh_from_db()
    assert (credential.ciphertext, provider.health) == ("", "unknown")


def test_new_path_keeps_the_secret() -> None:
    credential = Credential(provider=make_provider())
    services.store_secret(credential=credential, secret="gsk_secret")
    credential.provider.base_url = "https://groq.example:443/v2"
    services.save_provider(provider=credential.provider)
    credential.refresh_from_db()
    assert credential.ciphertext


def test_secret_is_dropped_with_its_kind() -> None:
    credential = Credential(provider=make_provider())
    services.store_secret(credential=credential, secret="gsk_secret")
    credential.kind = "none"
    services.save_credential(credential=credential)
    assert Credential.objects.get().ciphertext == ""


@pytest.mark.parametrize(
    ("outcomes", "health"),
    [
        ([GOOD], "healthy"),
        ([BAD], "unknown"),
        ([BAD, BAD], "unhealthy"),
        ([GOOD, BAD], "healthy"),
        ([GOOD, BAD, BAD], "unhealthy"),
        ([BAD, BAD, GOOD], "healthy"),
    ],
)
def test_health_follows_probes(outcomes: list[ProbeOutcome], health: str) -> None:
    assert record(make_provider(), *outcomes) == health


def test_only_a_change_of_health_bumps_the_revision() -> None:
    provider = make_provider()
    record(provider, GOOD, GOOD, BAD, GOOD)
    assert revision.read().number == 1
    assert provider.health_changed_at == NOW


def test_probe_results_are_pruned_to_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PROBES_KEPT", 3)
    provider, other = make_provider(), make_provider("other")
    record(other, GOOD)
    record(provider, *[GOOD] * 5)
    kept = ProbeResult.objects.filter(provider=provider).values_list("at", flat=True)
    assert [at.minute for at in kept] == [4, 3, 2]
    assert other.probe_results.count() == 1


def test_demo_providers_are_made_once() -> None:
    services.ensure_demo_providers(4000)
    before = revision.read().number
    services.ensure_demo_providers(4000)
    assert (revision.read().number, services.demo_port()) == (before, 4000)
    assert [facts.is_callable for facts in services.provider_facts().values()] == [True, True]


def test_demo_providers_follow_their_server_and_stay_switched_off() -> None:
    services.ensure_demo_providers(4000)
    services.switch_provider(provider=Provider.objects.get(slug="demo-a"), is_enabled=False)
    services.ensure_demo_providers(4001)
    moved = Provider.objects.get(slug="demo-a")
    assert (moved.base_url, moved.is_enabled) == ("http://127.0.0.1:4001/demo-a/v1", False)


def test_own_provider_of_a_demo_slug_is_left_alone() -> None:
    own = make_provider("demo-a")
    services.ensure_demo_providers(4000)
    own.refresh_from_db()
    assert (own.base_url, own.is_demo) == ("https://demo-a.example/v1", False)


def test_no_demo_provider_has_no_port() -> None:
    assert services.demo_port() is None


def test_door_lets_demo_addresses_through_and_no_other_private_one() -> None:
    services.ensure_demo_providers(4000)
    policy = services.outbound_policy()
    assert policy.refusal("127.0.0.1", 4000, "127.0.0.1") is None
    assert policy.refusal("127.0.0.1", 4001, "127.0.0.1")


def test_demo_server_on_another_machine_is_let_through_by_its_name() -> None:
    services.ensure_demo_providers(4000, host="demo")
    policy = services.outbound_policy()
    assert policy.refusal("demo", 4000, "172.18.0.4") is None
    assert policy.refusal("demo", 22, "172.18.0.4")

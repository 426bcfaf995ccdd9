"""What staff may not enter for a provider is refused at the field that holds it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from gateway.core.outbound import OutboundPolicy
from providers import services, validators
from providers.models import Credential, Provider
from providers.origins import origin_of

pytestmark = pytest.mark.django_db


def refusals(row: Any) -> dict[str, list[str]]:
    """Field → messages; empty if the row is accepted."""
    try:
        row.full_clean()
    except ValidationError as error:
        return error.message_dict
    return {}


def provider_at(base_url: str, **fields: Any) -> Provider:
    return Provider(**{"slug": "some", "name": "Some", "base_url": base_url} | fields)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "https://10.1.2.3/v1",
        "https://169.254.169.254/latest",
        "https://[::1]/v1",
        "https://[::ffff:127.0.0.1]/v1",
        "https://2130706433/v1",
        "https://0x7f.1/v1",
        "https://localhost/v1",
        "http://api.groq.com/v1",
        "https://user:pass@api.groq.com/v1",
        "https://api.groq.com/v1?key=1",
        "ftp://api.groq.com/v1",
        "api.groq.com/v1",
        "https://",
        "https://api.groq.com:99999/v1",
        "",
    ],
)
def test_base_url_is_refused_at_its_field(url: str) -> None:
    assert list(refusals(provider_at(url))) == ["base_url"]


def test_name_that_resolves_to_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validators, "resolve_name", lambda host, port: ["93.184.216.34", "10.0.0.7"])
    assert "10.0.0.7" in refusals(provider_at("https://rebound.example/v1"))["base_url"][0]


def test_name_that_cannot_be_resolved_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise OSError("no name server")

    monkeypatch.setattr(validators, "resolve_name", fail)
    assert refusals(provider_at("https://api.new.example/v1")) == {}


def test_setting_allows_one_private_address(settings: Any) -> None:
    settings.PRIVATE_ADDRESSES_ALLOWED = ["127.0.0.1:9000"]
    assert refusals(provider_at("http://127.0.0.1:9000/v1")) == {}
    assert "base_url" in refusals(provider_at("http://127.0.0.1:9001/v1"))


def test_demo_address_may_be_used_by_others_but_not_moved() -> None:
    services.ensure_demo_providers(4000)
    assert refusals(provider_at("http://127.0.0.1:4000/demo-a/v1")) == {}
    demo = Provider.objects.get(slug="demo-a")
    demo.base_url = "http://127.0.0.1:6379/v1"
    assert "base_url" in refusals(demo)


def test_slash_at_the_end_is_taken_off() -> None:
    provider = provider_at(" https://192.0.2.1.nip.invalid/v1/ ")
    refusals(provider)
    assert provider.base_url == "https://192.0.2.1.nip.invalid/v1"


def test_unknown_wire_format_is_refused() -> None:
    assert "wire_format" in refusals(provider_at("https://x.invalid/v1", wire_format="soap"))


@pytest.mark.parametrize(
    "quirks", [["no_streams"], "no_stream_options", {"no_stream_options": True}, [["x"]]]
)
def test_unknown_quirk_is_refused(quirks: Any) -> None:
    assert list(refusals(provider_at("https://x.invalid/v1", quirks=quirks))) == ["quirks"]


def test_known_quirk_is_accepted() -> None:
    assert refusals(provider_at("https://x.invalid/v1", quirks=["no_stream_options"])) == {}


def saved_provider() -> Provider:
    return Provider.objects.create(slug="some", name="Some", base_url="https://x.invalid/v1")


@pytest.mark.parametrize("name", ["GATEWAY_SECRET_KEY", "HOME", "", "groq_api_key"])
def test_unknown_variable_is_refused_naming_the_allowed(name: str) -> None:
    found = refusals(Credential(provider=saved_provider(), kind="env", variable=name))
    assert "GROQ_API_KEY" in found["variable"][0]


def test_allowed_variable_is_accepted() -> None:
    credential = Credential(provider=saved_provider(), kind="env", variable="GROQ_API_KEY")
    assert refusals(credential) == {}


@pytest.mark.parametrize("secret", ["two words", "line\nbreak", "schlüssel"])
def test_secret_that_fits_no_header_is_refused(secret: str) -> None:
    assert validators.secret_refusal(secret)


def test_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validators, "_RESOLVE_TIMEOUT_S", 0.01)
    assert validators.base_url_refusal("https://x.invalid/v1", OutboundPolicy()) is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example/v1", "https://A.example:443/v2", True),
        ("https://a.example/v1", "http://a.example/v1", False),
        ("https://a.example/v1", "https://a.example:8443/v1", False),
        ("https://a.example/v1", "https://b.example/v1", False),
        ("https://a.example/v1", "https://a.example:x/v1", False),
    ],
)
def test_origin_is_scheme_host_and_port(one: str, other: str, is_same: bool) -> None:
    assert (origin_of(one) == origin_of(other)) is is_same

"""Addresses as people type them, and the rows that they become."""

import pytest

from providers.connecting import complete_address, connect, own_server
from providers.models import Provider
from tests.make import make_provider


@pytest.mark.parametrize(
    ("typed", "wire_format", "base_url"),
    [
        ("127.0.0.1:11434", "openai", "http://127.0.0.1:11434/v1"),
        ("localhost:1234/", "openai", "http://localhost:1234/v1"),
        ("[::1]:8080", "openai", "http://[::1]:8080/v1"),
        ("models.example.com", "openai", "https://models.example.com/v1"),
        ("https://models.example.com/llm/v2", "openai", "https://models.example.com/llm/v2"),
        (" https://models.example.com/v1/chat/completions ", "openai", "https://models.example.com/v1"),
        ("http://127.0.0.1:8000/v1/models", "openai", "http://127.0.0.1:8000/v1"),
        ("https://models.example.com", "gemini", "https://models.example.com/v1beta"),
        ("https://models.example.com", "anthropic", "https://models.example.com/v1"),
    ],
)
def test_address_is_completed(typed: str, wire_format: str, base_url: str) -> None:
    assert complete_address(typed, wire_format) == base_url


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("base_url", "name", "slug"),
    [
        ("http://127.0.0.1:11434/v1", "Ollama", "ollama"),
        ("http://127.0.0.1:7777/v1", "Server at port 7777", "server-at-port-7777"),
        ("https://models.example.com/v1", "models.example.com", "models-example-com"),
    ],
)
def test_server_is_named_by_where_it_is(base_url: str, name: str, slug: str) -> None:
    server = own_server(base_url, "openai")
    assert (server.name, server.slug, server.pk) == (name, slug, None)


@pytest.mark.django_db
def test_slug_that_is_taken_gets_a_number() -> None:
    make_provider("box")
    make_provider("box-2")
    assert own_server("http://127.0.0.1:7777/v1", "openai", name="Box").slug == "box-3"


@pytest.mark.django_db
def test_row_of_another_format_at_that_address_is_another_provider() -> None:
    make_provider("box", base_url="http://127.0.0.1:7777/v1", wire_format="anthropic")
    assert own_server("http://127.0.0.1:7777/v1", "openai").pk is None


@pytest.mark.django_db
def test_two_people_who_connect_at_once_connect_two_providers() -> None:
    first, second = (own_server(f"http://127.0.0.1:{port}/v1", "openai", name="Ours") for port in (1, 2))
    for provider in (first, second):
        connect(provider=provider, secret="", outcome=None)
    assert [first.slug, second.slug] == ["ours", "ours-2"]
    assert {first.pk, second.pk} == set(Provider.objects.values_list("pk", flat=True))

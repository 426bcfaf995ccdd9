"""Addresses as people type them: with a slash or without, and by a name that is not allowed."""

import pytest
from django.test import Client

from tests.make import make_published, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    make_published("acme/one")
    client.force_login(make_staff())
    return client


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("/admin", "/admin/"),
        ("/admin?x=1", "/admin/?x=1"),
        ("/admin/connect", "/admin/connect/"),
        ("/admin/catalogue/model", "/admin/catalogue/model/"),
        ("/docs/", "/docs"),
        ("/models/", "/models"),
        ("/models/?q=one", "/models?q=one"),
        ("/models/compare/", "/models/compare"),
        ("/models/acme/one/", "/models/acme/one"),
        ("/keys/", "/keys"),
        ("/sign-in/", "/sign-in"),
        ("/healthz/", "/healthz"),
    ],
)
def test_slash_too_many_or_too_few_leads_to_the_page(staff: Client, typed: str, page: str) -> None:
    answer = staff.get(typed)
    assert (answer.status_code, answer["Location"]) == (301, page)
    assert staff.get(page).status_code in {200, 302}


@pytest.mark.parametrize(
    "address", ["/no/such", "/no/such/", "/models/acme/none", "/admin/none", "/v1/nothing/", "/v1/models/"]
)
def test_what_is_nowhere_stays_not_found(staff: Client, address: str) -> None:
    assert staff.get(address).status_code == 404


def test_unknown_model_with_a_slash_ends_at_the_page_that_says_so(staff: Client) -> None:
    assert staff.get("/models/acme/none/", follow=True).status_code == 404


def test_forms_are_not_sent_on(staff: Client) -> None:
    assert staff.post("/docs/").status_code == 404


def test_base_path_stays_before_the_page(client: Client) -> None:
    answer = client.get("/models/", SCRIPT_NAME="/llm")
    assert answer["Location"] == "/llm/models"


def test_name_that_is_not_allowed_is_told_with_the_setting_that_allows_it(client: Client) -> None:
    answer = client.get("/models", headers={"host": "gate<way>.example:8000"})
    assert answer.status_code == 400
    answer = client.get("/models", headers={"host": "gateway.example:8000"})
    assert "does not answer to the name “gateway.example”" in answer.text
    assert "GATEWAY_ALLOWED_HOSTS" in answer.text


def test_browsers_that_ask_for_an_icon_are_led_to_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"].startswith("/static/gateway/logo.")

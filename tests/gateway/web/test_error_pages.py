"""What people see when something is not there, not theirs, or broken."""

import pytest
from django.template.loader import render_to_string
from django.test import Client


@pytest.mark.django_db
def test_address_that_is_not_there_says_so_in_words(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "There is nothing here" in response.text


@pytest.mark.parametrize("page", ["400.html", "403.html", "404.html", "500.html"])
def test_page_of_an_error_needs_neither_request_nor_database(page: str) -> None:
    assert "Go to the home page" in render_to_string(page)

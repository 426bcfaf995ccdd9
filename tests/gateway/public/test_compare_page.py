"""Models side by side."""

import pytest
from django.test import Client

from tests.make import make_published

pytestmark = pytest.mark.django_db


def look(client: Client, query: str = "") -> str:
    answer = client.get(f"/models/compare{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("catalogue")
def test_what_differs_is_marked_with_a_word_too(client: Client) -> None:
    page = look(client, "?id=acme/big&id=zeta/small")
    assert lines(page) == {
        "Input per million",
        "Blended 3:1 per million",
        "First tried",
        "Context",
        "Input modalities",
        "Weights",
        "Released",
        "Providers",
    }
    assert 'image<span class="unseen"> (not all)</span>' in page


@pytest.mark.usefixtures("catalogue")
def test_one_model_differs_from_nothing(client: Client) -> None:
    assert lines(look(client, "?id=acme/big")) == set()


@pytest.mark.usefixtures("catalogue")
def test_aliases_and_spaces_are_fine_and_nothing_stands_twice(client: Client) -> None:
    page = look(client, "?id=big-latest+acme/big&id=zeta/small")
    assert page.count(">Remove<") == 2


@pytest.mark.usefixtures("catalogue")
def test_each_model_can_be_removed(client: Client) -> None:
    page = look(client, "?id=acme/big&id=zeta/small")
    assert 'class="remove" href="/models/compare?id=zeta/small"' in page
    assert 'class="remove" href="/models/compare?id=acme/big"' in page


@pytest.mark.usefixtures("catalogue")
def test_unknown_name_is_said_and_left_out(client: Client) -> None:
    page = look(client, "?id=acme/big&id=acme/none")
    assert "There is no model <code>acme/none</code>" in page
    assert page.count(">Remove<") == 1


def test_the_fifth_is_said_and_left_out(client: Client) -> None:
    names = [f"acme/model-{number}" for number in range(5)]
    for name in names:
        make_published(name)
    page = look(client, "?" + "&".join(f"id={name}" for name in names))
    assert page.count(">Remove<") == 4
    assert "Left out: Model-4." in page
    assert 'id="add"' not in page


@pytest.mark.usefixtures("catalogue")
def test_choosing_another_keeps_those_that_are_chosen(client: Client) -> None:
    assert 'href="/models?id=acme/big"' in look(client, "?id=acme/big")


def test_empty_comparison_says_how_to_fill_it(client: Client) -> None:
    assert "Nothing to compare yet" in look(client)


def lines(page: str) -> set[str]:
    """Names of the facts that are marked as not the same for all."""
    rows = page.split('<tr class="differs">')[1:]
    return {row.partition('<th scope="row">')[2].partition("&nbsp;")[0] for row in rows}

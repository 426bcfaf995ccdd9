"""The curator's pages in a real browser: its own pages, on a phone too, and the links inside one page."""

import pytest
from selenium.webdriver.common.by import By

from catalogue.models import Edition, Model, Offering
from catalogue.publishing.editions import publish
from tests.make import make_offering, make_price, make_provider, make_published, make_staff, make_team
from tests.pages import PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def model() -> Model:
    """Published twice, with more offerings than the page opens by itself."""
    model = make_published(aliases=["uno"])
    for number in range(4):
        make_price(make_offering(model, make_provider(f"p{number}")))
    Model.objects.update(name="Uno")
    publish([model])
    return model


@pytest.fixture
def curator(browser: Browser) -> Browser:
    make_staff("ada")
    make_team("atlas")
    browser.sign_in("ada")
    return browser


def pages(model: Model) -> list[str]:
    newer, older = Edition.objects.values_list("number", flat=True)
    return [
        f"/admin/catalogue/model/{model.pk}/change/",
        f"/admin/catalogue/model/{model.pk}/editions/",
        f"/admin/catalogue/model/{model.pk}/history/",
        "/admin/catalogue/model/worklist/",
        f"/admin/catalogue/edition/{newer}/change/",
        f"/admin/catalogue/edition/compare/?from={older}&to={newer}",
        f"/admin/catalogue/edition/{older}/rollback/?model=acme/one",
        "/admin/accounts/auditentry/",
    ]


def test_desk_loads_nothing_from_elsewhere_and_complains_of_nothing(curator: Browser, model: Model) -> None:
    curator.resize(PHONE)
    for address in pages(model):
        curator.open(address)
        width = curator.run("return document.documentElement.scrollWidth")
        assert width <= PHONE[0], address
    assert curator.hosts_asked() == {curator.base_url.removeprefix("http://")}
    assert curator.complaints() == []


def test_link_beside_an_offering_opens_its_prices_on_the_same_page(curator: Browser, model: Model) -> None:
    offering = Offering.objects.order_by("pk").last()
    assert offering is not None
    address = f"/admin/catalogue/model/{model.pk}/change/"
    curator.open(address)
    table = curator.find(f"#prices-{offering.pk}")
    assert not table.is_displayed()
    link = curator.driver.find_element(By.CSS_SELECTOR, f"a[href='#prices-{offering.pk}']")
    curator.run("arguments[0].click()", link)
    assert table.is_displayed()
    assert curator.address == f"{address}#prices-{offering.pk}"

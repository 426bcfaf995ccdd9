"""Behind a real nginx at a base path, as the handbook says; and health asked by address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.hostile.guarded_server import Client
from tests.hostile.nginx import documented_config, running_nginx
from tests.patience import HANG_S
from tests.system.embedded import Product, started

pytestmark = pytest.mark.drill
HOST = "example.com"


@dataclass
class Site:
    """A product that people know as https://example.com/llm."""

    url: str
    product: Product

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"host": HOST, **headers}, timeout=HANG_S)


@pytest.fixture(scope="module", params=["base path kept", "base path taken off"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("behind")
    settings = {"GATEWAY_PUBLIC_URL": f"https://{HOST}/llm", "GATEWAY_TRUSTED_PROXIES": "127.0.0.1"}
    with started(folder / "data", **settings) as product:
        config = documented_config()
        config = config.replace("listen 443 ssl;", "listen 127.0.0.1:%(port)s;")
        config = re.sub(r".*ssl_certificate.*\n", "", config)
        config = config.replace("127.0.0.1:8000", f"127.0.0.1:{product.port}")
        config = config.replace("$scheme", "https")
        if request.param == "base path taken off":
            config = config.replace("proxy_pass http://gatehouse;", "proxy_pass http://gatehouse/;")
            config = config.replace("location /llm {", "location /llm/ {")
        with running_nginx(folder / "nginx", config) as url:
            yield Site(url, product)


def test_page_and_all_that_it_loads_are_below_the_base_path(site: Site) -> None:
    page = site.get("/llm/models")
    assert page.status_code == 200
    local = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
    assert local
    assert [path for path in local if not path.startswith("/llm/")] == []
    loaded = [path for path in local if "/static/" in path]
    assert loaded
    assert {site.get(path).status_code for path in loaded} == {200}


def test_sign_in_works_and_leads_to_the_base_path(site: Site) -> None:
    with httpx.Client(base_url=site.url, headers={"host": HOST}, timeout=HANG_S) as client:
        away = client.get("/llm/admin/")
        assert away.headers["location"].startswith("/llm/admin/login/")
        door = client.get(away.headers["location"]).headers["location"]
        assert door.startswith("/llm/sign-in?")
        page = client.get(door)
        cookie = page.headers["set-cookie"]
        assert "Path=/llm" in cookie
        assert "Secure" in cookie
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text).group(1)
        form = {"username": "admin", "password": site.product.admin_password, "csrfmiddlewaretoken": token}
        sent = {"origin": f"https://{HOST}", "referer": f"https://{HOST}/llm/sign-in"}
        # Cookies that are for https only are not sent back here by themselves.
        sent["cookie"] = cookie.split(";")[0]
        done = client.post(door, data=form, headers=sent)
        assert (done.status_code, done.headers["location"]) == (302, "/llm/admin/")


def test_call_and_stream_pass(site: Site) -> None:
    body = {"model": "demo/chat", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    headers = {"host": HOST, "authorization": f"Bearer {site.product.key}"}
    answer = httpx.post(f"{site.url}/llm/v1/chat/completions", json=body, headers=headers, timeout=HANG_S)
    assert answer.status_code == 200
    assert answer.text.rstrip().endswith("data: [DONE]")


def test_links_that_leave_are_at_the_public_address(site: Site) -> None:
    assert site.get("/llm/openapi.json").json()["servers"] == [{"url": f"https://{HOST}/llm"}]
    key = f"Bearer {site.product.key}"
    feed = site.get("/llm/v1/gateway/models?format=atom", authorization=key)
    assert feed.status_code == 200
    addresses = set(re.findall(r'href="(https?://[^/"]+/[^/"?]*)', feed.text))
    assert addresses == {f"https://{HOST}/llm"}


def test_early_refusal_knows_the_surface_below_the_base_path(site: Site) -> None:
    with Client.to(site.product.port) as client:
        many = b"".join(b"x-%d: v\r\n" % number for number in range(300))
        client.say(b"POST /llm/v1/messages HTTP/1.1\r\nhost: a\r\n" + many + b"\r\n")
        status, headers, body = client.read_answer()
    assert (status, headers["content-type"]) == (431, "application/json")
    assert body.startswith(b'{"type":"error"')


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.0.3.7:8000", "anything.example", "under_score", "[2001:db8::1]:80"])
def test_health_is_told_to_whoever_asks_by_any_name(product: Product, path: str, host: str) -> None:
    answer = httpx.get(product.url + path, headers={"host": host}, timeout=HANG_S)
    assert (answer.status_code, answer.json()["status"] in {"ok", "ready"}) == (200, True)


def test_other_pages_answer_to_known_names_only(product: Product) -> None:
    assert httpx.get(f"{product.url}/models", headers={"host": "10.0.3.7:8000"}).status_code == 400
    forged = {"host": "localhost", "x-forwarded-host": "forged.example"}
    page = httpx.get(f"{product.url}/models", headers=forged)
    assert (page.status_code, "forged.example" in page.text) == (200, False)

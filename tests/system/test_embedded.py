"""What a newcomer meets on a bare machine: it starts, answers, can be edited, and ends well."""

import json
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.gateway.program import running
from tests.patience import HANG_S
from tests.services import free_port, require_service, wait_until
from tests.system.admin_pages import AdminPages, Refused
from tests.system.embedded import RUN, Product, started
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.slow

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Product, str]:
    """A product that started in an empty folder and has ended, and what its printed line answered in a shell."""
    require_service("curl", shutil.which("curl") is not None)
    with started(tmp_path_factory.mktemp("seeded")) as product:
        line = ["sh", "-c", f"{product.curl_line} -sS"]
        said = subprocess.check_output(line, text=True, timeout=HANG_S)
        assert product.program.end() == 0
    return product, said


@pytest.fixture(scope="module")
def seeded(newcomer: tuple[Product, str]) -> tuple[Path, str]:
    """A data folder after its first start, and the key that it printed."""
    product, _ = newcomer
    return product.folder, product.key


@pytest.fixture(scope="module")
def fallible(seeded: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product whose providers have not failed yet: it leaves one alone that has failed five times in a row."""
    folder = tmp_path_factory.mktemp("fallible") / "data"
    shutil.copytree(seeded[0], folder)
    with started(folder) as product:
        product.key = seeded[1]
        yield product


@dataclass(frozen=True)
class Ended:
    """What is left of an idle product after a signal."""

    code: int
    rows: dict[str, list[str]]
    log: str


@pytest.fixture
def admin_pages(product: Product) -> Iterator[AdminPages]:
    with AdminPages(product.url, username="admin", password=product.admin_password) as admin_pages:
        yield admin_pages


@contextmanager
def failing(product: Product, name: str) -> Iterator[None]:
    """Let every call of a demo provider fail, by its control."""
    control = f"{product.demo_url(name)}/control"
    assert httpx.post(control, json={"failure": "500"}).status_code == 200
    try:
        yield
    finally:
        httpx.post(control, json={"failure": None})


def test_printed_line_works_when_pasted(newcomer: tuple[Product, str]) -> None:
    _, said = newcomer
    assert "You said: “Hello!”" in json.loads(said)["choices"][0]["message"]["content"]


def test_first_start_prints_each_secret_once_but_the_key_in_its_line(newcomer: tuple[Product, str]) -> None:
    product, _ = newcomer
    secrets = [product.admin_password, product.member_password, product.key]
    assert [product.log.count(secret) for secret in secrets] == [1, 1, 2]


def test_printed_logins_open_admin_and_portal(product: Product) -> None:
    AdminPages(product.url, username="admin", password=product.admin_password).close()
    with httpx.Client(base_url=product.url, follow_redirects=True) as browser:
        page = browser.get("/sign-in")
        form = {"username": "member", "password": product.member_password}
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post(str(page.url), data=form | token)
        keys = browser.get("/keys")
    assert answer.url.path == "/overview"
    assert "First key" in keys.text


@pytest.fixture(scope="module")
def ended(seeded: tuple[Path, str]) -> dict[signal.Signals, Ended]:
    """A second and a third start of one folder, by the signal that ended it."""
    folder, key = seeded
    with started(folder) as second:
        rows = second.rows()
        assert second.chat(key=key).status_code == 200
        by_second = Ended(second.program.end(signal.SIGTERM), rows, second.log)
    with started(folder) as third:
        code = third.program.end(signal.SIGINT)
        return {signal.SIGTERM: by_second, signal.SIGINT: Ended(code, third.rows(), third.log)}


def test_later_starts_print_no_secret_and_change_no_data(
    seeded: tuple[Path, str], ended: dict[signal.Signals, Ended]
) -> None:
    folder, key = seeded
    second, third = ended[signal.SIGTERM], ended[signal.SIGINT]
    assert third.rows == second.rows
    secrets = json.loads((folder / "secrets.json").read_text()).values()
    assert not [secret for secret in [key, "sk-gw-", "login", *secrets] if secret in second.log + third.log]


@SIGNALS
def test_signal_ends_an_idle_product_with_code_0(
    ended: dict[signal.Signals, Ended], number: signal.Signals
) -> None:
    assert ended[number].code == 0
    assert "Traceback" not in ended[number].log


def test_ctrl_c_says_that_it_drains_and_how_to_stop_now(ended: dict[signal.Signals, Ended]) -> None:
    assert "Press Ctrl-C again to stop now." in ended[signal.SIGINT].log


@SIGNALS
def test_open_streams_end_whole_or_say_why_not(seeded: tuple[Path, str], number: signal.Signals) -> None:
    folder, key = seeded
    with started(folder, GATEWAY_DRAIN_S="2") as product:
        short, long = (Stream(product, key, chunks) for chunks in (15, 200))
        for stream in (short, long):
            stream.begun.wait(HANG_S)
        assert product.program.end(number) == 0
        texts = [stream.text() for stream in (short, long)]
    assert texts[0].endswith("data: [DONE]\n\n")
    assert '"finish_reason":"stop"' in texts[0].replace(" ", "")
    assert json.loads(texts[1].strip().rpartition("data: ")[2])["error"]["code"] == "server_shutting_down"
    assert "Traceback" not in product.log


class Stream:
    """One streamed chat, read in a thread; a chunk every 50 ms."""

    def __init__(self, product: Product, key: str, chunks: int) -> None:
        self.begun = threading.Event()
        self._parts: list[str] = []
        self._thread = threading.Thread(target=self._read, args=[product, key, chunks], daemon=True)
        self._thread.start()

    def text(self) -> str:
        self._thread.join(HANG_S)
        return "".join(self._parts)

    def _read(self, product: Product, key: str, chunks: int) -> None:
        body = {"model": "demo/chat", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
        body["demo"] = {"chunks": chunks, "chunk_delay_ms": 50}
        with (
            product.client(key) as client,
            client.stream("POST", "/v1/chat/completions", json=body) as answer,
        ):
            for part in answer.iter_text():
                self._parts.append(part)
                self.begun.set()


def test_taken_port_is_told_with_the_way_out(product: Product, tmp_path: Path) -> None:
    with running(*RUN, PORT=str(product.port), GATEWAY_DATA_DIR=str(tmp_path)) as second:
        assert second.wait() != 0
    assert f"Port {product.port} on 127.0.0.1 is taken" in second.text
    assert "PORT=" in second.text
    assert "Traceback" not in second.text


@pytest.mark.parametrize("place", ["in a file", "read-only"])
def test_unwritable_data_folder_is_told_with_the_way_out(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "file" / "data" if place == "in a file" else Path("/proc/gatehouse")
    (tmp_path / "file").write_text("")
    with running(*RUN, PORT=str(free_port()), GATEWAY_DATA_DIR=str(folder)) as program:
        assert program.wait() != 0
    assert f"The data folder {folder} cannot be used" in program.text
    assert "GATEWAY_DATA_DIR" in program.text
    assert "Traceback" not in program.text


@pytest.mark.parametrize("lane", ["worker", "direct"])
def test_failing_demo_provider_is_followed_by_the_other(fallible: Product, lane: str) -> None:
    first = fallible.chat(lane=lane).headers["x-gateway-provider"]
    with failing(fallible, first):
        answer = fallible.chat(lane=lane)
    assert answer.status_code == 200, answer.text
    assert {first, answer.headers["x-gateway-provider"]} == {"demo-a", "demo-b"}
    assert (answer.headers["x-gateway-attempts"], answer.headers["x-gateway-lane"]) == ("2", lane)


@pytest.fixture(scope="module")
def offered(product: Product, upstream: ScriptedProvider) -> str:
    """The id of a model that staff have added at a provider that they have added."""
    with AdminPages(product.url, username="admin", password=product.admin_password) as admin_pages:
        admin_pages.submit(
            "/admin/providers/provider/add/",
            name="Scripted",
            slug="scripted",
            base_url=upstream.base_url,
            is_probed=[],
            **{"credential-0-kind": "none"},
        )
        add_model(admin_pages, "fresh", aliases=["brand-new"])
    wait_until(lambda: product.chat("demo/fresh").status_code == 200, "serving the model")
    return "demo/fresh"


def add_model(admin_pages: AdminPages, slug: str, *, aliases: Sequence[str] = (), **fields: str) -> None:
    values = {"organisation": "demo", "slug": slug, "name": slug.title(), "input_types": "text", **fields}
    values |= {"offerings-TOTAL_FORMS": "1", "aliases-TOTAL_FORMS": str(len(aliases))}
    values |= {f"aliases-{index}-name": name for index, name in enumerate(aliases)}
    offering = {
        "provider": admin_pages.row_id("providers/provider", "scripted"),
        "upstream_name": "scripted-model",
        "endpoints": "chat.completions",
        "position": "0",
        "input_usd": "1.5",
        "output_usd": "6",
        "is_enabled": "on",
    }
    admin_pages.submit(
        "/admin/catalogue/model/add/", **values, **{f"offerings-0-{n}": v for n, v in offering.items()}
    )


@pytest.mark.parametrize("name", ["demo/fresh", "brand-new"])
def test_model_that_staff_add_is_chatted_with(product: Product, offered: str, name: str) -> None:
    answer = product.chat(name)
    assert answer.status_code == 200, answer.text
    found = [answer.headers[f"x-gateway-{what}"] for what in ("model", "provider")]
    assert found == [offered, "scripted"]


def test_model_that_staff_add_is_listed_with_its_prices(product: Product, offered: str) -> None:
    with product.client() as client:
        models = client.get("/v1/gateway/models?organisation=demo").json()["models"]
    assert '"0.0000015"' in json.dumps(next(model for model in models if model["id"] == offered))


def test_offering_is_switched_off_and_on(product: Product, admin_pages: AdminPages, offered: str) -> None:
    page = f"/admin/catalogue/model/{admin_pages.row_id('catalogue/model', offered)}/change/"
    admin_pages.submit(page, **{"offerings-0-is_enabled": []})
    wait_until(lambda: product.chat(offered).status_code == 503, "taking the model out")
    assert product.chat(offered).json()["error"]["code"] == "no_provider"
    assert offered not in product.model_ids()
    admin_pages.submit(page, **{"offerings-0-is_enabled": "on"})
    wait_until(lambda: product.chat(offered).status_code == 200, "serving it again")


def test_provider_is_switched_off_and_on(product: Product, admin_pages: AdminPages, offered: str) -> None:
    page = f"/admin/providers/provider/{admin_pages.row_id('providers/provider', 'scripted')}/change/"
    admin_pages.submit(page, is_enabled=[])
    wait_until(lambda: product.chat(offered).status_code == 503, "taking the provider out")
    assert product.chat(offered).json()["error"]["code"] == "no_provider"
    assert offered not in product.model_ids()
    admin_pages.submit(page, is_enabled="on")
    wait_until(lambda: product.chat(offered).status_code == 200, "serving it again")


@pytest.mark.parametrize("lane", ["worker", "direct"])
def test_provider_that_refuses_the_credential_is_told_to_staff_until_it_takes_calls_again(
    product: Product, admin_pages: AdminPages, upstream: ScriptedProvider, offered: str, lane: str
) -> None:
    add_model(admin_pages, f"refused-{lane}")
    wait_until(lambda: product.chat(f"demo/refused-{lane}").status_code == 200, "serving it")
    upstream.script("401")
    answer = product.chat(f"demo/refused-{lane}", lane=lane)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_auth_error")
    # Of the provider's health and of what is recorded: which of them is told first is luck.
    for words in ("refuses us", "1 call: The provider refused"):
        wait_until(lambda words=words: words in admin_pages.read("/admin/"), "telling staff")
    assert "sk-scripted" not in admin_pages.read("/admin/") + answer.text
    assert product.chat(offered).status_code == 200
    wait_until(lambda: "refuses us" not in admin_pages.read("/admin/"), "ending the alarm")


@pytest.mark.parametrize(
    ("name", "complaint"), [("demo/chat", "demo/chat"), ("brand-new", "is an alias of .* already")]
)
def test_alias_that_is_taken_is_refused(
    admin_pages: AdminPages, offered: str, name: str, complaint: str
) -> None:
    with pytest.raises(Refused, match=complaint):
        add_model(admin_pages, "other", aliases=[name])


def test_base_url_inside_is_refused_at_its_field(admin_pages: AdminPages) -> None:
    values = {
        "name": "Inside",
        "slug": "inside",
        "base_url": "http://10.0.0.1/v1",
        "credential-0-kind": "none",
    }
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        admin_pages.submit("/admin/providers/provider/add/", **values)


def test_deprecated_model_is_announced_in_headers(
    product: Product, admin_pages: AdminPages, offered: str
) -> None:
    successor = admin_pages.row_id("catalogue/model", offered)
    life = {"deprecation_at": "2026-01-01", "retirement_at": "2099-01-01"}
    add_model(admin_pages, "ageing", successor=successor, **life)
    wait_until(lambda: product.chat("demo/ageing").status_code == 200, "serving it")
    headers = product.chat("demo/ageing").headers
    assert headers["deprecation"] == f"@{int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())}"
    assert headers["sunset"] == "Thu, 01 Jan 2099 00:00:00 GMT"
    assert headers["link"] == f'</v1/models/{offered}>; rel="successor-version"'


def test_retired_model_answers_410_with_its_successor(
    product: Product, admin_pages: AdminPages, offered: str
) -> None:
    successor = admin_pages.row_id("catalogue/model", offered)
    add_model(admin_pages, "gone", successor=successor, retirement_at="2026-02-01")
    wait_until(lambda: product.chat("demo/gone").status_code == 410, "publishing it")
    error = product.chat("demo/gone").json()["error"]
    assert (error["code"], error["param"]) == ("model_retired", "model")
    assert "2026-02-01" in error["message"]
    assert f"'{offered}'" in error["message"]
    assert "demo/gone" not in product.model_ids()


def test_key_revoked_over_the_api_is_refused(product: Product, admin_pages: AdminPages) -> None:
    manager = admin_pages.issue_key("manager", scope="management")
    with product.client(manager) as client:
        answer = client.post("/v1/keys", json={"name": "short-lived"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        wait_until(lambda: product.chat(key=made["key"]).status_code == 200, "knowing the key")
        assert client.delete(f"/v1/keys/{made['id']}").status_code == 200
    wait_until(lambda: product.chat(key=made["key"]).status_code == 401, "refusing the key")

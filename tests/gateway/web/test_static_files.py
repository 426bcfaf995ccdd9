"""Static files are kept for ever by their hash, and sent compressed to whoever takes that."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client

from gateway.web.static_files import imports_of
from tests.make import make_staff

# An answer that is closed closes connections.
pytestmark = pytest.mark.django_db

NAME = "gateway/gatehouse.css"
STATIC = Path(__file__).parents[3] / "gateway" / "static"
FOR_EVER = "max-age=31536000, public, immutable"


def content(name: str) -> bytes:
    path = finders.find(name)
    assert path
    return Path(path).read_bytes()


def fetch(address: str, **headers: str) -> Any:
    """The answer, read to its end."""
    answer = Client(headers={name.replace("_", "-"): value for name, value in headers.items()}).get(address)
    answer.body = answer.getvalue()
    answer.close()
    return answer


def test_address_holds_the_hash_of_the_content() -> None:
    assert re.fullmatch(r"/static/gateway/gatehouse\.css\?v=[0-9a-f]{16}", static(NAME))


def test_name_of_no_file_gets_no_hash() -> None:
    assert static("gateway/none.css") == "/static/gateway/none.css"


def test_what_is_asked_for_by_its_hash_is_kept_for_ever() -> None:
    assert fetch(static(NAME))["Cache-Control"] == FOR_EVER


@pytest.mark.parametrize("query", ["", "?v=0123456789abcdef", "?v="])
def test_what_is_asked_for_otherwise_is_kept_for_a_minute(query: str) -> None:
    assert fetch(f"/static/{NAME}{query}")["Cache-Control"] == "max-age=60, public"


def test_text_is_sent_compressed() -> None:
    answer = fetch(static(NAME), accept_encoding="br, gzip")
    assert (answer["Content-Encoding"], answer["Vary"]) == ("gzip", "Accept-Encoding")
    assert answer["Cache-Control"] == FOR_EVER
    assert int(answer["Content-Length"]) == len(answer.body)
    assert gzip.decompress(answer.body) == content(NAME)


@pytest.mark.parametrize("taken", ["", "identity", "gzip;q=0", "gzip; q=0.0, br"])
def test_who_does_not_take_it_gets_the_file(taken: str) -> None:
    answer = fetch(static(NAME), accept_encoding=taken)
    assert "Content-Encoding" not in answer
    assert answer["Vary"] == "Accept-Encoding"
    assert answer.body == content(NAME)


def test_part_of_a_file_is_a_part_of_the_file_itself() -> None:
    answer = fetch(static(NAME), accept_encoding="gzip", range="bytes=0-9")
    assert (answer.status_code, answer.body) == (206, content(NAME)[:10])


def test_what_has_not_changed_is_not_sent_again() -> None:
    etag = fetch(static(NAME), accept_encoding="gzip")["ETag"]
    assert fetch(static(NAME), accept_encoding="gzip", if_none_match=etag).status_code == 304


def test_every_file_that_pages_load_is_there_by_its_hash(client: Client) -> None:
    client.force_login(make_staff())
    pages = [client.get(address).text for address in ("/models", "/docs", "/admin/", "/admin/connect/")]
    loaded = {path for page in pages for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page)}
    assert len(loaded) > 10
    assert {path for path in loaded if fetch(path).get("Cache-Control") != FOR_EVER} == set()


SCRIPT = "gateway/playground/main.js"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / "gateway").rglob("*.js"))


def test_scripts_name_what_they_import_by_its_hash() -> None:
    whole = fetch(static(SCRIPT)).body
    assert gzip.decompress(fetch(static(SCRIPT), accept_encoding="gzip").body) == whole
    imported = re.findall(r'from "\./(\w+\.js)\?v=([0-9a-f]{16})"', whole.decode())
    assert (
        len(imported) == len(re.findall(r'^import .*from "\./', content(SCRIPT).decode(), re.MULTILINE)) > 5
    )
    for name, digest in imported:
        assert fetch(f"/static/gateway/playground/{name}?v={digest}")["Cache-Control"] == FOR_EVER
    head = Client().head(static(SCRIPT))
    assert (int(head["Content-Length"]), head.getvalue()) == (len(whole), b"")
    head.close()


def test_script_that_imports_is_sent_whole_whatever_part_is_asked_for() -> None:
    answer = fetch(static(SCRIPT), range="bytes=0-9")
    assert (answer.status_code, len(answer.body)) == (200, int(answer["Content-Length"]))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_that_a_script_imports_is_there(name: str) -> None:
    assert [each for each in imports_of(name) if not finders.find(each)] == []
    assert len(content(name).splitlines()) < 400
    # One that is written otherwise would be asked for without its hash, and kept for a minute only.
    written = re.findall(r"""(?:from|import)[ (]+["'](\.\S+?)["']""", content(name).decode())
    assert len(written) == len(imports_of(name)) or name.startswith("gateway/vendor/")

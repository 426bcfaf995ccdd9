"""Every setting: empty means not set, a file may hold it, and what cannot be used is refused by its name."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from gateway import env

SETTINGS = Path(__file__).parents[2] / "gateway" / "settings.py"
READ = re.compile(r"""env\.(text|flag|words|parsed|choice|number|whole)\(\s*["']([A-Z_]+)["']""")
KINDS = {name: kind for kind, name in READ.findall(SETTINGS.read_text())}
NUMBERS = [name for name, kind in KINDS.items() if kind in {"number", "whole"}]
# These hold functions, which are others each time.
_WITH_FUNCTIONS = {"LOGGING", "UNFOLD"}
WHOLE = [name for name, kind in KINDS.items() if kind == "whole"]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A clone that nobody has told anything, with secrets of its own."""
    for name in KINDS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("GATEWAY_SECRET_KEY", "x" * 50)
    monkeypatch.setenv("GATEWAY_CREDENTIAL_KEYS", "y" * 44)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path))


def read_settings() -> dict[str, Any]:
    read = runpy.run_path(str(SETTINGS))
    return {
        name: repr(value) for name, value in read.items() if name.isupper() and name not in _WITH_FUNCTIONS
    }


def test_all_settings_were_found() -> None:
    assert len(KINDS) > 45
    assert len(NUMBERS) > 20


def test_set_but_empty_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = read_settings()
    for name in KINDS.keys() - {"GATEWAY_DATA_DIR", "GATEWAY_SECRET_KEY", "GATEWAY_CREDENTIAL_KEYS"}:
        monkeypatch.setenv(name, "")
        monkeypatch.setenv(f"{name}_FILE", "")
    assert read_settings() == plain


def test_secrets_that_are_empty_are_those_of_the_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEWAY_SECRET_KEY", "")
    monkeypatch.setenv("GATEWAY_CREDENTIAL_KEYS", " ")
    read = runpy.run_path(str(SETTINGS))
    assert len(read["SECRET_KEY"]) > 40
    assert len(read["CREDENTIAL_KEYS"]) == 1


@pytest.mark.parametrize("name", KINDS)
def test_missing_file_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"{name}_FILE", "/nowhere/at/all")
    with pytest.raises(env.BadEnvironment, match=rf"{name}_FILE is '/nowhere/at/all', which cannot be read"):
        read_settings()


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e999", "many", "-1"])
@pytest.mark.parametrize("name", NUMBERS)
def test_number_that_is_none_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(env.BadEnvironment, match=f"{name} is '{value}'"):
        read_settings()


@pytest.mark.parametrize("name", WHOLE)
def test_half_of_what_is_counted_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1048576.5" if name != "PORT" else "80.5")
    with pytest.raises(env.BadEnvironment, match=f"{name} is .*whole number"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mystery://user:hush@host/name"),
        ("DATABASE_URL", "postgres://user:hush@host:port/name"),
        ("REDIS_URL", "http://user:hush@host"),
        ("REDIS_URL", "redis://user:hush@host:port"),
        ("REDIS_URL", "unix://"),
        ("GATEWAY_CORS_ORIGINS", "app.example"),
        ("GATEWAY_CORS_ORIGINS", "https://app.example/"),
        ("GATEWAY_CORS_ORIGINS", "https://*.example ftp://app.example"),
        ("GATEWAY_PUBLIC_URL", "gateway.example"),
        ("GATEWAY_PUBLIC_URL", "https://"),
        ("GATEWAY_PUBLIC_URL", "https://gateway.example:port"),
        ("GATEWAY_LOG_LEVEL", "LOUD"),
        ("GATEWAY_DEBUG", "maybe"),
        ("PORT", "65536"),
    ],
)
def test_address_or_word_that_cannot_be_used_is_refused_by_name_and_without_its_password(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(env.BadEnvironment, match=name) as refusal:
        read_settings()
    assert "hush" not in str(refusal.value)


def test_value_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text(" 8123\n")
    monkeypatch.setenv("PORT_FILE", str(tmp_path / "port"))
    assert read_settings()["PORT"] == "8123"


def test_file_that_is_no_text_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("PORT_FILE", str(tmp_path / "port"))
    with pytest.raises(env.BadEnvironment, match=r"PORT_FILE is .*not UTF-8 text"):
        read_settings()


def test_public_url_says_host_origin_base_path_and_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://Example.com:8443/llm/")
    read = runpy.run_path(str(SETTINGS))
    assert "example.com" in read["ALLOWED_HOSTS"]
    assert read["CSRF_TRUSTED_ORIGINS"] == ["https://example.com:8443"]
    assert (read["FORCE_SCRIPT_NAME"], read["STATIC_URL"]) == ("/llm", "/llm/static/")
    assert read["SESSION_COOKIE_SECURE"] is True
    assert read["SESSION_COOKIE_PATH"] == "/llm"

"""`manage.py doctor`: each part well or ill, and how it says so."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from gateway.boot import first_run
from gateway.core.private_files import keep_private
from gateway.ops import doctor
from gateway.ops.doctor import Finding
from providers.models import Credential, Provider
from providers.secrets import encrypt
from tests.services import RedisServer, free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def spool(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.SPOOL_DIR = tmp_path / "spool"
    # Django makes the tests' database, which no settings of ours have seen.
    keep_private(Path(settings.DATABASES["default"]["NAME"]))
    # The test session's own folder may be in memory.
    monkeypatch.setattr(doctor, "VOLATILE", frozenset())
    return tmp_path / "spool"


def finding(part: str) -> Finding:
    return next(found for found in doctor.examine() if found.part == part)


def test_prepared_database_is_well() -> None:
    first_run.fill(demo_port=free_port())
    parts = {found.part: found.is_well for found in doctor.examine()}
    assert parts == dict.fromkeys(parts, True) | {"demo": False}


def test_demo_that_does_not_answer_is_ill() -> None:
    first_run.fill(demo_port=free_port())
    assert "does not answer" in finding("demo").says


def test_empty_catalogue_is_ill() -> None:
    assert "gatehouse prepare" in finding("catalogue").says


def test_spool_that_cannot_be_written_is_ill(spool: Path) -> None:
    spool.write_text("a file in the folder's place")
    assert "set GATEWAY_SPOOL_DIR" in finding("spool").says


def test_spool_in_memory_is_ill(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "VOLATILE", frozenset({doctor._file_system(settings.SPOOL_DIR.parent)}))
    assert "in memory" in finding("spool").says


def test_variable_at_an_address_that_it_is_not_bound_to_is_ill() -> None:
    provider = Provider.objects.create(slug="acme", name="Acme", base_url="https://acme.example/v1")
    Credential.objects.create(provider=provider, kind="env", variable="OPENAI_API_KEY")
    assert finding("credentials").says.startswith("OPENAI_API_KEY may not be sent to https://acme.example")


def test_secret_that_no_key_opens_is_ill(settings: LazySettings) -> None:
    provider = Provider.objects.create(slug="acme", name="Acme", base_url="https://acme.example/v1")
    Credential.objects.create(provider=provider, ciphertext=encrypt("secret", provider=provider))
    settings.CREDENTIAL_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    assert finding("credentials") == Finding(
        "credentials", is_well=False, says="no key in GATEWAY_CREDENTIAL_KEYS opens those of acme"
    )


def test_redis_that_does_not_answer_is_ill(settings: LazySettings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert not finding("redis").is_well


def test_redis_that_answers_is_well(settings: LazySettings, redis_server: RedisServer) -> None:
    settings.REDIS_URL = redis_server.url
    assert finding("redis").says.startswith("answers, version ")


def test_dangerous_settings_are_ill(settings: LazySettings) -> None:
    settings.CELERY_WORKER_POOL = "prefork"
    assert "prefork" in finding("settings").says


def test_command_fails_where_anything_is_ill(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="need attention"):
        call_command("doctor")
    assert "ILL   catalogue" in capsys.readouterr().out


def test_provider_that_refuses_us_is_ill() -> None:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    Provider.objects.create(slug="groq", name="Groq").alarms.create(code="x", began_at=at, last_at=at)
    assert finding("alarms") == Finding(
        "alarms", False, "our credential or account is refused by groq; see the admin's overview"
    )

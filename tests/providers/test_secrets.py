"""Secrets are encrypted, bound to their provider, and opened by any configured key."""

import io
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from gateway.core.sealing import KeyUnusable, SecretUnreadable
from providers.models import Credential, Provider
from providers.secrets import decrypt, encrypt, open_credential
from providers.services import store_secret

SECRET = "gsk_0123456789abcdef"
ONE = Provider(pk=1, base_url="https://one.example/v1")
OTHER = Provider(pk=2, base_url="https://one.example/v1")
MOVED = Provider(pk=1, base_url="https://moved.example/v1")


@pytest.fixture(autouse=True)
def _key(credential_key: str) -> None:
    """Every test has a key of its own."""


def make_credential(slug: str = "groq") -> Credential:
    provider = Provider.objects.create(slug=slug, name=slug, base_url=f"https://{slug}.example/v1")
    credential = Credential(provider=provider)
    store_secret(credential=credential, secret=SECRET)
    return credential


def rotate() -> str:
    output = io.StringIO()
    call_command("rotate_credentials", stdout=output)
    return output.getvalue()


def test_secret_comes_back() -> None:
    assert decrypt(encrypt(SECRET, provider=ONE), provider=ONE) == SECRET


def test_ciphertext_holds_nothing_of_the_secret() -> None:
    assert SECRET[:12] not in encrypt(SECRET, provider=ONE)


def test_ciphertext_of_another_provider_is_refused() -> None:
    with pytest.raises(SecretUnreadable, match="another provider"):
        decrypt(encrypt(SECRET, provider=ONE), provider=OTHER)


def test_ciphertext_of_another_origin_is_refused() -> None:
    with pytest.raises(SecretUnreadable, match="another address"):
        decrypt(encrypt(SECRET, provider=ONE), provider=MOVED)


def test_secret_of_an_early_release_names_no_origin_and_opens(settings: Any) -> None:
    payload = json.dumps({"provider": 1, "secret": SECRET}).encode()
    ciphertext = Fernet(settings.CREDENTIAL_KEYS[0]).encrypt(payload).decode()
    assert decrypt(ciphertext, provider=ONE) == SECRET


def test_older_key_still_opens(settings: Any) -> None:
    ciphertext = encrypt(SECRET, provider=ONE)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    assert decrypt(ciphertext, provider=ONE) == SECRET


def test_no_key_opens_says_what_to_do(settings: Any) -> None:
    ciphertext = encrypt(SECRET, provider=ONE)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable, match="Add the key"):
        decrypt(ciphertext, provider=ONE)


def test_damaged_ciphertext_is_unreadable() -> None:
    with pytest.raises(SecretUnreadable):
        decrypt("damagé", provider=ONE)


@pytest.mark.parametrize("keys", [["short"], [], ["ä" * 44]])
def test_bad_encryption_key_is_named_without_being_shown(settings: Any, keys: list[str]) -> None:
    settings.CREDENTIAL_KEYS = keys
    with pytest.raises(KeyUnusable, match="GATEWAY_CREDENTIAL_KEYS") as caught:
        encrypt(SECRET, provider=ONE)
    assert not keys or keys[0] not in str(caught.value)


@pytest.mark.django_db
def test_access_keeps_the_secret_out_of_its_repr() -> None:
    assert SECRET not in repr(open_credential(make_credential()))


@pytest.mark.django_db
def test_rotation_makes_the_older_key_useless(settings: Any) -> None:
    credential, old = make_credential(), settings.CREDENTIAL_KEYS
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *old]
    assert "newest key" in rotate()
    credential.refresh_from_db()
    settings.CREDENTIAL_KEYS = old
    assert open_credential(credential).problem
    settings.CREDENTIAL_KEYS = old


@pytest.mark.django_db
def test_rotated_secret_opens_with_the_newest_key_alone(settings: Any) -> None:
    credential, newest = make_credential(), Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [newest, *settings.CREDENTIAL_KEYS]
    rotate()
    credential.refresh_from_db()
    settings.CREDENTIAL_KEYS = [newest]
    assert open_credential(credential).secret == SECRET


@pytest.mark.django_db
def test_rotation_names_what_it_cannot_read_and_does_the_rest(settings: Any) -> None:
    make_credential("lost")
    newest = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [newest]
    kept = make_credential("kept")
    with pytest.raises(CommandError, match="lost: No key") as caught:
        rotate()
    assert "kept" not in str(caught.value)
    kept.refresh_from_db()
    assert open_credential(kept).is_usable


@pytest.mark.django_db
def test_swapped_rows_open_neither() -> None:
    one, other = make_credential("one"), make_credential("other")
    one.ciphertext, other.ciphertext = other.ciphertext, one.ciphertext
    assert not open_credential(one).is_usable
    assert not open_credential(other).is_usable


def test_variable_is_read_from_a_file(settings: Any, monkeypatch: Any, tmp_path: Any) -> None:
    settings.CREDENTIAL_VARIABLES = ["SOME_KEY"]
    settings.CREDENTIAL_ORIGINS = {"SOME_KEY": {"https://one.example"}}
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "key"))
    credential = Credential(kind="env", variable="SOME_KEY", provider=ONE)
    assert open_credential(credential).secret == "from-file"


def test_missing_file_of_a_variable_is_a_problem(settings: Any, monkeypatch: Any) -> None:
    settings.CREDENTIAL_VARIABLES = ["SOME_KEY"]
    settings.CREDENTIAL_ORIGINS = {"SOME_KEY": {"https://one.example"}}
    monkeypatch.setenv("SOME_KEY_FILE", "/does/not/exist")
    credential = Credential(kind="env", variable="SOME_KEY", provider=ONE)
    assert open_credential(credential).problem == "the file named by SOME_KEY_FILE cannot be read"


def test_variable_that_is_not_allowed_is_never_read(settings: Any, monkeypatch: Any) -> None:
    settings.CREDENTIAL_VARIABLES = []
    settings.CREDENTIAL_ORIGINS = {"DATABASE_URL": {"https://one.example"}}
    monkeypatch.setenv("DATABASE_URL", "postgres://")
    assert open_credential(Credential(kind="env", variable="DATABASE_URL", provider=ONE)).secret is None

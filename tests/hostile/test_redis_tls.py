"""`rediss://` talks to the very server that its certificate names, whoever of us connects."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from gateway.core.redis_url import verified
from gateway.core.store.interface import Ask, Limit
from gateway.core.store.redis import RedisStore
from gateway.ops import doctor
from tests.gateway.core.store.worlds import run
from tests.services import require_service
from tests.tls import Authority, make_authority, running_tls_redis

Client = Callable[[str], bool]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    require_service("openssl", shutil.which("openssl") is not None)
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Iterator[str]:
    with running_tls_redis(authority) as url:
        yield url


def store_connects(url: str) -> bool:
    found = []

    async def story() -> None:
        store = RedisStore(url, "web")
        await store.open()
        found.append(store.is_up)
        await store.admit(Ask("a", [Limit("key:1", "concurrency", 1)]))
        await store.close()

    run(story)
    return found[0]


def queue_connects(url: str) -> bool:
    with Celery("tls", broker=url, set_as_current=False).connection_for_write(
        connect_timeout=5
    ) as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0)
            connection.default_channel.client.ping()
        except (OperationalError, redis.RedisError, OSError):
            return False
    return True


def doctor_connects(url: str) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", url)
        return next(finding for finding in doctor.examine() if finding.part == "redis").is_well


CLIENTS = pytest.mark.parametrize("connects", [store_connects, queue_connects, doctor_connects])


@CLIENTS
@pytest.mark.django_db
def test_a_server_of_ones_own_authority_is_believed_once_that_is_named(
    server: str, authority: Authority, connects: Client
) -> None:
    assert connects(verified(server, str(authority.certificate)))


@CLIENTS
@pytest.mark.django_db
def test_a_server_of_an_unknown_authority_is_not_spoken_to(server: str, connects: Client) -> None:
    assert not connects(verified(server))


@CLIENTS
@pytest.mark.django_db
def test_a_server_of_another_name_is_not_spoken_to(authority: Authority, connects: Client) -> None:
    with running_tls_redis(authority, "DNS:elsewhere.example") as url:
        assert not connects(verified(url, str(authority.certificate)))


@CLIENTS
@pytest.mark.django_db
def test_who_says_so_in_the_address_verifies_nothing(server: str, connects: Client) -> None:
    assert connects(verified(f"{server}?ssl_cert_reqs=none"))


@pytest.mark.parametrize("url", ["", "redis://:p%40ss@127.0.0.1:6379/0", "unix:///run/redis.sock?db=1"])
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert verified(url) == url


def test_what_the_address_says_of_itself_stays() -> None:
    url = verified("rediss://u:p%40ss@h:1/2?ssl_certfile=/a%20b&ssl_ca_certs=/own.pem")
    assert url == "rediss://u:p%40ss@h:1/2?ssl_certfile=%2Fa+b&ssl_ca_certs=%2Fown.pem&ssl_cert_reqs=required"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_certificates_is_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(ValueError, match=r"ca\.pem holds no certificates"):
        verified("rediss://h/0", str(path))

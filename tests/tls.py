"""Certificates of an authority of our own, by openssl, and a Redis that speaks TLS with them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.services import LOOPBACK, free_port, require_service, wait_for_start

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Authority:
    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def sign(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a server of that name (`DNS:host` or `IP:address`)."""
        key, request, certificate = (self.folder / f"server.{kind}" for kind in ("key", "csr", "pem"))
        (self.folder / "names").write_text(
            f"subjectAltName={name}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid"
        )
        _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", "/CN=server")
        authority = (
            "-CA",
            self.certificate,
            "-CAkey",
            self.folder / "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
        )
        _openssl(
            "x509", "-req", "-in", request, *authority, "-extfile", self.folder / "names", "-out", certificate
        )
        return certificate, key


def make_authority(folder: Path) -> Authority:
    authority = Authority(folder)
    days = ("-x509", "-days", "2", "-subj", "/CN=Authority of a test")
    # From Python 3.13 on an authority has to say that it signs certificates.
    use = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("req", *_KEY, *days, *use, "-keyout", folder / "ca.key", "-out", authority.certificate)
    return authority


@contextmanager
def running_tls_redis(authority: Authority, name: str = f"IP:{LOOPBACK}") -> Iterator[str]:
    """The address of a Redis with a certificate for that name; the address says nothing of how to verify it."""
    require_service("redis-server", shutil.which("redis-server") is not None)
    certificate, key = authority.sign(name)
    port = free_port()
    tls = ["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no", "--tls-ca-cert-file"]
    files = [str(authority.certificate), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    volatile = ["--bind", LOOPBACK, "--save", "", "--dir", str(authority.folder)]
    command = ["redis-server", *tls, *files, *volatile]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_start(process, lambda: _answers(port))
        yield f"rediss://{LOOPBACK}:{port}/0"
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with redis.Redis(
            host=LOOPBACK, port=port, ssl=True, ssl_cert_reqs="none", socket_timeout=5
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _openssl(*command: str | Path) -> None:
    subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)

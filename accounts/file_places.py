"""Where files are put for others to take: a folder, or a bucket of S3. A name is there whole, or not at all."""

import importlib.util
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

_WAIT_S = 60
_ADDRESS = "s3://"


class PlaceFailed(Exception):
    """A file could not be written or read; for people, without secrets."""


class Place(Protocol):
    def write(self, name: str, data: bytes) -> None:
        """In place of what has that name, if anything does. Raises PlaceFailed."""

    def read(self, name: str) -> bytes:
        """Raises PlaceFailed."""


class Folder:
    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def write(self, name: str, data: bytes) -> None:
        unfinished = self._path / f".{name}.unfinished"
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path / name)
            self._keep_names()
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise PlaceFailed(f"{name} could not be written to the folder: {error.strerror}.") from error

    def read(self, name: str) -> bytes:
        try:
            return (self._path / name).read_bytes()
        except OSError as error:
            raise PlaceFailed(f"{name} could not be read from the folder: {error.strerror}.") from error

    def _keep_names(self) -> None:
        """What was renamed outlives a loss of power only once its folder is on the disk."""
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Bucket:
    """Of S3 or what speaks its protocol. Region, address and credentials are those of AWS_… in the environment.

    Source: https://developmentseed.org/obstore/latest/api/store/aws/
    """

    def __init__(self, address: str) -> None:
        import obstore
        from obstore.store import S3Store

        parts = urlsplit(address)
        self._obstore = obstore
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={
                "timeout": timedelta(seconds=_WAIT_S),
                "connect_timeout": timedelta(seconds=5),
                "allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"),
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=_WAIT_S)},
        )

    def write(self, name: str, data: bytes) -> None:
        try:
            # In one request, which S3 does wholly or not at all.
            self._obstore.put(self._store, name, data, use_multipart=False)
        except self._failures as error:
            raise PlaceFailed(f"{name} could not be written to the bucket: {_first_line(error)}") from error

    def read(self, name: str) -> bytes:
        try:
            return bytes(self._obstore.get(self._store, name).bytes())
        except self._failures as error:
            raise PlaceFailed(f"{name} could not be read from the bucket: {_first_line(error)}") from error

    @property
    def _failures(self) -> tuple[type[Exception], ...]:
        from obstore.exceptions import BaseError

        return BaseError, OSError


def open_place(address: str) -> Place:
    """Raises PlaceFailed where it cannot even be tried."""
    if not address.startswith(_ADDRESS):
        return Folder(address)
    try:
        return Bucket(address)
    except Exception as error:
        raise PlaceFailed(f"The bucket cannot be used: {_first_line(error)}") from error


def read_place(text: str) -> str:
    """A setting. Raises ValueError."""
    if not text:
        return ""
    if text.startswith(_ADDRESS):
        parts = urlsplit(text)
        if not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(f"{text!r} is no bucket; write it as s3://bucket/prefix")
        if importlib.util.find_spec("obstore") is None:
            raise ValueError("a bucket needs the package obstore: install gatehouse[s3]")
        return text.rstrip("/")
    if not Path(text).is_absolute():
        raise ValueError(f"{text!r} is neither the absolute path of a folder nor s3://bucket/prefix")
    return text


def _first_line(error: Exception) -> str:
    """The rest of what the library says is for those who develop it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]

"""A bucket of S3 on a socket: what is put there can be had again. Signatures have to be there, and are not verified."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MISSING = b"<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"


@dataclass
class Bucket:
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serve_bucket(status: int = 200) -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            is_signed = self.headers.get("authorization", "").startswith(
                "AWS4-HMAC-SHA256 Credential=AKIATEST/"
            )
            if status == 200 and is_signed:
                bucket.files[self.path] = data
            self._answer(status if is_signed else 403, b"")

        def do_GET(self) -> None:
            data = bucket.files.get(self.path)
            self._answer(404 if data is None else 200, _MISSING if data is None else data)

        def _answer(self, code: int, data: bytes) -> None:
            self.send_response(code)
            self.send_header("etag", '"1"')
            self.send_header("last-modified", "Tue, 02 Jun 2026 00:00:00 GMT")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bucket.variables.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}",
        AWS_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="AKIATEST",
        AWS_SECRET_ACCESS_KEY="secret-of-the-bucket",
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

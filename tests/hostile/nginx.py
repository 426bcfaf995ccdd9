"""A real nginx in front of a gateway, with the lines that docs/operating.md shows."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateway.program import ROOT, accepts
from tests.patience import HANG_S
from tests.services import free_port, require_service, wait_for_start

_FRAME = """
worker_processes 1; daemon off; pid %(folder)s/pid; error_log %(folder)s/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi; scgi_temp_path %(folder)s/scgi;
  %(config)s
}
"""


def documented_config() -> str:
    """The block of nginx in the handbook."""
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "operating.md").read_text(), re.DOTALL)
    assert found, "docs/operating.md has no block of nginx"
    return found.group(1)


@contextmanager
def running_nginx(folder: Path, config: str) -> Iterator[str]:
    """Yields its URL. `%(port)s` in the configuration is where it has to listen."""
    require_service("nginx", shutil.which("nginx") is not None)
    port = free_port()
    folder.mkdir(exist_ok=True)
    file = folder / "nginx.conf"
    file.write_text(_FRAME % {"folder": folder, "config": config.replace("%(port)s", str(port))})
    process = subprocess.Popen(
        ["nginx", "-c", str(file), "-p", str(folder), "-e", str(folder / "error.log")],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_start(process, lambda: accepts(port), (folder / "error.log").read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(HANG_S)

"""Other gateways beside ours, from their registries into environments of their own: `make bench PEERS=1`.

Each stands in the same run, asks the same upstream, and runs as one process, as its own documents start it:

- LiteLLM's proxy, without a database: a master key is checked, prices and callbacks are its own; no records, no limits.
- Portkey's gateway: no keys, no database, no records, no limits; the client's headers name the provider. Its package
  answers streams of such a provider with 500 under Node.js 20 and 22 ("immutable"), so it is asked for whole answers.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.load import Target
from benchmarks.processes import NotReady
from benchmarks.systems import CHAT_PATH, ROOT, System, process_of, wait_for
from tests.services import free_port

LITELLM, PORTKEY = "litellm", "portkey"
PEERS = (LITELLM, PORTKEY)
_LITELLM_PACKAGE = "litellm[proxy]==1.108.7"
_PORTKEY_PACKAGE = "@portkey-ai/gateway@1.15.2"
_HOME = ROOT / ".venv-peers"
_KEY = "sk-bench-1234"
# It imports for most of a minute on a slow machine.
_START_S = 180.0
# The first calls import what they need.
_WARM_UP_S = 15
# What the load says of its pace is in `metadata`, which LiteLLM hands on with its preview features only.
_LITELLM_CONFIG = """\
model_list:
  - model_name: acme/one
    litellm_params:
      model: openai/bench-model
      api_base: http://127.0.0.1:{port}/v1
      api_key: unused
      input_cost_per_token: 0.000001
      output_cost_per_token: 0.000002
general_settings:
  master_key: {key}
litellm_settings:
  enable_preview_features: true
"""


@contextmanager
def started_litellm(folder: Path, upstream_port: int) -> Iterator[System]:
    """Raises NotReady."""
    home, port = _HOME / LITELLM, free_port()
    program = home / "bin" / "litellm"
    if not program.exists():
        _run(sys.executable, "-m", "venv", str(home))
        _run(str(home / "bin" / "pip"), "install", "--quiet", _LITELLM_PACKAGE)
    config = folder / "litellm.yaml"
    config.write_text(_LITELLM_CONFIG.format(port=upstream_port, key=_KEY))
    arguments = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    command = ("env", "LITELLM_LOCAL_MODEL_COST_MAP=True", str(program), *arguments)
    with process_of(folder, LITELLM, *command) as process:
        wait_for(port, within_s=_START_S)
        target = Target(f"http://127.0.0.1:{port}{CHAT_PATH}", {"authorization": f"Bearer {_KEY}"})
        yield System(LITELLM, target, frozenset({process.pid}), _WARM_UP_S)


@contextmanager
def started_portkey(folder: Path, upstream_port: int) -> Iterator[System]:
    """Raises NotReady."""
    home, port = _HOME / PORTKEY, free_port()
    program = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", "--silent", _PORTKEY_PACKAGE)
    with process_of(folder, PORTKEY, "node", str(program), f"--port={port}", "--headless") as process:
        wait_for(port, within_s=_START_S)
        headers = {
            "authorization": "Bearer unused",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1",
        }
        target = Target(f"http://127.0.0.1:{port}{CHAT_PATH}", headers)
        yield System(PORTKEY, target, frozenset({process.pid}), _WARM_UP_S, streams=False)


def _run(*command: str) -> None:
    """Raises NotReady."""
    if shutil.which(command[0]) is None:
        raise NotReady(f"Not installed: {command[0]}. The peers need Node.js and npm.")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReady(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")

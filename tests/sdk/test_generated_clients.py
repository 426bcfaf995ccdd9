"""Clients that generators make of the API document work as they come: what they expect is what is answered."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from gateway.web.views import api_document
from tests.patience import HANG_S, LONG_HANG_S
from tests.sdk.test_node import FOLDER, run_tests
from tests.services import require_service
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Product

pytestmark = pytest.mark.drill

NAME = "generated_client"
CHAT = "demo/chat"
# As a bundler's user has it, and as strict as TypeScript can be of what a document leaves open.
TSC = "--strict --noUncheckedIndexedAccess --skipLibCheck --target es2023 --module esnext --moduleResolution bundler"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(json.dumps(api_document()))
    return file


@pytest.fixture(scope="module")
def management_key(product: Product) -> str:
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        return pages.issue_key("generated", scope="management")


@pytest.fixture(scope="module")
def generated(document: Path) -> Iterator[ModuleType]:
    """The package that openapi-python-client writes, without a warning of something that it left out."""
    folder = document.parent / NAME
    config = document.with_name("config.yml")
    config.write_text("post_hooks: []")
    run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", document, "--output-path", folder, "--config", config),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder.parent))
        yield importlib.import_module(NAME)


@pytest.fixture
def api(generated: ModuleType) -> Any:
    """Its operations and models, by name: `api.models_list`, `api.NewKey`."""
    operations = {
        path.stem: importlib.import_module(f"{NAME}.api.{path.parent.name}.{path.stem}")
        for path in Path(str(generated.__file__)).parent.glob("api/*/[a-z]*.py")
    }
    models = importlib.import_module(f"{NAME}.models")
    return SimpleNamespace(**operations, **{name: getattr(models, name) for name in models.__all__})


@pytest.fixture
def connect(generated: ModuleType, product: Product) -> Iterator[Any]:
    made = []

    def connect(key: str) -> Any:
        made.append(
            generated.AuthenticatedClient(
                base_url=product.url, token=key, timeout=HANG_S, raise_on_unexpected_status=True
            )
        )
        return made[-1]

    yield connect
    for client in made:
        client.get_httpx_client().close()


@pytest.fixture
def client(connect: Any, product: Product) -> Any:
    return connect(product.key)


def run(*command: object, **options: Any) -> None:
    done = subprocess.run(
        [str(word) for word in command],
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_python_client_has_every_operation(api: Any) -> None:
    for operations in api_document()["paths"].values():
        for said in operations.values():
            assert hasattr(vars(api)[said["operationId"]], "sync")


def test_python_client_lists_models_and_gets_one(api: Any, client: Any) -> None:
    listed = api.models_list.sync(client=client)
    assert CHAT in [model.id for model in listed.data]
    got = api.models_retrieve.sync(CHAT, client=client)
    assert (type(got), got.id) == (api.Model, CHAT)
    record = api.gateway_models_retrieve.sync(CHAT, client=client)
    assert (type(record), record.id) == (api.GatewayModel, CHAT)


def test_python_client_is_told_what_is_wrong(api: Any, client: Any) -> None:
    answer = api.models_retrieve.sync_detailed("nobody", client=client)
    assert (answer.status_code, answer.parsed.error.code) == (404, "model_not_found")


def test_python_client_makes_and_revokes_a_key(api: Any, connect: Any, management_key: str) -> None:
    manager = connect(management_key)
    issued = api.keys_create.sync(client=manager, body=api.NewKey(name="made by a client"))
    assert api.models_list.sync_detailed(client=connect(issued.key)).status_code == 200
    assert issued.id in [key.id for key in api.keys_list.sync(client=manager).data]
    assert api.keys_destroy.sync_detailed(issued.id, client=manager).status_code < 300
    assert api.keys_retrieve.sync(issued.id, client=manager).revoked_at


def test_python_client_chats_and_embeds(api: Any, client: Any) -> None:
    said = api.ChatMessage(role=api.ChatMessageRole.USER, content="Is it raining?")
    body = api.ChatCompletionRequest(model=CHAT, messages=[said])
    answer = api.chat_completions_create.sync(client=client, body=body)
    assert "raining" in answer.choices[0].message.content
    assert answer.usage.total_tokens > 0
    vectors = api.embeddings_create.sync(
        client=client, body=api.EmbeddingsRequest(model="demo/embed", input_=["a"])
    )
    assert vectors.data[0].embedding


def test_typescript_client_works(
    product: Product, management_key: str, document: Path, tmp_path: Path
) -> None:
    """What its tests read of an answer is declared, or they would not compile."""
    modules = FOLDER / "node_modules"
    node = shutil.which("node")
    require_service(
        "openapi-typescript (npm ci --prefix tests/sdk/node)", (modules / "openapi-fetch").is_dir()
    )
    (tmp_path / "node_modules").symlink_to(modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(FOLDER / "generated.test.ts", tmp_path)
    tools = modules / ".bin"
    run(node, tools / "openapi-typescript", document, "-o", tmp_path / "schema.d.ts")
    run(node, tools / "tsc", *TSC.split(), "--types", "node", "generated.test.ts", cwd=tmp_path)
    keys = {"GATEHOUSE_KEY": product.key, "GATEHOUSE_MANAGEMENT_KEY": management_key}
    environment = {**keys, "GATEHOUSE_URL": product.url}
    assert run_tests("generated.test.js", environment, folder=tmp_path) == 9

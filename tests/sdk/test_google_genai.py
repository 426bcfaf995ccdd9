"""Google's SDK for Python, with the gateway as its base."""

from collections.abc import Iterator

import pytest
from google import genai
from google.genai import errors, types

from tests.system.embedded import Product

# What the SDK itself leaves open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(params=["v1", "v1beta"])
def client(product: Product, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=product.url, api_version=request.param)
    client = genai.Client(api_key=product.key, http_options=options)
    yield client
    client.close()


def test_content_is_generated(client: genai.Client) -> None:
    answer = client.models.generate_content(model="demo/chat", contents="Is it raining?")
    assert "Is it raining?" in answer.text
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.prompt_token_count > 0


def test_content_streams_to_the_same_text(client: genai.Client) -> None:
    pieces = list(client.models.generate_content_stream(model="demo/chat", contents="Is it raining?"))
    whole = client.models.generate_content(model="demo/chat", contents="Is it raining?")
    assert "".join(piece.text or "" for piece in pieces) == whole.text


def test_tokens_are_counted(client: genai.Client) -> None:
    assert client.models.count_tokens(model="demo/chat", contents="Is it raining?").total_tokens > 0


def test_unknown_model_raises_a_client_error(client: genai.Client) -> None:
    with pytest.raises(errors.ClientError, match="demo/nobody") as refused:
        client.models.generate_content(model="demo/nobody", contents="x")
    assert refused.value.code == 404


def test_models_are_listed_and_looked_up(client: genai.Client) -> None:
    listed = {model.name: model for model in client.models.list(config={"page_size": 1})}
    assert {"models/demo/chat", "models/demo/embed"} <= listed.keys()
    assert client.models.get(model="models/demo/chat") == listed["models/demo/chat"]
    assert "generateContent" in (listed["models/demo/chat"].supported_actions or [])

"""Code to paste that calls a model: this gateway's address, this model, and a key or a place for one. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

KEY = "sk-gw-YOUR-KEY"


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` says the language, `slug` is for ids in the page."""

    name: str
    slug: str
    text: str


def samples(base_url: str, model_id: str, endpoints: frozenset[str], key: str = KEY) -> Sequence[Sample]:
    """For the first endpoint that there are samples for, else empty. `base_url` has no slash at its end."""
    endpoint = next((each for each in _WRITERS if each in endpoints), None)
    if endpoint is None:
        return []
    curl, python, node = _WRITERS[endpoint]
    return [
        Sample("curl", "curl", curl(base_url, model_id, key)),
        Sample("Python", "python", python(base_url, model_id, key)),
        Sample("Node", "node", node(base_url, model_id, key)),
    ]


def _chat_curl(base_url: str, model_id: str, key: str) -> str:
    return f"""curl {base_url}/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "model": "{model_id}",
    "messages": [{{"role": "user", "content": "Hello!"}}]
  }}'"""


def _chat_python(base_url: str, model_id: str, key: str) -> str:
    return f"""from openai import OpenAI

client = OpenAI(base_url="{base_url}/v1", api_key="{key}")

answer = client.chat.completions.create(
    model="{model_id}",
    messages=[{{"role": "user", "content": "Hello!"}}],
)
print(answer.choices[0].message.content)"""


def _chat_node(base_url: str, model_id: str, key: str) -> str:
    return f"""import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{base_url}/v1", apiKey: "{key}" }});

const answer = await client.chat.completions.create({{
  model: "{model_id}",
  messages: [{{ role: "user", content: "Hello!" }}],
}});
console.log(answer.choices[0].message.content);"""


def _embed_curl(base_url: str, model_id: str, key: str) -> str:
    return f"""curl {base_url}/v1/embeddings \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model_id}", "input": ["Hello!"]}}'"""


def _embed_python(base_url: str, model_id: str, key: str) -> str:
    return f"""from openai import OpenAI

client = OpenAI(base_url="{base_url}/v1", api_key="{key}")

answer = client.embeddings.create(model="{model_id}", input=["Hello!"])
print(len(answer.data[0].embedding))"""


def _embed_node(base_url: str, model_id: str, key: str) -> str:
    return f"""import OpenAI from "openai";

const client = new OpenAI({{ baseURL: "{base_url}/v1", apiKey: "{key}" }});

const answer = await client.embeddings.create({{ model: "{model_id}", input: ["Hello!"] }});
console.log(answer.data[0].embedding.length);"""


_Writer = Callable[[str, str, str], str]
_WRITERS: Mapping[str, tuple[_Writer, _Writer, _Writer]] = {
    "chat.completions": (_chat_curl, _chat_python, _chat_node),
    "embeddings": (_embed_curl, _embed_python, _embed_node),
}

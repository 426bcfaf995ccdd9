"""What docs/compatibility.md says: `python -m tests.agents.compatibility` writes it anew.

Its matrix is the suite's own list of what completes and what does not, to which the suite holds the programs.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.agents.programs import PROGRAMS, SURFACES, Program

DOCUMENT = Path(__file__).parents[2] / "docs/compatibility.md"
FORMATS = {"openai": "OpenAI's chat", "responses": "Responses", "anthropic": "Anthropic", "gemini": "Gemini"}
_HEAD = """\
# Agents that work with Gatehouse

Every program here is run, in this version and as its makers publish it, through a whole loop: it is asked for a file,
calls its own tool, gives back the result and says that it is done. Behind the gateway stands a provider of each wire
format, so that a row says which models of a catalogue the program can use. `make agents` runs all of them. What a
provider's API has no words for is in [losses.md](losses.md).

"""
_OPEN_RESPONSES = """
## Open Responses

The compliance suite of [Open Responses](https://www.openresponses.org) was run on 1 December 2026 by its own runner,
unchanged, against `make run` with a provider of each wire format behind it and the schemas of its specification of
24 April 2026. It printed the same for calls by a worker and by the web process:

| Cases | OpenAI's chat | Responses | Anthropic | Gemini |
|---|---|---|---|---|
| `basic-response`, `streaming-response`, `system-prompt` | passed | passed | passed | passed |
| `tool-calling`, `image-input`, `multi-turn` | passed | passed | passed | passed |
| `function-call-roundtrip`, `file-input`, `previous-response-id` | passed | passed | passed | passed |
| `tool-calling-streaming` | passed | passed | passed | passed |
| `assistant-phase`, `response-output-phase-schema` (sends nothing) | passed | passed | passed | passed |
| `file-search`, `offline-web-search` | skipped | skipped | skipped | skipped |
| the same two, asked for with their options | failed | passed | failed | failed |
| `compact-response`, `compact-missing-model` | failed | failed | failed | failed |
| the seven of `websocket-*` | failed | failed | failed | failed |

No version of the suite that we found has all of these. That of the specification of April has seventeen, of which
**eight pass and nine fail with each format** (exit code 1): this gateway has no WebSocket, by which "servers MAY
expose" Responses, and compacts no conversations: `POST /v1/responses/compact` is 404, and says what to do instead.
`function-call-roundtrip` and its neighbours and the two of search are in the eleven of [another
version](https://github.com/openresponses/openresponses/commit/18e5656): **nine passed and two skipped with each
format** (exit code 0, "All tests passed!"). `tool-calling-streaming` is one of the seven of [a
third](https://github.com/openresponses/openresponses/commit/0cb939c), which all pass. A picture needs a model that is
said to read pictures.

All but phases, compaction and WebSocket is written anew in CI (`tests/sdk/test_open_responses.py`), also with a server
of Responses that says little of each, as llama.cpp's does: its clients get whole ones.

The two of search are `optional: true`, "optional and skipped until its required configuration is provided":

- `file-search`, with "an existing vector store" (`--file-search-vector-store-id`);
- `offline-web-search`, with "live web access disabled" (`--enable-offline-web-search`).

A provider of Responses gets both as they are, and they pass where it has that store or a cached search, by schemas that
know both tools: the specification of April has neither, nor what they answer with, so that by it no server passes. Over
any other format they are refused with 400 by name (`tools[0].type` or the `tool_choice` that forces them), on purpose.
A vector store is at the vendor that made it: nobody else can look into it, and a `file_search_call` that somebody made
up would be a false answer. And `external_web_access: false` promises that nothing is fetched; the searches of Anthropic
and Google fetch, so to put one in its place, as a key may permit for a plain `web_search`, would break that promise.
That is the rule for all that a caller relies on and for promises ([losses.md](losses.md)): translated, or refused by
name.
"""
_SETTINGS = """
## Settings to paste

For a gateway at `http://127.0.0.1:8000` and the model `demo/chat`; any model of `GET /v1/models` goes in its place. The
key is in the environment:

```sh
export GATEWAY_KEY=sk-gw-…
```
"""


def written() -> str:
    settings = "".join(map(_settings, PROGRAMS.values()))
    return _HEAD + "\n".join(_matrix()) + "\n" + _OPEN_RESPONSES + _SETTINGS + settings


def _matrix() -> Iterator[str]:
    yield f"| Program | Version | Calls | {' | '.join(FORMATS.values())} |"
    yield "|---" * (3 + len(FORMATS)) + "|"
    reasons: list[str] = []
    for program in PROGRAMS.values():
        for surface in SURFACES:
            if surface in program.surfaces:
                cells = [_cell(program.reasons.get((surface, name)), reasons) for name in FORMATS]
                first = f"{program.name} | `{program.package}` {program.version} | `{SURFACES[surface]}`"
                yield f"| {first} | {' | '.join(cells)} |"
    if reasons:
        yield from ("", *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1)))


def _cell(reason: str | None, reasons: list[str]) -> str:
    if not reason:
        return "works"
    if reason not in reasons:
        reasons.append(reason)
    return f"no ({reasons.index(reason) + 1})"


def _settings(program: Program) -> str:
    blocks = [f"\n### {program.name}\n"]
    for path, text in program.files.items():
        blocks.append(f"`~/{path}`:\n\n```{Path(path).suffix[1:]}\n{text}```\n")
    if program.environment:
        lines = [f"export {name}={_quoted(value)}" for name, value in program.environment.items()]
        blocks.append("```sh\n" + "\n".join(lines) + "\n```\n")
    if program.is_framework:
        blocks.append("```python\n" + "\n".join(_models(Path(program.command[-1]))) + "\n```\n")
    if program.remark:
        blocks.append(f"{program.remark}\n")
    return "\n".join(blocks)


def _quoted(value: str) -> str:
    return f'"{value}"' if value.startswith("$") else value


def _models(script: Path) -> Iterator[str]:
    """The models that the agent is run with, from its own source."""
    tree = ast.parse(script.read_text())
    yield 'URL, KEY = "http://127.0.0.1:8000", os.environ["GATEWAY_KEY"]'
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            for value in statement.value.values:
                assert isinstance(value, ast.Lambda)
                yield _spelt(f"model = {ast.unparse(value.body)}").replace("name", '"demo/chat"', 1)
        elif isinstance(statement, ast.Assign):
            yield _spelt(ast.unparse(statement))


def _spelt(code: str) -> str:
    return code.replace("'", '"')


if __name__ == "__main__":
    DOCUMENT.write_text(written())

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

The compliance suite of [Open Responses](https://www.openresponses.org) has twelve cases. Ten are for everybody: text,
stream, system prompt, tool calling, the same in a stream, function call round trip, image, file, several turns,
`previous_response_id`. **All ten pass on `/v1/responses` with a provider of each of the four wire formats**: by its
requests and checks, each answer and each event against the schemas of its specification of 24 April 2026 (run on
30 November 2026 against four web processes and a worker), and written anew in CI (`tests/sdk/test_open_responses.py`).

It marks the other two as `optional: true`, "optional and skipped until its required configuration is provided":

- `file-search`, with "an existing vector store" (`--file-search-vector-store-id`);
- `offline-web-search`, with "live web access disabled" (`--enable-offline-web-search`).

A provider of Responses gets both as they are, and they pass where it has that store or a cached search. Over any other
format they are refused with 400 by name (`tools[0].type` or the `tool_choice` that forces them), on purpose. A vector
store is at the vendor that made it: nobody else can look into it, and a `file_search_call` that somebody made up would
be a false answer. And `external_web_access: false` promises that nothing is fetched; the searches of Anthropic and
Google fetch, so to put one in its place, as a key may permit for a plain `web_search`, would break that promise. That
is the rule for all that a caller relies on and for promises ([losses.md](losses.md)): translated, or refused by name.
The specification of April has neither tool, nor what they answer with: there all that a server need do is the ten.
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

"""The section of docs/losses.md that is made from the table in the code: run this module to write it."""

from collections.abc import Iterator
from pathlib import Path

from providers.formats.field_names import client_field
from providers.formats.losses import COMMON, FIELDS, TOOLS, Loss

DOCUMENT = Path(__file__).parents[3] / "docs" / "losses.md"
BEGIN, END = "<!-- made from providers/formats/losses.py -->\n", "<!-- end of what is made -->\n"
_HEAD = "| Field | Kind | Says nothing | Described in |\n|---|---|---|---|\n"
_NAMES = {"openai": "Chat completions", "responses": "Responses", "anthropic": "Messages", "gemini": "Gemini"}


def section() -> str:
    parts = [
        (
            "What every format has a place for",
            _rows({client_field("", name): loss for name, loss in COMMON.items()}),
        )
    ]
    for name, title in _NAMES.items():
        tools = {f"a tool `{kind}`": loss for kind, loss in TOOLS[name].items()}
        parts.append((f"{title}: what only its clients can say", [*_rows(FIELDS[name]), *_rows(tools)]))
    return "\n".join(f"### {title}\n\n{_HEAD}{''.join(rows)}" for title, rows in parts)


def _rows(table: dict[str, Loss]) -> Iterator[str]:
    for name, loss in table.items():
        field = name if name.startswith("a tool") else f"`{name}`"
        kind = loss.kind.name.lower().replace("_", " ")
        if loss.is_search:
            kind += "; beside other tools that the model may choose among, a hint"
        if loss.kept:
            kind += f", kept: {loss.kept[0].lower()}{loss.kept[1:]}"
        unsaid = ", ".join(f"`{value}`" for value in loss.unsaid)
        yield f"| {field} | {kind} | {unsaid} | {loss.source} |\n"


def in_document() -> str:
    return DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + section() + END + rest.partition(END)[2])

"""A message as plain text and as HTML, which say the same."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from django.template.loader import render_to_string

from accounts.mail.message import Facts, Heading, Listing, Message, Part, Table

_APART = "  "


def write_text(message: Message) -> str:
    return "\n\n".join(_blocks(message)) + "\n"


def write_html(message: Message) -> str:
    context = {"message": message, "parts": [(_kind_of(part), part) for part in message.parts]}
    return render_to_string("mail/message.html", context)


def write_parts(parts: Sequence[Part]) -> str:
    """As plain text."""
    return "\n\n".join(map(_write, parts))


def _blocks(message: Message) -> Iterator[str]:
    yield message.first_line
    yield from map(_write, message.parts)
    if message.button:
        yield f"{message.button.label}:\n{message.button.address}"
    yield "\n".join(["-- ", message.why, message.stop, *_stop(message)])


def _stop(message: Message) -> Sequence[str]:
    return [f"Stop this mail: {message.stop_address}"] if message.stop_address else []


def _write(part: Part) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Heading):
        return f"{part.text}\n{'=' * min(len(part.text), 72)}"
    if isinstance(part, Facts):
        return "\n".join(f"{name}: {value}" for name, value in part.lines)
    if isinstance(part, Listing):
        return "\n".join([part.title, *(f"- {line}" for line in part.lines)])
    return "\n".join([part.title, *_columns(part)])


def _columns(table: Table) -> Iterator[str]:
    """The first to the left, numbers to the right."""
    lines = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    for first, *others in lines:
        cells = [
            first.ljust(widths[0]),
            *(each.rjust(width) for each, width in zip(others, widths[1:], strict=False)),
        ]
        yield _APART.join(cells).rstrip()


def _kind_of(part: Part) -> str:
    return type(part).__name__.lower()

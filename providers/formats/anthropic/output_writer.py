"""Writes the form that an answer has to have: natively, or as the forced call of a tool."""

from collections.abc import Mapping
from typing import Any

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.anthropic.schema import OpenSchema, SchemaFitter
from providers.formats.notes import Notes
from providers.wire.conversation import Conversation, OutputFormat, OutputKind


def write_format(output: OutputFormat | None, notes: Notes) -> dict[str, Any] | None:
    """The member `format` of `output_config`. Raises CannotTranslate."""
    if output is None or output.kind is OutputKind.TEXT:
        return None
    if output.kind is OutputKind.JSON:
        raise notes.refuse("output", "The chosen provider answers in JSON only by a schema.")
    fitter = SchemaFitter()
    try:
        schema = fitter.fit(_described(output))
    except OpenSchema as open_schema:
        place = open_schema.path or "the whole schema"
        message = f"The chosen provider has no objects with members of any name: '{place}'."
        raise notes.refuse("output", message) from None
    # To clients of this format nothing was said in other words unless something was left out.
    if fitter.left_out:
        notes.note("output", f"output_config.format without {fitter.left_out}")
    return {"type": "json_schema", "schema": schema}


def write_answer_tool(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    """`tools` and `tool_choice` for a model without output formats. Raises CannotTranslate."""
    output = conversation.output or OutputFormat()
    if conversation.tools:
        raise notes.refuse("output", "The chosen model cannot use tools and answer in JSON at once.")
    notes.note("output", "tool_choice")
    tool = {
        "name": ANSWER_TOOL,
        "description": output.description or "Gives the whole answer.",
        "input_schema": dict(output.schema or {"type": "object"}),
    }
    choice = {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True}
    return {"tools": [tool], "tool_choice": choice}


def is_structured(output: OutputFormat | None) -> bool:
    return output is not None and output.kind is not OutputKind.TEXT


def _described(output: OutputFormat) -> Mapping[str, Any]:
    """`name` and `strict` say nothing here: every schema is kept to."""
    schema = output.schema or {}
    if output.description and "description" not in schema:
        return {**schema, "description": output.description}
    return schema

"""A JSON schema asked for by a forced tool, for providers without any: its arguments are the answer."""

from dataclasses import replace

from providers.formats.base import CannotTranslate
from providers.formats.field_names import client_field
from providers.wire.conversation import ChoiceMode, Conversation, OutputKind, Tool, ToolChoice
from providers.wire.quirks import quirk
from providers.wire.upstream import Upstream

ANSWER_TOOL = "_json_answer"
SCHEMA_BY_TOOL = quirk(
    "schema_by_tool",
    "Has no JSON schema of its own: one is asked for by a forced tool, and moved back into text",
)


def ask_by_tool(conversation: Conversation, upstream: Upstream, translated: list[str]) -> Conversation:
    """The same conversation, with the schema as a tool where the provider is of that quirk.

    Raises CannotTranslate beside other tools, and for a schema of anything but an object, since a tool takes one.
    """
    output, source = conversation.output, conversation.source
    if SCHEMA_BY_TOOL not in upstream.quirks:
        return conversation
    if any(tool.name == ANSWER_TOOL for tool in conversation.functions):
        message = f"The name '{ANSWER_TOOL}' stands for the answer itself at the chosen provider."
        raise CannotTranslate(message, param=client_field(source, "tool_name"))
    if output is None or output.kind is not OutputKind.SCHEMA:
        return conversation
    param, schema = client_field(source, "output"), output.schema or {}
    if conversation.tools:
        raise CannotTranslate("The chosen model cannot use tools and answer in JSON at once.", param=param)
    if schema.get("type", "object") != "object":
        message = "The chosen model answers in JSON by a schema of an object only."
        raise CannotTranslate(message, param=param)
    translated.append(f"{param} -> tool_choice")
    description = output.description or "Gives the whole answer."
    tool = Tool(ANSWER_TOOL, description, {"type": "object", **schema})
    choice = ToolChoice(ChoiceMode.REQUIRED, (ANSWER_TOOL,))
    return replace(conversation, tools=(tool,), tool_choice=choice, parallel_tool_calls=None, output=None)

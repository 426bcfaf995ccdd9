"""What a request needs of an offering, wherever in it that stands."""

import pytest

from providers.operations.generate import required_by_conversation
from providers.wire.call import Call
from providers.wire.conversation import Audio, Conversation, Image, Message, Part, Role, Text, ToolResult

PICTURE = Image(data="AAAA", media_type="image/png")


def needs_of(*parts: Part):
    conversation = Conversation((Message(Role.USER, parts),), "anthropic")
    return required_by_conversation(conversation, Call("messages", {}, format="anthropic"))


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        (Text("hello"), set()),
        (PICTURE, {"image"}),
        (Audio(data="AAAA", format="wav"), {"audio"}),
        (ToolResult("call_1", (Text("seen"),)), set()),
        (ToolResult("call_1", (Text("seen"), PICTURE)), {"image"}),
    ],
)
def test_an_offering_has_to_read_what_stands_in_the_request_and_in_its_tools_results(part, kinds):
    assert needs_of(Text("look"), part).input_types == kinds

"""Which adapter makes a call: by the formats of both sides, and by what else a provider speaks at its address."""

import pytest

from providers.adapters.openai import OpenAIAdapter
from providers.adapters.translated import TranslatingAdapter
from providers.formats.registry import FORMATS
from providers.operations.registry import choose_adapter
from providers.wire.call import Call
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider

BOTH = a_provider(quirks=frozenset({"speaks_responses"}))
UPSTREAM = Upstream("m", is_streamed=False)
ASKED = {
    "openai": {"messages": [{"role": "user", "content": "hi"}]},
    "responses": {"input": "hi", "tools": [{"type": "web_search"}]},
    "anthropic": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
}


@pytest.mark.parametrize(
    ("client", "path"),
    [("openai", "/chat/completions"), ("responses", "/responses"), ("anthropic", "/chat/completions")],
)
def test_clients_of_a_format_that_a_provider_speaks_too_are_passed_on_to_that(client, path):
    endpoint = FORMATS[client].endpoint
    call = Call(endpoint, ASKED[client], format=client)
    request = choose_adapter(call, BOTH).request(call, BOTH, UPSTREAM)
    assert request.url == BOTH.base_url + path


def test_openais_chat_is_relayed_and_all_else_translated():
    chat = Call("chat.completions", ASKED["openai"])
    assert isinstance(choose_adapter(chat, a_provider()), OpenAIAdapter)
    assert isinstance(choose_adapter(chat, a_provider(wire_format="gemini")), TranslatingAdapter)

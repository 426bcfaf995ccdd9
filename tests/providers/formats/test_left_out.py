"""What changes no answer may be left out for another format, and is told."""

import pytest

from providers.formats.registry import FORMATS
from providers.operations.generate import adapter_between
from providers.wire.call import Call
from providers.wire.failure import UpstreamFailure
from providers.wire.upstream import Upstream
from tests.gateway.proxy.values import a_provider

HELLO = {"messages": [{"role": "user", "content": "hi"}]}
MARKED = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}


def asked(client, provider, body, *quirks, params=()):
    """What the provider is sent."""
    call = Call("chat.completions", body, format=client)
    upstream = Upstream(
        "m",
        is_streamed=False,
        params=frozenset(params),
        max_output_tokens=9,
        quirks=frozenset(quirks),
    )
    return adapter_between(client, provider).request(call, a_provider(), upstream)


def test_place_of_a_kept_prompt_is_told_between_openais_formats():
    key = {"prompt_cache_key": "k"}
    sent = asked("openai", "responses", HELLO | key)
    assert b'"prompt_cache_key":"k"' in sent.body
    assert sent.translated == ()
    for options in ({"params": ["prompt_cache_key"]}, {}):
        sent = asked("responses", "openai", {"input": "hi"} | key, **options)
        assert (b"prompt_cache_key" in sent.body) is bool(options)
        assert sent.translated == (() if options else ("prompt_cache_key -> left out",))
    assert (
        b"prompt_cache_key"
        in asked("responses", "openai", {"input": "hi"} | key, "prompt_cache_breakpoint").body
    )


@pytest.mark.parametrize("provider", ["openai", "responses", "gemini"])
def test_marks_of_what_may_be_cached_are_left_out_where_a_provider_takes_none(provider):
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": [MARKED]}]}
    sent = asked("anthropic", provider, body)
    assert b"cache_control" not in sent.body
    assert sent.translated == ("messages.content.cache_control -> left out",)


@pytest.mark.parametrize("provider", sorted(FORMATS.keys() - {"openai"}))
def test_usage_that_openrouters_clients_ask_for_is_told_anyway(provider):
    assert asked("openai", provider, HELLO | {"usage": {"include": True}}).translated == ()
    with pytest.raises(UpstreamFailure):
        asked("openai", provider, HELLO | {"usage": {"include": "much"}})


@pytest.mark.parametrize("provider", sorted(FORMATS.keys() - {"openai"}))
def test_kind_of_content_that_a_format_does_not_have_is_named(provider):
    video = {"type": "video_url", "video_url": {"url": "https://a.example/b.mp4"}}
    with pytest.raises(UpstreamFailure, match="video_url") as refused:
        asked("openai", provider, {"messages": [{"role": "user", "content": [video]}]})
    assert refused.value.param == "messages[0].content[0].type"


@pytest.mark.parametrize("provider", ["openai", "responses", "gemini"])
def test_thoughts_that_only_their_maker_can_read_are_told_to_be_left_out(provider):
    thoughts = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "x"},
    ]
    turns = [*HELLO["messages"], {"role": "assistant", "content": [*thoughts, {"type": "text", "text": "x"}]}]
    sent = asked("anthropic", provider, {"max_tokens": 9, "messages": turns})
    assert sent.translated == ("messages.content.thinking -> left out",)

"""OpenAI's format: chat completions, as most providers speak them.

Source: types of the `openai` package 3.54 (November 2026).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import orjson

from providers.adapters.base import Answer, StreamReader, UpstreamRequest
from providers.adapters.call_ids import CallIds
from providers.adapters.openai_stream import RelayedStream, repair_calls
from providers.facts import ProviderFacts
from providers.formats.base import SaidTools
from providers.formats.notes import Notes
from providers.formats.openai.answer_reader import generated, is_text
from providers.formats.openai.fit import (
    IN_FRONT,
    TUNING_FIELDS,
    USERS,
    fit,
    leave_tuning,
    put_results_behind_calls,
)
from providers.formats.openai.request_writer import write_request
from providers.formats.openai.usage import write_usage
from providers.formats.openai.vendors import HEAD, choices_of, is_one_text, message_of, refuse_error, usage_in
from providers.formats.proofs import may_have_issuers, own_proofs, seal_json
from providers.formats.registry import OPENAI
from providers.wire.call import Call
from providers.wire.conversation import Conversation
from providers.wire.estimate import are_plain, missing_usage
from providers.wire.failure import FailureKind, UpstreamFailure, bad_response, classify
from providers.wire.json_text import is_too_deep, load_json
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, read_openai_usage

_message = itemgetter("message")
_ACCESS = OPENAI.access
_USERS = frozenset(USERS)


class OpenAIAdapter:
    """See providers.adapters.base.Adapter."""

    def request(self, call: Call, provider: ProviderFacts, upstream: Upstream) -> UpstreamRequest:
        headers = _ACCESS.headers(provider.secret, provider.quirks, is_streamed=call.is_streamed)
        # Of texts alone, as most are, none is a proof or a result; to look through long ones would take longest of all.
        holds_more = not (call.is_plain or are_plain(call.body.get("messages") or ()))
        if upstream.drops_proofs or (holds_more and may_have_issuers(call.raw)):
            read = call.request
            told = read if isinstance(read, Conversation) else OPENAI.read_request(call.body)
            call = replace(call, request=own_proofs(told, provider.issuer, drops_all=upstream.drops_proofs))
        body, translated, heard = _body(call, upstream)
        if holds_more and b'"tool_call_id"' in call.raw:
            translated = (*translated, *put_results_behind_calls(body))
        url = provider.base_url.rstrip("/") + "/chat/completions"
        request = UpstreamRequest(url, headers, _dump(body))
        if translated or heard:
            request.translated, request.told = tuple(translated), heard
        return request

    def answer(
        self,
        call: Call,
        model: str,
        status: int,
        body: bytes,
        issuer: str = "",
        tools: SaidTools | None = None,  # noqa: ARG002
    ) -> Answer:
        try:
            value, shown = load_json(body)
        except ValueError:
            raise bad_response(status=status) from None
        if not isinstance(value, dict):
            raise bad_response(status=status)
        usage = read_openai_usage(usage_in(value), value.get("service_tier"))
        if usage is not None and is_one_text(value):
            return Answer(shown, usage)
        if is_too_deep(value, shown):
            raise bad_response(status=status)
        refuse_error(value)
        chars, has_output, is_repaired = read_choices(value, call, model)
        if usage is None:
            usage = missing_usage(call.body, chars, has_output=has_output)
            value["usage"], is_repaired = write_usage(usage), True
        if is_repaired:
            shown = orjson.dumps(value)
        is_plain = all(map(is_text, map(_message, value["choices"])))
        return Answer(shown if is_plain else seal_json(value, shown, issuer), usage)

    def stream(
        self,
        call: Call,
        model: str,
        cost_usd: Costing | None = None,
        issuer: str = "",
        tools: SaidTools | None = None,  # noqa: ARG002
    ) -> StreamReader:
        return RelayedStream(call, model, cost_usd, issuer)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamFailure:
        return classify(status, headers, body)


def _body(call: Call, upstream: Upstream) -> tuple[dict[str, Any], Sequence[str], tuple[str, ...]]:
    """And what was said in other words, and what of that clients hear of without asking.

    What nobody had to read goes on as it came.
    """
    body = {**call.body, "model": upstream.name}
    if not _USERS.isdisjoint(body) and (user := body.get("safety_identifier") or body.get("user")):
        upstream = replace(upstream, user_id=call.hashed(str(user)))
    if isinstance(call.request, Conversation):
        written = write_request(call.request, upstream)
        return {**written.body}, written.translated, (*written.lost, *written.told)
    translated = fit(body, upstream)
    told = (IN_FRONT,) if IN_FRONT in translated else ()
    if TUNING_FIELDS.isdisjoint(body):
        return body, translated, told
    notes = Notes("openai")
    leave_tuning(body, upstream, notes)
    return body, (*translated, *notes.translated), (*notes.worst_first(), *told)


def _dump(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:
        message = "The request holds a number or a text that JSON cannot carry."
        raise UpstreamFailure(FailureKind.CALLER, message, code="invalid_json", status=400) from None


def read_choices(value: dict[str, Any], call: Call, model: str) -> tuple[int, bool, bool]:
    """Characters generated in all choices, whether there was anything, and whether something was repaired in place.

    Raises UpstreamFailure for what is no chat completion.
    """
    choices = choices_of(value)
    chars, has_output = 0, False
    for choice in choices:
        count, has_any = generated(message_of(choice))
        chars, has_output = chars + count, has_output or has_any
    is_repaired = not all(map(value.get, HEAD))
    if is_repaired:
        value |= {name: given for name, given in _head(call, model) if not value.get(name)}
    for number, choice in enumerate(choices):
        is_repaired |= _repair_choice(choice, number, call)
    return chars, has_output, is_repaired


def _head(call: Call, model: str) -> Iterable[tuple[str, Any]]:
    return zip(HEAD, (f"chatcmpl-{call.id}", "chat.completion", call.created, model), strict=True)


def _repair_choice(choice: dict[str, Any], number: int, call: Call) -> bool:
    message = choice["message"]
    is_whole = "index" in choice and bool(message.get("role"))
    choice.setdefault("index", number)
    message["role"] = message.get("role") or "assistant"
    calls = message.get("tool_calls")
    if not calls:
        return not is_whole
    message["tool_calls"] = repair_calls(calls, CallIds(f"call_{call.id}_{number}", call.raw))
    return not is_whole or message["tool_calls"] is not calls

"""Writes how tokens are drawn and where an answer stops."""

from dataclasses import replace
from typing import Any

from providers.formats.notes import Notes
from providers.formats.sampling import fit_sampling
from providers.wire.conversation import Conversation, Sampling
from providers.wire.upstream import Upstream

_UNKNOWN = frozenset({"frequency_penalty", "presence_penalty", "seed", "logit_bias"})
_TAKEN_AWAY = _UNKNOWN | {"temperature", "top_p", "top_k"}
_LEAST_TOP_P = 0.95
"""With which a model thinks. Source: Anthropic's guide to extended thinking."""


def write_sampling(
    conversation: Conversation, upstream: Upstream, notes: Notes, *, is_new: bool, is_thinking: bool
) -> dict[str, Any]:
    """`is_new`: the version of the API that took temperature, top_p and top_k away. Raises CannotTranslate."""
    asked = conversation.sampling
    if asked.logprobs or asked.top_logprobs:
        raise notes.refuse("logprobs", "The chosen provider has no 'logprobs'.")
    sampling = fit_sampling(asked, upstream, notes, _TAKEN_AWAY if is_new else _UNKNOWN)
    if is_thinking:
        sampling = _fit_thinking(sampling, notes)
    return _write_drawn(_cooled(sampling, notes)) | _write_stop(sampling, notes)


def _write_drawn(sampling: Sampling) -> dict[str, Any]:
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return {name: value for name, value in drawn.items() if value is not None}


def _write_stop(sampling: Sampling, notes: Notes) -> dict[str, Any]:
    if any(not text.strip() for text in sampling.stop):
        raise notes.refuse("stop", "The chosen provider cannot stop at white space alone.")
    return {"stop_sequences": list(sampling.stop)} if sampling.stop else {}


def _cooled(sampling: Sampling, notes: Notes) -> Sampling:
    """Anthropic's temperatures go from 0 to 1."""
    if sampling.temperature is None or 0 <= sampling.temperature <= 1:
        return sampling
    nearest = min(max(sampling.temperature, 0), 1)
    notes.lose("temperature", "", f"temperature={nearest}")
    return replace(sampling, temperature=nearest)


def _fit_thinking(sampling: Sampling, notes: Notes) -> Sampling:
    """A model thinks at temperature 1, without top_k, and with nearly all of top_p."""
    if sampling.temperature not in {None, 1}:
        notes.lose("temperature", "")
        sampling = replace(sampling, temperature=None)
    if sampling.top_k is not None:
        notes.lose("top_k", "")
        sampling = replace(sampling, top_k=None)
    if sampling.top_p is not None and sampling.top_p < _LEAST_TOP_P:
        notes.lose("top_p", "", f"top_p={_LEAST_TOP_P}")
        sampling = replace(sampling, top_p=_LEAST_TOP_P)
    return sampling

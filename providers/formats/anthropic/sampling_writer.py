"""Writes how tokens are drawn and where an answer stops."""

from typing import Any

from providers.formats.anthropic.notes import Notes
from providers.wire.conversation import Conversation, Sampling


def write_sampling(
    conversation: Conversation, notes: Notes, *, is_new: bool, is_thinking: bool
) -> dict[str, Any]:
    """`is_new`: the version of the API that took temperature, top_p and top_k away. Raises CannotTranslate."""
    sampling = conversation.sampling
    _refuse_missing(sampling, notes)
    drawn = _write_drawn(sampling)
    if is_new and drawn:
        raise notes.refuse(next(iter(drawn)), "The chosen model draws its tokens in its own way only.")
    if sampling.temperature is not None and not 0 <= sampling.temperature <= 1:
        raise notes.refuse("temperature", "The chosen provider takes temperatures from 0 to 1.")
    if is_thinking:
        _check_thinking(sampling, notes)
    return drawn | _write_stop(sampling, notes)


def _write_drawn(sampling: Sampling) -> dict[str, Any]:
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return {name: value for name, value in drawn.items() if value is not None}


def _write_stop(sampling: Sampling, notes: Notes) -> dict[str, Any]:
    if any(not text.strip() for text in sampling.stop):
        raise notes.refuse("stop", "The chosen provider cannot stop at white space alone.")
    return {"stop_sequences": list(sampling.stop)} if sampling.stop else {}


def _check_thinking(sampling: Sampling, notes: Notes) -> None:
    if sampling.temperature not in {None, 1}:
        raise notes.refuse("temperature", "The chosen model thinks at temperature 1 only.")
    if sampling.top_k is not None:
        raise notes.refuse("top_k", "The chosen model cannot think with 'top_k'.")


def _refuse_missing(sampling: Sampling, notes: Notes) -> None:
    """Zero, empty and False ask for nothing."""
    missing = {
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs or sampling.top_logprobs,
    }
    for name, value in missing.items():
        if value:
            raise notes.refuse(name, f"The chosen provider has no '{name}'.")
    if sampling.seed is not None:
        raise notes.refuse("seed", "The chosen provider has no 'seed'.")

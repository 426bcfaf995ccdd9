"""Log probabilities: Gemini's two parallel lists, and the entries of OpenAI's chat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def read_logprobs(result: object) -> tuple[Any, ...]:
    """Of logprobsResult; see events.TextDelta."""
    if not isinstance(result, Mapping):
        return ()
    chosen, tops = _maps(result.get("chosenCandidates")), _maps(result.get("topCandidates"))
    return tuple(
        _entry(token) | {"top_logprobs": [_entry(top) for top in _tops(tops, index)]}
        for index, token in enumerate(chosen)
    )


def write_logprobs(entries: Sequence[Any]) -> dict[str, Any]:
    return {
        "chosenCandidates": [_candidate(entry) for entry in entries],
        "topCandidates": [{"candidates": _candidates(entry.get("top_logprobs") or ())} for entry in entries],
    }


def average(entries: Sequence[Any]) -> float:
    return float(sum(entry["logprob"] for entry in entries) / len(entries))


def _entry(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """A certain token has a log probability of 0, which Google leaves out."""
    token, logprob = candidate.get("token"), candidate.get("logProbability")
    token = token if isinstance(token, str) else ""
    logprob = logprob if isinstance(logprob, int | float) else 0.0
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _candidate(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"token": entry["token"], "logProbability": entry["logprob"]}


def _candidates(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_candidate(entry) for entry in entries]


def _tops(tops: Sequence[Mapping[str, Any]], index: int) -> list[Mapping[str, Any]]:
    return _maps(tops[index].get("candidates")) if index < len(tops) else []


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []

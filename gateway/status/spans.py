"""Spans of time, from a start until before an end, in Unix seconds. Pure."""

from collections.abc import Iterable, Sequence

Span = tuple[float, float]
Spans = Sequence[Span]
"""In their order, with some time between each and the next."""


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same time without any of it told twice; empty ones fall out."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clip(spans: Iterable[Span], low: float, high: float) -> list[Span]:
    return merge((max(start, low), min(end, high)) for start, end in spans)


def common(one: Spans, other: Spans) -> list[Span]:
    """What is in both."""
    return merge(
        (max(one_start, other_start), min(one_end, other_end))
        for one_start, one_end in one
        for other_start, other_end in other
        if one_start < other_end and other_start < one_end
    )


def common_to_all(each: Sequence[Spans]) -> list[Span]:
    """What is in all of them; of none, nothing."""
    if not each:
        return []
    found = list(each[0])
    for spans in each[1:]:
        found = common(found, spans)
    return found


def length(spans: Spans) -> int:
    """In whole seconds."""
    return round(sum(end - start for start, end in spans))

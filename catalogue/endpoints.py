"""The endpoints at which clients call, in the published vocabulary."""

from collections.abc import Collection, Iterable, Mapping

from providers.operations.registry import BY_ENDPOINT, GENERATION, OPERATIONS, answers

__all__ = ["GENERATION", "Openings", "answered", "answers", "openings"]

Openings = Mapping[frozenset[str], Collection[int] | None]
"""Endpoints of one kind of call → ids of the providers that can be asked for them now. None: switches do not count."""

CALLED = tuple(sorted(BY_ENDPOINT))
LISTED = (
    "audio.generations",
    "audio.speech",
    "audio.transcriptions",
    "audio.translations",
    "batches",
    "images.edits",
    "images.generations",
    "moderations",
    "music.generations",
    "ocr",
    "realtime",
    "rerank",
    "video.edits",
    "video.generations",
    "voice.design",
)
"""Those that this gateway tells of and cannot call."""


def answered(offered: Iterable[str]) -> frozenset[str]:
    """What clients may call where a provider offers these."""
    offered = frozenset(offered)
    return offered if offered.isdisjoint(GENERATION) else offered | GENERATION


def openings(formats: Mapping[int, str] | None) -> Openings:
    """`formats` are the wire formats of the providers that calls can go to, by id."""
    return {
        operation.endpoints: None
        if formats is None
        else [id_ for id_, wire_format in formats.items() if wire_format in operation.wire_formats]
        for operation in OPERATIONS
    }

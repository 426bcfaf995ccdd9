"""What providers count and charge for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INPUT_TEXT = "input_text_tokens"
OUTPUT_TEXT = "output_text_tokens"
CACHED_READ_TEXT = "cached_read_text_tokens"
CACHED_WRITE_TEXT = "cached_write_text_tokens"
CACHED_WRITE_TEXT_5M = "cached_write_text_tokens_5m"
CACHED_WRITE_TEXT_1H = "cached_write_text_tokens_1h"

METERS: Mapping[str, tuple[str, str]] = {
    "input_text_tokens": ("Input text tokens", "token"),
    "output_text_tokens": ("Output text tokens", "token"),
    "cached_read_text_tokens": ("Cached input tokens read", "token"),
    "cached_write_text_tokens": ("Input tokens written to the cache", "token"),
    "cached_write_text_tokens_5m": ("Input tokens cached for 5 minutes", "token"),
    "cached_write_text_tokens_1h": ("Input tokens cached for an hour", "token"),
    "implicit_cached_input_text_tokens": ("Input tokens cached unasked", "token"),
    "reasoning_tokens": ("Reasoning tokens", "token"),
    "input_tokens": ("Input tokens of any kind", "token"),
    "output_tokens": ("Output tokens of any kind", "token"),
    "total_tokens": ("Input and output tokens", "token"),
    "input_image_tokens": ("Input image tokens", "token"),
    "output_image_tokens": ("Output image tokens", "token"),
    "cached_read_image_tokens": ("Cached image tokens read", "token"),
    "input_audio_tokens": ("Input audio tokens", "token"),
    "output_audio_tokens": ("Output audio tokens", "token"),
    "cached_read_audio_tokens": ("Cached audio tokens read", "token"),
    "input_video_tokens": ("Input video tokens", "token"),
    "output_video_tokens": ("Output video tokens", "token"),
    "cached_read_video_tokens": ("Cached video tokens read", "token"),
    "input_images": ("Input images", "image"),
    "output_images": ("Output images", "image"),
    "image_pixels": ("Image pixels", "pixel"),
    "input_audio_seconds": ("Input audio seconds", "second"),
    "input_audio_minutes": ("Input audio minutes", "minute"),
    "audio_minutes": ("Audio minutes", "minute"),
    "input_video_seconds": ("Input video seconds", "second"),
    "output_video_seconds": ("Output video seconds", "second"),
    "output_videos": ("Output videos", "video"),
    "video_pixels": ("Video pixels", "pixel"),
    "input_characters": ("Input characters", "character"),
    "input_text_bytes": ("Input text bytes", "byte"),
    "input_text_messages": ("Input messages", "message"),
    "input_pages": ("Input pages", "page"),
    "credits": ("Credits of the provider", "credit"),
    "requests": ("Requests", "request"),
    "web_searches": ("Web searches", "search"),
}
"""By meter: how curators read it, and its unit."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A count of a call's usage, and the meters that may charge it, best first: only the first that has a price does.

    `parts` are charged before it and by meters of their own, as far as those have a price. `less` are counts that are
    charged apart from a part.
    """

    name: str
    meters: Sequence[str]
    parts: "Sequence[Counted]" = ()
    less: Sequence[str] = ()


_CACHED_READS = (CACHED_READ_TEXT, "implicit_cached_input_text_tokens")
_KINDS = ("audio", "image", "video")
_CACHED_BY_KIND = tuple(f"cached_read_{kind}_tokens" for kind in _KINDS)
_INPUT = (
    *(
        Counted(cached, (cached, *_CACHED_READS, f"input_{kind}_tokens"))
        for kind, cached in zip(_KINDS, _CACHED_BY_KIND, strict=True)
    ),
    # Cached tokens of a kind that the provider does not tell count as text.
    Counted("cached_read_tokens", _CACHED_READS, less=_CACHED_BY_KIND),
    Counted("cached_write_1h_tokens", (CACHED_WRITE_TEXT_1H, CACHED_WRITE_TEXT, CACHED_WRITE_TEXT_5M)),
    Counted(
        "cached_write_tokens", (CACHED_WRITE_TEXT_5M, CACHED_WRITE_TEXT), less=("cached_write_1h_tokens",)
    ),
    *(
        Counted(f"input_{kind}_tokens", (f"input_{kind}_tokens",), less=(cached,))
        for kind, cached in zip(_KINDS, _CACHED_BY_KIND, strict=True)
    ),
)
_OUTPUT = tuple(
    Counted(name, (name,))
    for name in ("reasoning_tokens", "output_audio_tokens", "output_image_tokens", "output_video_tokens")
)
COUNTED: Sequence[Counted] = (
    Counted("input_tokens", (INPUT_TEXT, "input_tokens", "total_tokens"), _INPUT),
    Counted("output_tokens", (OUTPUT_TEXT, "output_tokens", "total_tokens"), _OUTPUT),
    # Whatever is no token is charged by the meter of its own name. Requests are not counted: each call is one.
    *(Counted(name, (name,)) for name, (_, unit) in METERS.items() if unit not in {"token", "request"}),
)
"""All that a call's usage may count."""

METER_CHOICES = [(meter, label) for meter, (label, _unit) in METERS.items()]


def unit_of(meter: str) -> str:
    return METERS[meter][1]

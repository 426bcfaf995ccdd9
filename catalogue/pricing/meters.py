"""What providers count and charge for. Pure."""

from collections.abc import Mapping, Sequence

INPUT_TEXT = "input_text_tokens"
OUTPUT_TEXT = "output_text_tokens"
CACHED_READ_TEXT = "cached_read_text_tokens"
CACHED_WRITE_TEXT = "cached_write_text_tokens"
CACHED_WRITE_TEXT_5M = "cached_write_text_tokens_5m"
CACHED_WRITE_TEXT_1H = "cached_write_text_tokens_1h"

# For each kind of token, the meters that may count it, best first: only the first that has a price does.
CACHED_READS: Sequence[str] = (CACHED_READ_TEXT, "implicit_cached_input_text_tokens")
CACHED_READS_BY_KIND: Sequence[Sequence[str]] = tuple(
    (f"cached_read_{kind}_tokens", *CACHED_READS, f"input_{kind}_tokens")
    for kind in ("audio", "image", "video")
)
CACHED_WRITES_5M: Sequence[str] = (CACHED_WRITE_TEXT_5M, CACHED_WRITE_TEXT)
CACHED_WRITES_1H: Sequence[str] = (CACHED_WRITE_TEXT_1H, CACHED_WRITE_TEXT, CACHED_WRITE_TEXT_5M)
INPUTS: Sequence[str] = (INPUT_TEXT, "input_tokens", "total_tokens")
OUTPUTS: Sequence[str] = (OUTPUT_TEXT, "output_tokens", "total_tokens")

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

METER_CHOICES = [(meter, label) for meter, (label, _unit) in METERS.items()]


def unit_of(meter: str) -> str:
    return METERS[meter][1]

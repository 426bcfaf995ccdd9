"""The folder's words in ours: endpoints, meters, plans, statuses. Pure tables."""

from collections.abc import Mapping

ENDPOINTS: Mapping[str, str] = {
    "text.generate": "chat.completions",
    "text.embed": "embeddings",
    "embeddings": "embeddings",
    "text.rerank": "rerank",
    "rerank": "rerank",
    "text.moderate": "moderations",
    "moderations.create": "moderations",
    "image.generate": "images.generations",
    "image.generations": "images.generations",
    "images.generations": "images.generations",
    "image.edit": "images.edits",
    "image.edits": "images.edits",
    "images.edits": "images.edits",
    "video.generate": "video.generations",
    "video.edit": "video.edits",
    "music.generate": "music.generations",
    "audio.speech": "audio.speech",
    "audio.generate": "audio.generations",
    "audio": "audio.generations",
    "audio.transcription": "audio.transcriptions",
    "audio.transcribe": "audio.transcriptions",
    "audio.translations": "audio.translations",
    "audio.realtime": "realtime",
    "voice.design": "voice.design",
    "ocr": "ocr",
    "batch": "batches",
}
"""Capability → endpoint of the published vocabulary."""

METERS: Mapping[str, str] = {
    "output_reasoning_tokens": "reasoning_tokens",
    "native_web_search_requests": "web_searches",
    "input_image": "input_images",
    "output_image": "output_images",
    "output_video": "output_videos",
    "bfl_credits": "credits",
}
"""Meters whose names differ; all others are the same word in both."""

UNITS: Mapping[str, str] = {"web_searches": "request"}
"""Units whose names differ, by our meter."""

USABLE_STATUSES = frozenset({"active", "deranked_lvl1", "deranked_lvl2", "deprecated"})
"""Of a capability: calls may go there."""

RETIRED = "Retired"
UNRELEASED = frozenset({"Announced", "Rumoured", "Withheld"})
OPEN_PROVIDERS = frozenset({"Active", "Alpha"})
DEFAULT_PRIORITY = 100

PARAMS_OF_FLAGS: Mapping[str, str] = {
    "tool_call": "tools",
    "structured_output": "structured_outputs",
    "reasoning": "reasoning",
    "temperature": "temperature",
}
"""Flags of a capability that say a parameter."""

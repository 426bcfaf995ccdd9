"""The words that the catalogue knows for endpoints, modalities and parameters; any other takes a second act. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches

from catalogue.endpoints import CALLED, LISTED

MEANT = "!"
"""Before a word that nobody knows and that is meant all the same: typed in forms, sheets and files, never kept."""

MODALITIES = (
    "text",
    "image",
    "audio",
    "video",
    "file",
    "document",
    "embeddings",
    "rerank",
    "moderations",
    "audio_tts",
    "audio_stt",
    "audio_music",
    "action",
)
PARAMETERS = (
    *("tools", "tool_choice", "parallel_tool_calls", "response_format", "structured_outputs"),
    *("reasoning", "reasoning_effort", "include_reasoning", "thinking", "thinking_budget", "verbosity"),
    *(
        "reasoning.effort",
        "reasoning.enabled",
        "reasoning.mode",
        "reasoning_split",
        "enable_thinking",
        "random_seed",
        "safe_prompt",
    ),
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "stop", "seed", "n", "candidate_count"),
    *("temperature", "top_p", "top_k", "top_a", "min_p", "repetition_penalty", "frequency_penalty"),
    *(
        "presence_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "stream",
        "stream_options",
        "service_tier",
    ),
    *("metadata", "user", "store", "prediction", "modalities", "prompt_cache_key", "safety_identifier"),
    *("web_search_options", "include", "completion_window", "endpoint", "functions", "function_call"),
    *("dimensions", "encoding_format", "input", "input_type", "output_dtype", "truncation", "task_type"),
    *("query", "documents", "top_n", "prompt", "negative_prompt", "size", "quality", "aspect_ratio"),
    *(
        "resolution",
        "width",
        "height",
        "steps",
        "ratio",
        "image",
        "input_image",
        "input_video",
        "input_audio",
    ),
    *("input_audio_duration", "input_reference", "input_references", "reference_images", "last_frame"),
    *(
        "last_frame_uri",
        "duration",
        "fps",
        "generate_audio",
        "camera_motion",
        "enhance_prompt",
        "callback_url",
    ),
    *("voice", "speed", "format", "language", "lyrics", "diarize", "timestamp_granularities", "keywords"),
    *("chunking_strategy", "context_bias", "target_streaming_delay_ms", "provider_params", "content"),
    *("document", "pages", "image_limit", "image_min_size", "include_blocks", "include_image_base64"),
    *("table_format", "extract_header", "extract_footer", "bbox_annotation_format"),
    *("confidence_scores_granularity", "document_annotation_format", "document_annotation_prompt"),
)
ROUTED_INPUTS = ("text", "image", "audio")
"""What a call's input can be told by, where a named route asks."""
ROUTED_ENDPOINTS = CALLED
ROUTED_TROUBLES = ("context_length_exceeded", "content_filter")
"""With a request, for which a named route's next member may answer: as gateway.proxy.fallbacks knows them."""
VOCABULARY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "endpoints": ("endpoint", (*CALLED, *LISTED)),
    "input_types": ("modality", MODALITIES),
    "output_types": ("modality", MODALITIES),
    "params": ("parameter", PARAMETERS),
}
"""By column: what one of its words is called, and all that are known. Words of other columns are free."""

_SHOWN = 24
_NEAR = 3


def unknown(column: str, words: Iterable[str]) -> list[str]:
    known = VOCABULARY[column][1]
    return [word for word in words if word not in known]


def settle(column: str, words: Iterable[str], kept: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The words as they are kept, and what is wrong with them. `kept` are those that the row has already."""
    known, settled, faults = VOCABULARY[column][1], [], []
    for word in words:
        name = word.removeprefix(MEANT)
        if word not in known and word not in kept and not (word.startswith(MEANT) and name):
            faults.append(_fault(column, word))
        settled.append(name if word.startswith(MEANT) and name else word)
    return list(dict.fromkeys(settled)), faults


def written(column: str, words: Iterable[str]) -> Iterator[str]:
    """As a sheet writes them, so that they can be read again anywhere."""
    known = VOCABULARY[column][1] if column in VOCABULARY else None
    for word in words:
        yield word if known is None or word in known else f"{MEANT}{word}"


def _fault(column: str, word: str) -> str:
    name, known = VOCABULARY[column]
    near = get_close_matches(word.lower(), known, n=_NEAR, cutoff=0.6)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    shown = ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
    article = "an" if name[0] in "aeiou" else "a"
    return (
        f"“{word}” is not {article} {name} that is known.{meant} "
        f"To keep it all the same write {MEANT}{word}. Known are {shown}."
    )

"""How many tokens a request takes, as far as that can be told without the model's own tokeniser. Pure.

One rule for all who ask: routing (does it fit the window?), the bill where a provider tells nothing, and clients that
have their tokens counted. It is a quarter of the bytes of what is said, as JSON: English has some four letters a token,
and what marks messages and calls in JSON is about as long as what marks them in a model's own template. "Hi" alone
takes 8 tokens by OpenAI's count and by this. Pictures, sounds and files count by their kind.

Sources: https://help.openai.com/en/articles/4936856 (letters a token),
https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken (what marks messages),
https://platform.openai.com/docs/guides/images-vision (pictures, by patches of 32 pixels),
https://docs.claude.com/en/docs/build-with-claude/pdf-support (pages), https://ai.google.dev/gemini-api/docs/audio
(seconds of sound).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import compress, repeat
from operator import eq, itemgetter, methodcaller, not_
from typing import Any

from orjson import dumps

from providers.wire.usage import Counts, Usage, counted

_MOST_OUTPUT = ("max_completion_tokens", "max_tokens", "max_output_tokens", "maxOutputTokens")
_CHOICES = ("n", "candidateCount", "candidate_count")
_GOOGLES = frozenset({"generationConfig", "generation_config"})
"""Where Google's requests say it."""
BYTES_PER_TOKEN = 4
CHARS_PER_TOKEN = 4
_IMAGE = 1_024 * BYTES_PER_TOKEN
"""A megapixel."""
FILE_CHARS = 1_024 * CHARS_PER_TOKEN
"""What a file that was generated counts as, where the provider does not say."""
_PAGE = 1_500 * BYTES_PER_TOKEN
"""The least of a document, and all of one that is only named."""
_BASE64_PER_TOKEN = 256
"""A scanned page is some 400 KB of base64 and 1,500 tokens, a minute of MP3 640 KB and 1,900.

Denser ones are taken for less than they are: a count too high would refuse what a provider can read.
"""

_SCHEMAS = frozenset(
    {"schema", "responseSchema", "response_schema", "responseJsonSchema", "response_json_schema"}
)
# Inside of what is said: what holds parts, and which parts are media.
_HOLDERS = frozenset({"content", "parts", "output", "images", "functionResponse", "function_response"})
_IMAGES = frozenset({"image_url", "input_image", "image", "computer_screenshot", "image_generation_call"})
_FILES = frozenset({"file", "input_file", "document"})
_GOOGLE_MEDIA = frozenset({"inlineData", "inline_data", "fileData", "file_data"})
_content, _role = methodcaller("get", "content"), methodcaller("get", "role")
_TEXTS = {str}
_role_of, _content_of = itemgetter("role"), itemgetter("content")
_TWO_MEMBERS = {2}
_SPEAKERS = frozenset({"system", "developer", "user", "assistant"})
# How many members a plain message has, of what type its content is, and who says it.
_PLAIN = frozenset((2, str, role) for role in _SPEAKERS)
_LONG = 1_024
_BLOCK = _LONG // 2
_OF_NUMBERS = (int, list)
# How the names of all of them begin.
_MEDIA = re.compile(rb'"(?:i(?:mage|nput_(?!text")|nline)|file|document"|computer_)')
_ENCODED = re.compile(rf"data:|[A-Za-z0-9+/_-]{{{_LONG}}}")


def estimate_input_tokens(body: Mapping[str, Any], *, is_plain: bool = False) -> int:
    """Of a request of any surface, parsed and checked. Never 0. `is_plain`: its messages are, as `are_plain` has it."""
    length = 0
    for name in body.keys() & _NAMES:
        if is_plain and name == "messages":
            length += len(dumps(body[name]))
        else:
            length += _PROMPT[name](body[name])
    return -(-length // BYTES_PER_TOKEN) or 1


def most_output_tokens(body: Mapping[str, Any]) -> int | None:
    """How many a client allows all choices of its answer together; None where it does not say."""
    said = body
    if not _GOOGLES.isdisjoint(body):
        said = body.get("generationConfig") or body.get("generation_config") or body
        if type(said) is not dict:
            return None
    for name in _MOST_OUTPUT:
        if type(each := said.get(name)) is int:
            break
    else:
        return None
    if said.keys().isdisjoint(_CHOICES):
        return each
    for name in _CHOICES:
        if name in said and type(choices := said[name]) is int:
            return each * max(choices, 1)
    return each


def estimate_usage(body: Mapping[str, Any], output_chars: int) -> Usage:
    """What a call used whose provider did not say. Marked."""
    generated = -(-output_chars // CHARS_PER_TOKEN)
    counts = counted(input_tokens=estimate_input_tokens(body), output_tokens=generated)
    return Usage(counts, is_estimated=True)


def missing_usage(body: Mapping[str, Any], output_chars: int, *, has_output: bool) -> Usage:
    """What is told and billed where a provider reports nothing: of what it did not generate, nothing."""
    return estimate_usage(body, output_chars) if has_output else Usage(is_estimated=True)


@dataclass(slots=True)
class UsageReport:
    """How many characters a provider had generated when it last told its usage.

    `is_early`: none, and nothing else either, so that it said nothing of what was generated.
    """

    chars: int = 0
    is_early: bool = False

    def note(self, chars: int, *, has_output: bool) -> None:
        self.chars, self.is_early = chars, not has_output

    def complete(self, usage: Usage | None, chars: int) -> Usage | None:
        """What was told, with an estimate of what was generated since; None where nothing was told."""
        if usage is None or chars == self.chars:
            return usage
        generated = -(-(chars - self.chars) // CHARS_PER_TOKEN)
        counts = Counts(usage.counts)
        counts["output_tokens"] += generated
        return replace(usage, counts=counts, is_estimated=True)


def _length(value: object) -> int:
    """In bytes of JSON; of media, as many as their tokens are worth."""
    if isinstance(value, list) and value and type(value[0]) in _OF_NUMBERS:
        return _length_of_list(value)
    encoded = dumps(value)
    # Most of what is said holds no media, and a look at all of it at once costs less than one at each part.
    length = len(encoded)
    if isinstance(value, list) and are_plain(value):
        return length
    if not _MEDIA.search(encoded) and (length < _LONG or not _may_be_encoded(encoded)):
        return length
    if isinstance(value, list):
        return _length_of_list(value)
    return _length_of_part(value) if isinstance(value, Mapping) else length


def _may_be_encoded(text: bytes) -> bool:
    """Whether some string of it may be as long as `_LONG` without a blank: it fills one of these blocks."""
    begins, ends = range(0, len(text) - _BLOCK + 1, _BLOCK), range(_BLOCK, len(text) + 1, _BLOCK)
    are_unbroken = map(eq, map(text.find, repeat(b" "), begins, ends), repeat(-1))
    unbroken = compress(zip(begins, ends, strict=True), are_unbroken)
    return any(text.find(b'"', begin, end) < 0 for begin, end in unbroken)


def _length_of_list(items: list[Any]) -> int:
    if items and type(items[0]) is int:
        # Numbers of tokens.
        return BYTES_PER_TOKEN * len(items)
    # With brackets and commas.
    return sum(map(_length, items)) + len(items) + 1


def are_texts(messages: Iterable[Any]) -> bool:
    """Whether they are messages, each of one text, as most are. Takes no step of ours for each of many."""
    try:
        return set(map(type, map(_content, messages))) == _TEXTS
    except (AttributeError, TypeError):
        return False


def are_plain(messages: Iterable[Any]) -> bool:
    """Whether each is one text and the role of who says it, and nothing else, as most are. As quickly."""
    try:
        return (
            set(map(len, messages)) == _TWO_MEMBERS
            and set(map(type, map(_content_of, messages))) == _TEXTS
            and set(map(_role_of, messages)) <= _SPEAKERS
        )
    except (KeyError, TypeError):
        return False


def odd_places(messages: list[Any]) -> list[int]:
    """Of messages that are not plain, as `are_plain` has it. As quickly."""
    try:
        texts = map(type, map(_content, messages))
        shapes = list(zip(map(len, messages), texts, map(_role, messages), strict=True))
        return list(compress(range(len(shapes)), map(not_, map(_PLAIN.__contains__, shapes))))
    except (AttributeError, TypeError):
        return list(range(len(messages)))


def _length_of_part(part: Mapping[str, Any]) -> int:
    """Of a part, or of a message that holds some."""
    if medium := _length_of_medium(part):
        return medium
    if held := part.keys() & _HOLDERS:
        around = len(dumps({**part, **dict.fromkeys(held, 0)})) - len(held)
        return around + sum([_length(part[name]) for name in held])
    length = len(dumps(part))
    return length if length < _LONG else length - _excess(part)


def _excess(value: object) -> int:
    """By how much what is encoded in an unknown part, such as a signature, is longer than its tokens are worth."""
    if isinstance(value, str):
        is_encoded = len(value) >= _LONG and _ENCODED.match(value)
        return len(value) - len(value) // _BASE64_PER_TOKEN * BYTES_PER_TOKEN if is_encoded else 0
    if isinstance(value, Mapping):
        return sum([_excess(inner) for name, inner in value.items() if name != "text"])
    return sum(map(_excess, value)) if isinstance(value, list) else 0


def _length_of_medium(part: Mapping[str, Any]) -> int:
    """Of a picture, a sound or a file, as any surface has it; 0 for what is none."""
    for name in part.keys() & _GOOGLE_MEDIA:
        if isinstance(media := part[name], Mapping):
            return _length_of_google(media)
    match part.get("type"):
        case str(kind) if kind in _IMAGES:
            return _IMAGE
        case "input_audio":
            return _length_of_data(part.get("input_audio"), least=0)
        case str(kind) if kind in _FILES:
            media = part.get(kind) or part.get("source")
            return _length_of_data(media if isinstance(media, Mapping) else part, least=_PAGE)
    return 0


def _length_of_google(media: Mapping[str, Any]) -> int:
    kind = str(media.get("mimeType") or media.get("mime_type"))
    if kind.startswith("image/"):
        return _IMAGE
    if kind.startswith("text/"):
        return _length_of_text(media.get("data"))
    return _length_of_data(media, least=0 if kind.startswith("audio/") else _PAGE)


def _length_of_data(media: object, *, least: int) -> int:
    """Of a sound or a document, by its size where that is known."""
    if not isinstance(media, Mapping):
        return _PAGE
    data = media.get("data") or media.get("file_data")
    if media.get("type") in {"text", "content"}:
        # Anthropic's documents of plain text and of blocks.
        return _length(data or media.get("content"))
    if not isinstance(data, str):
        return _PAGE
    if data.startswith("data:text/"):
        return _length_of_text(data)
    return max(least, len(data) // _BASE64_PER_TOKEN * BYTES_PER_TOKEN)


def _length_of_text(base64: object) -> int:
    """Four letters of base64 are three bytes."""
    return len(base64) * 3 // 4 if isinstance(base64, str) else _PAGE


def _length_of_schema(form: object) -> int:
    """Of the one in a form of the answer, wherever in it that stands; 0 where there is none."""
    if not isinstance(form, Mapping):
        return 0
    for name in form.keys() & _SCHEMAS:
        return len(dumps(form[name]))
    return sum(map(_length_of_schema, form.values()))


def _length_of_json(value: object) -> int:
    return len(dumps(value))


# Where each surface keeps what is said, what is offered, and the form of the answer with its schema.
_PROMPT: Mapping[str, Callable[[Any], int]] = {
    **dict.fromkeys(("messages", "input", "contents", "prompt"), _length),
    **dict.fromkeys(("system", "systemInstruction", "system_instruction", "instructions"), _length),
    **dict.fromkeys(("tools", "functions"), _length_of_json),
    **dict.fromkeys(("response_format", "text", "output_config"), _length_of_schema),
    **dict.fromkeys(("generationConfig", "generation_config"), _length_of_schema),
}
_NAMES = frozenset(_PROMPT)

"""Pictures that a model made, as OpenRouter's chat has them: `images` of a message or a delta.

Source: https://openrouter.ai/docs/features/multimodal/image-generation (November 2026).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.data_url import data_url, split_data_url
from providers.formats.openai.reasoning import ORIGIN
from providers.wire.events import FileGenerated


def read_images(message: Mapping[str, Any]) -> Iterator[FileGenerated]:
    images = message.get("images")
    for image in images if isinstance(images, list) else ():
        if isinstance(image, Mapping):
            yield from read_image(image)


def read_image(image: Mapping[str, Any]) -> Iterator[FileGenerated]:
    """One entry, or a part of the content of the same shape."""
    place = image.get("image_url")
    url = place.get("url") if isinstance(place, Mapping) else place or image.get("url")
    if not isinstance(url, str) or not url:
        return
    native = dict(image)
    if inline := split_data_url(url):
        media_type, data = inline
        yield FileGenerated(media_type, data, origin=ORIGIN, native=native)
    else:
        yield FileGenerated(url=url, origin=ORIGIN, native=native)


def write_image(file: FileGenerated, index: int) -> dict[str, Any]:
    """`index` is what OpenAI's SDK tells the entries of a streamed list apart by."""
    if file.origin == ORIGIN:
        return {**file.native, "index": index}
    url = file.url or data_url(file.media_type or "image/png", file.data or "")
    return {"type": "image_url", "image_url": {"url": url}, "index": index}

"""Usage in chat's names."""

from providers.formats.openai.format import OpenAIFormat
from providers.wire.usage import read_openai_usage
from tests.used import used


def test_usage_comes_back_without_loss():
    usage = used(
        20,
        10,
        5,
        3,
        4,
        input_audio_tokens=2,
        input_image_tokens=6,
        output_audio_tokens=1,
        output_image_tokens=2,
    )
    assert read_openai_usage(OpenAIFormat().usage(usage)) == usage

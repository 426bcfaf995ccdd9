"""Gemini's countTokens, answered by an estimate.

Source: https://ai.google.dev/api/tokens.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.gemini.fields import Fields
from providers.formats.gemini.request_reader import read_request
from providers.wire.estimate import estimate_input_tokens


def count_tokens(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a request, which holds either contents or a whole generateContentRequest. Raises BadRequest."""
    asked = Fields(body, "").object("generateContentRequest")
    whole = body if asked is None else Fields(body, "").raw("generateContentRequest")
    read_request(whole)
    return {"totalTokens": estimate_input_tokens(whole)}

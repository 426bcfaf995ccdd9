"""OpenAI's embeddings: `POST /v1/embeddings`. Only ever the model asked for: other vectors would not be comparable.

Source: the request type of OpenAI's SDK, 3.54. `input_type` and `truncation` are other vendors'.
"""

from typing import Any

from gateway.proxy.surfaces.base import Surface
from gateway.proxy.surfaces.fields import boolean, either, integer, list_of, one_of, record, refuse, text
from providers.wire.bounds import LONGEST_USER_ID, MOST_INPUTS

_text = text(10_000_000, least=1)
_tokens = list_of(integer(0), least=1)
_batch = list_of(either("a string or a list of token numbers", text(), _tokens), least=1, most=MOST_INPUTS)


def _input(value: Any, param: str) -> None:
    """The first item tells which list it is meant to be, and so what is wrong with the others."""
    if isinstance(value, list):
        is_tokens = bool(value) and isinstance(value[0], int | float)
        return (_tokens if is_tokens else _batch)(value, param)
    if isinstance(value, str):
        return _text(value, param)
    raise refuse(param, "a string, a list of strings, or token numbers", value)


_check = record(
    {
        "model": text(200, least=1),
        "input": _input,
        "dimensions": integer(1, 65_536),
        "encoding_format": one_of("float", "base64"),
        "input_type": text(64),
        "project_id": text(64),
        "truncation": boolean,
        "user": text(LONGEST_USER_ID),
    },
    required=("model", "input"),
)

EMBEDDINGS = Surface(path="/v1/embeddings", endpoint="embeddings", check=_check)

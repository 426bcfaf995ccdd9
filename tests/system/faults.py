"""Malformed requests, generated: every parameter by kind of fault, bodies, headers, methods and paths."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.system.fault_values import (
    BAD_AUTHORIZATIONS,
    CHAT,
    CHAT_TYPES,
    CHAT_VALUES,
    EMBEDDINGS,
    EMBEDDINGS_TYPES,
    EMBEDDINGS_VALUES,
    GOOD_BODIES,
    KEY_QUERIES,
    KEY_TYPES,
    KEY_VALUES,
    KEYS,
    LIST,
    LIST_QUERIES,
    MODELS,
    ODD_IDS,
    SAMPLES,
)
from tests.system.format_values import (
    COMPLETIONS,
    COUNT_TOKENS,
    FORMAT_TYPES,
    FORMAT_VALUES,
    GENERATE,
    GOOD_FORMAT_BODIES,
    MESSAGES,
    RESPONSES,
)

JSON = {"content-type": "application/json"}
ANY_4XX = range(400, 500)
GOOD = GOOD_BODIES | GOOD_FORMAT_BODIES
INFERENCE = (CHAT, EMBEDDINGS, COMPLETIONS, RESPONSES, MESSAGES, COUNT_TOKENS, GENERATE)


@dataclass(frozen=True)
class Fault:
    """One request, and what its refusal is like. `param` None: no parameter is to blame."""

    name: str
    path: str
    content: bytes = b""
    param: str | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    statuses: range | tuple[int, ...] = (400,)


def _body(path: str, **changes: Any) -> bytes:
    return json.dumps(GOOD[path] | changes).encode()


def parameters() -> Iterator[Fault]:
    """Every parameter with every JSON type that it does not take, then values out of range and nested faults."""
    tables = {CHAT: CHAT_TYPES, EMBEDDINGS: EMBEDDINGS_TYPES, KEYS: KEY_TYPES, **FORMAT_TYPES}
    for path, types in tables.items():
        for name, right in types.items():
            for kind in sorted(SAMPLES.keys() - right):
                content = _body(path, **{name: SAMPLES[kind]})
                yield Fault(f"{path} {name} as {kind}", path, content, name)
    values = {CHAT: CHAT_VALUES, EMBEDDINGS: EMBEDDINGS_VALUES, KEYS: KEY_VALUES, **FORMAT_VALUES}
    for path, cases in values.items():
        for index, (changes, param) in enumerate(cases):
            yield Fault(f"{path} value {index} {param}", path, _body(path, **changes), param)


def bodies() -> Iterator[Fault]:
    """What is no JSON object."""
    for path, good in GOOD.items():
        text = json.dumps(good)
        contents = {
            "empty": b"",
            "spaces": b" \n ",
            "not JSON": b"hello",
            "form": b"model=demo&messages=x",
            "XML": b"<model>demo</model>",
            "truncated": text[:-4].encode(),
            "two objects": (text + text).encode(),
            "trailing comma": (text[:-1] + ",}").encode(),
            "single quotes": text.replace('"', "'").encode(),
            "UTF-16": text.encode("utf-16"),
            "UTF-32": text.encode("utf-32"),
            "byte order mark": b"\xef\xbb\xbf" + text.encode(),
            "invalid UTF-8": text.replace("demo", "d\xff").encode("latin-1") + b"\xff",
            "surrogate": text.encode().replace(b'"', b'"\xed\xa0\x80', 1),
            "NUL": text.encode() + b"\x00",
            "only NULs": b"\x00" * 100,
            "NaN": (text[:-1] + ', "temperature": NaN}').encode(),
            "Infinity": (text[:-1] + ', "temperature": -Infinity}').encode(),
            "deep list": b"[" * 100_000 + b"]" * 100_000,
            "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            "deep inside": (text[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}").encode(),
            "null": b"null",
            "number": b"5",
            "string": b'"hello"',
            "list": b"[]",
            "list of requests": f"[{text}]".encode(),
            "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
        }
        for name, content in contents.items():
            blamed = "name" if (path, name) == (KEYS, "empty") else _blamed(path)
            yield Fault(f"{path} body {name}", path, content, blamed, statuses=(400, 415))
        yield Fault(f"{path} body object without anything", path, b"{}", min(good, key=list(good).index))
        for name in list(good)[:2]:
            twice = f'{text[:-1]}, "{name}": 5, "{name}": [{{}}]}}'.encode()
            inner = _TWICE.get((path, name), name)
            yield Fault(f"{path} body {name} twice", path, twice, inner)
        huge = f'{text[:-1]}, "pad": "{"x" * 11_000_000}"}}'.encode()
        yield Fault(f"{path} body huge", path, huge, "body", statuses=(413,))
    digits = "9" * 200_000
    yield Fault("seed of 200,000 digits", CHAT, _body(CHAT)[:-1] + f', "seed": {digits}}}'.encode(), "body")
    digits_as_limit = _body(KEYS)[:-1] + f', "concurrency": {digits}}}'.encode()
    yield Fault("limit of 200,000 digits", KEYS, digits_as_limit)


def _blamed(path: str) -> str | None:
    """Django's side has no name for the body."""
    return None if path == KEYS else "body"


# What is wrong in a list of one empty object.
_TWICE = {
    (CHAT, "messages"): "messages[0].role",
    (EMBEDDINGS, "input"): "input[0]",
    (RESPONSES, "input"): "input[0].type",
    (MESSAGES, "messages"): "messages[0].role",
    (COUNT_TOKENS, "messages"): "messages[0].role",
    (GENERATE, "contents"): "contents[0].parts",
}


def headers() -> Iterator[Fault]:
    """Good bodies under bad headers."""
    for path in GOOD:
        content = _body(path)
        for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "json", ""):
            param = None if path == KEYS else "content-type"
            yield Fault(
                f"{path} content-type {kind}",
                path,
                content,
                param,
                headers={"content-type": kind},
                statuses=(415,),
            )
        for shown in BAD_AUTHORIZATIONS:
            yield Fault(
                f"{path} authorization {shown[:30]!r}",
                path,
                content,
                headers=JSON | {"authorization": shown},
                statuses=(401,),
            )
    # Counting tokens is no call: lane and project say nothing there.
    for path in (path for path in INFERENCE if path != COUNT_TOKENS):
        yield from _inference_headers(path)
    for path in (MODELS, LIST, KEYS):
        for shown in BAD_AUTHORIZATIONS:
            headers = {"authorization": shown}
            name = f"GET {path} authorization {shown[:30]!r}"
            yield Fault(name, path, method="GET", headers=headers, statuses=(401,))
        yield Fault(
            f"GET {path} for a strange host",
            path,
            method="GET",
            headers={"host": "evil.example"},
            statuses=(400,),
        )


def _inference_headers(path: str) -> Iterator[Fault]:
    bad = {
        "content-encoding": ("gzip", "br", "deflate", "zstd", "gzip, gzip", "nonsense"),
        "x-gateway-lane": ("scenic", "WORKER", "worker,direct", "0", "é", "l" * 60_000),
        "x-gateway-project-id": ("two words", "p" * 65, "a/b", "é", "'; DROP TABLE", "p" * 60_000),
    }
    for name, values in bad.items():
        statuses = (415,) if name == "content-encoding" else (400,)
        for index, value in enumerate(values):
            headers = JSON | {name: value}
            yield Fault(
                f"{path} {name} {index} {value[:20]}",
                path,
                _body(path),
                name,
                headers=headers,
                statuses=statuses,
            )


def methods() -> Iterator[Fault]:
    allowed = {path: {"POST"} for path in INFERENCE}
    allowed |= {MODELS: {"GET"}, LIST: {"GET"}, KEYS: {"GET", "POST"}}
    allowed |= {f"{MODELS}/demo/chat": {"GET"}}
    for path, right in allowed.items():
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - right):
            yield Fault(f"{method} {path}", path, b"{}", method=method, statuses=(405,))


def paths() -> Iterator[Fault]:
    """Addresses that are none, and ids that nobody has."""
    for path in (
        "/v1",
        "/v1/",
        "/v1/chat",
        "/v1/chat/completions/",
        "/v1/chat/completions/x",
        "/v1//chat/completions",
        "/v1/completion",
        "/v1/embeddings/",
        "/v1/models/",
        "/v1/gateway",
        "/v1/gateway/",
        "/v1/keys/",
        "/v1/%00",
        "/v1/%ff",
        "/v1/é",
        "/v1/" + "x" * 5000,
    ):
        for method in ("GET", "POST"):
            yield Fault(f"{method} {path[:40]}", path, b"{}", method=method, statuses=(404, 405))
    for index, model in enumerate(ODD_IDS):
        yield Fault(
            f"model {index} {model[:30]!r}",
            f"{MODELS}/{quote(model, safe='')}",
            None,
            "model",
            method="GET",
            statuses=(404,),
        )
        name = f"key {index} {model[:30]!r}"
        yield Fault(name, f"{KEYS}/{quote(model, safe='')}", method="GET", statuses=(404,))
        yield Fault(
            f"chat with {index} {model[:30]!r}", CHAT, _body(CHAT, model=model), "model", statuses=ANY_4XX
        )
    yield Fault("model of bad UTF-8", f"{MODELS}/%ff%fe", None, "model", method="GET", statuses=(404,))


def queries() -> Iterator[Fault]:
    for path, cases in ((LIST, LIST_QUERIES), (KEYS, KEY_QUERIES)):
        for query, param in cases:
            yield Fault(
                f"GET {path}?{query[:30]}", f"{path}?{query}", None, param, method="GET", statuses=(400, 404)
            )


def faults() -> list[Fault]:
    return [*parameters(), *bodies(), *headers(), *methods(), *paths(), *queries()]

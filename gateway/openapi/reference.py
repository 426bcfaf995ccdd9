"""The API document as people read it: every address with its fields, a call to paste, and what comes back. Pure.

A shape is JSON Schema as the document has it (`type`, `properties`, `$ref`, …), a document the whole of OpenAPI 3.0.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Shape = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH = 4
_KEY_LINE = '  -H "Authorization: Bearer $GATEWAY_KEY"'
_JSON_LINE = "  -H 'Content-Type: application/json'"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a member of a body. `place` is empty for members."""

    name: str
    kind: str
    description: str = ""
    is_required: bool = False
    place: str = ""
    bounds: str = ""
    fields: Sequence["Field"] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    needs_key: bool
    call: str
    parameters: Sequence[Field] = ()
    body: Sequence[Field] = ()
    answers: Sequence[Answer] = ()


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    description: str
    operations: Sequence[Operation] = field(default_factory=list)


def read_groups(document: Shape, base_url: str) -> list[Group]:
    """By tag, in the document's order. `base_url` has no slash at its end."""
    reader = _Reader(document, base_url)
    operations = [
        (reader.operation(method, path, item[method]), item[method].get("tags", []))
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    return [
        Group(
            tag["name"],
            tag.get("description", ""),
            [operation for operation, tags in operations if tag["name"] in tags],
        )
        for tag in document["tags"]
    ]


class _Reader:
    def __init__(self, document: Shape, base_url: str) -> None:
        self._document = document
        self._base_url = base_url

    def operation(self, method: str, path: str, said: Shape) -> Operation:
        needs_key = bool(said.get("security"))
        return Operation(
            id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '').replace(':', '-')}",
            method=method.upper(),
            path=path,
            summary=said.get("summary", ""),
            description=said.get("description", ""),
            needs_key=needs_key,
            call=self._call(method, path, said, needs_key=needs_key),
            parameters=[self._parameter(each) for each in said.get("parameters", [])],
            body=self._members(_json_of(said.get("requestBody", {})).get("schema", {}), _DEPTH),
            answers=[self._answer(status, each) for status, each in sorted(said["responses"].items())],
        )

    def _parameter(self, said: Shape) -> Field:
        said = self._followed(said)
        shape = self._followed(said.get("schema", {}))
        return Field(
            said["name"],
            self._kind(shape),
            said.get("description", ""),
            is_required=bool(said.get("required")),
            place=said["in"],
            bounds=_bounds(shape),
        )

    def _members(self, shape: Shape, depth: int) -> list[Field]:
        """Of an object, or of the objects in a list. None below `depth`, for shapes may hold themselves."""
        shape = self._merged(shape)
        if shape.get("type") == "array":
            shape = self._merged(shape.get("items", {}))
        if not depth:
            return []
        required = shape.get("required", [])
        return [
            Field(
                name,
                self._kind(self._merged(member)),
                self._merged(member).get("description", ""),
                is_required=name in required,
                bounds=_bounds(self._merged(member)),
                fields=self._members(member, depth - 1),
            )
            for name, member in shape.get("properties", {}).items()
            if not self._merged(member).get("readOnly")
        ]

    def _kind(self, shape: Shape) -> str:
        if choices := shape.get("oneOf") or shape.get("anyOf"):
            return " or ".join(dict.fromkeys(self._kind(self._merged(each)) for each in choices))
        if shape.get("type") == "array":
            return f"list of {self._kind(self._merged(shape.get('items', {}))) or 'anything'}"
        kind = str(shape.get("type", "")) or ("object" if "properties" in shape else "")
        return f"{kind} or null" if shape.get("nullable") and kind else kind

    def _answer(self, status: str, said: Shape) -> Answer:
        said = self._followed(said)
        return Answer(status, said.get("description", ""), _text(_example(_json_of(said))))

    def _call(self, method: str, path: str, said: Shape, *, needs_key: bool) -> str:
        """As curl makes it, with the first example of a body."""
        verb = "" if method in {"get", "post"} else f"-X {method.upper()} "
        lines = [f"curl {verb}{self._base_url}{path}"]
        lines += [_KEY_LINE] if needs_key else []
        body = _example(_json_of(said.get("requestBody", {})))
        if body is not None:
            lines += [_JSON_LINE, "  -d '" + _text(body).replace("'", "'\\''") + "'"]
        elif method == "post":
            lines[0] = lines[0].replace("curl ", "curl -X POST ", 1)
        return " \\\n".join(lines)

    def _merged(self, shape: Shape) -> Shape:
        """With what it refers to, and all of `allOf` in one."""
        shape = self._followed(shape)
        parts = [self._merged(each) for each in shape.get("allOf", [])]
        if not parts:
            return shape
        joined: dict[str, Any] = {}
        for part in (*parts, shape):
            properties = joined.get("properties", {}) | part.get("properties", {})
            joined = {**joined, **part}
            if properties:
                joined["properties"] = properties
        return joined

    def _followed(self, said: Shape) -> Shape:
        while reference := said.get("$ref"):
            found: Any = self._document
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
            said = found
        return said


def _json_of(said: Shape) -> Shape:
    content: Shape = said.get("content", {}).get("application/json", {})
    return content


def _example(content: Shape) -> Any:
    """The first one; None where there is none."""
    if "example" in content:
        return content["example"]
    return next((each["value"] for each in content.get("examples", {}).values() if "value" in each), None)


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _bounds(shape: Shape) -> str:
    return ", ".join(_said_bounds(shape))


def _said_bounds(shape: Shape) -> Iterator[str]:
    if words := shape.get("enum") or shape.get("items", {}).get("enum"):
        yield "one of " + ", ".join(str(word) for word in words if word not in {None, ""})
    least, most = shape.get("minimum"), shape.get("maximum")
    if least is not None and most is not None:
        yield f"{least} to {most}"
    elif least is not None:
        yield f"at least {least}"
    elif most is not None:
        yield f"at most {most}"
    if "maxLength" in shape:
        yield f"at most {shape['maxLength']} characters"
    if "default" in shape:
        yield f"default {json.dumps(shape['default'])}"

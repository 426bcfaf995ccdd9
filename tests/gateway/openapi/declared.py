"""What the API document declares of each answer, as JSON Schema to hold answers to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from gateway.openapi.reference import METHODS

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """One operation; `document` is the whole of it, and `schemas` knows all that its answers refer to by name."""

    document: Document
    schemas: Draft202012Validator
    path: str
    method: str

    @property
    def id(self) -> str:
        return str(self._said["operationId"])

    @property
    def has_body(self) -> bool:
        return "requestBody" in self._said

    @property
    def has_names(self) -> bool:
        """In its path."""
        return "{" in self.path

    @property
    def needs_key(self) -> bool:
        return bool(self._said["security"])

    @property
    def query(self) -> set[str]:
        return {each["name"] for each in self._said.get("parameters", ()) if each["in"] == "query"}

    def faults(self, status: int, media_type: str, body: Any, headers: set[str]) -> list[str]:
        """Where an answer is another than the document says; empty where it is as it should be."""
        told = self._answer(str(status))
        if told is None:
            return [f"{status} is not declared"]
        missing = {name.lower() for name in told.get("headers", {}) if status >= 400} - headers
        found = [f"header {name} is declared and not sent" for name in sorted(missing)]
        content = told.get("content", {})
        if not content:
            return [*found, *([f"{status} has a body"] if body else [])]
        if media_type not in content:
            return [*found, f"{status} of {media_type} is not declared, but {sorted(content)}"]
        return found + [_told(error) for error in self._validator(content[media_type]).iter_errors(body)]

    @property
    def _said(self) -> Document:
        said: Document = self.document["paths"][self.path][self.method]
        return said

    def _answer(self, status: str) -> Document | None:
        answers = self._said["responses"]
        told = answers.get(status) or answers.get(f"{status[0]}XX")
        if told is None or "$ref" not in told:
            return told
        name = told["$ref"].rpartition("/")[2]
        found: Document = self.document["components"]["responses"][name]
        return found

    def _validator(self, content: Document) -> Draft202012Validator:
        return self.schemas.evolve(schema=_as_json_schema(content["schema"]))


def operations(document: Document) -> Iterator[Declared]:
    named = _as_json_schema(document["components"]["schemas"])
    schemas = Draft202012Validator({"components": {"schemas": named}})
    for path, item in document["paths"].items():
        yield from (Declared(document, schemas, path, method) for method in METHODS if method in item)


def _as_json_schema(shape: Any) -> Any:
    """OpenAPI 3.0 says null in a way of its own."""
    if isinstance(shape, list):
        return [_as_json_schema(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    inner = {name: _as_json_schema(each) for name, each in shape.items()}
    return {"anyOf": [inner, {"type": "null"}]} if shape.get("nullable") is True else inner


def _told(error: Any) -> str:
    return f"{error.json_path}: {error.message[:200]}"

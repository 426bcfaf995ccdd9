"""What the API reference makes of a document: fields with their bounds, a call to paste, and answers."""

from typing import Any

from gateway.openapi.reference import Field, Operation, read_groups

NAMED = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "maxLength": 9}}}


def read(operation: dict[str, Any], *, method: str = "post", **schemas: Any) -> Operation:
    document = {
        "paths": {"/v1/things": {method: {"tags": ["things"], "responses": {}, **operation}}},
        "components": {"schemas": schemas},
        "tags": [{"name": "things"}],
    }
    (group,) = read_groups(document, "https://here")
    (found,) = group.operations
    return found


def body(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema, **more}}}}


def fields(schema: dict[str, Any], **schemas: Any) -> list[Field]:
    return list(read(body(schema), **schemas).body)


def test_member_says_its_kind_its_bounds_and_whether_it_is_required() -> None:
    (member,) = fields(NAMED)
    assert (member.name, member.kind, member.is_required) == ("name", "string", True)
    assert member.bounds == "at most 9 characters"


def test_reference_is_followed() -> None:
    assert fields({"$ref": "#/components/schemas/Named"}, Named=NAMED)[0].name == "name"


def test_parts_of_all_are_one() -> None:
    parts = [{"$ref": "#/components/schemas/Named"}, {"properties": {"size": {"type": "integer"}}}]
    assert [each.name for each in fields({"allOf": parts}, Named=NAMED)] == ["name", "size"]


def test_choices_and_lists_are_said_in_words() -> None:
    shape = {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    (member,) = fields({"properties": {"stop": shape}})
    assert member.kind == "string or list of string"


def test_bounds_are_said_in_words() -> None:
    numbers = {"minimum": 0, "maximum": 2, "default": 1}
    shape = {"properties": {"a": {"type": "number", **numbers}, "b": {"enum": ["x", "y"], "type": "string"}}}
    assert [each.bounds for each in fields(shape)] == ["0 to 2, default 1", "one of x, y"]


def test_shape_that_holds_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    assert fields({"$ref": "#/components/schemas/Node"}, Node=node)[0].fields[0].name == "next"


def test_what_only_answers_hold_is_no_field_of_a_body() -> None:
    assert fields({"properties": {"id": {"type": "string", "readOnly": True}}}) == []


def test_call_holds_the_first_example_and_survives_a_shell() -> None:
    operation = read(body(NAMED, examples={"one": {"value": {"name": "it's"}}}) | {"security": [{"key": []}]})
    assert operation.call == (
        'curl https://here/v1/things \\\n  -H "Authorization: Bearer $GATEWAY_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n  -d '{\n  \"name\": \"it'\\''s\"\n}'"
    )


def test_call_without_a_body_names_its_method() -> None:
    assert read({}, method="delete").call == "curl -X DELETE https://here/v1/things"
    assert read({}, method="get").call == "curl https://here/v1/things"


def test_answers_come_in_order_with_their_example() -> None:
    content = {"application/json": {"example": {"ok": True}}}
    answers = {"404": {"description": "No."}, "200": {"description": "Yes.", "content": content}}
    found = read({"responses": answers}).answers
    assert [(each.status, each.example) for each in found] == [("200", '{\n  "ok": true\n}'), ("404", "")]

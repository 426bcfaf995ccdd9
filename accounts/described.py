"""How the operations on a team's rows are described in the API document."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.fields import empty

_View = TypeVar("_View", bound=Callable[..., Any])
TEAM = OpenApiParameter(
    "team",
    {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    description="The team's slug; needed by people who belong to several teams.",
)


def operation(
    name: str,
    summary: str,
    *,
    responses: Any,
    request: Any = empty,
    query: Sequence[Any] = (),
    sent: Any = None,
    case: str = "Request",
    told: Any = None,
) -> Callable[[_View], _View]:
    """Describes a view's method: `name` is the operation's id, `query` what it takes beside the team.

    `sent` and `told` are an example's body and its answer; `case` says what the example is of.
    """
    return extend_schema(
        tags=["team"],
        operation_id=name,
        summary=summary,
        parameters=[TEAM, *query],
        request=request,
        responses=responses,
        examples=examples(sent=sent, case=case, told=told),
    )


def examples(*, sent: Any = None, case: str = "Request", told: Any = None) -> list[OpenApiExample]:
    made = []
    if sent is not None:
        made.append(OpenApiExample(case, value=sent, request_only=True))
    if told is not None:
        made.append(OpenApiExample("Answer", value=told, response_only=True))
    return made


def page_of_one(row: Any) -> dict[str, Any]:
    """A list's answer that holds this row."""
    return {"object": "list", "total": 1, "limit": 50, "offset": 0, "data": [row]}

"""What `/v1/limits` and `/v1/budgets` have in common: rows of a team, each for one who belongs to it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.described import operation, page_of_one
from accounts.management_view import ManagementView, checked, find_row, page_of, team_of
from accounts.models import Budget, Limit
from accounts.subject_rows import Owner, check_may_set, find_subject, subject_columns
from accounts.subject_serializers import SubjectListParameters
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField


class _SubjectView(ManagementView):
    kind: ClassVar[type[Limit] | type[Budget]]
    write: ClassVar[Any]
    """Rows as JSON, a static method: a list of them as a list."""

    def rows_of(self, team: Any) -> Any:
        return self.kind.objects.for_team(team).with_subjects()

    def check_may_set(self, subject: Any) -> None:
        """Raises Refused."""
        check_may_set(self.acting(), subject)

    def told(self, row: Any, answer_status: int = status.HTTP_200_OK) -> Response:
        return Response(self.write([row])[0], status=answer_status)


class SubjectRowsView(_SubjectView):
    """A list, and one more; made again with the same terms, it is the same one."""

    new: ClassVar[type[Any]]
    measure: ClassVar[Sequence[str]]
    """The terms of which each subject has one row."""

    def make(self, subject: Owner, terms: dict[str, Any]) -> Any:
        raise NotImplementedError

    def get(self, request: Request) -> Response:
        query = checked(SubjectListParameters, request.query_params.dict())
        team = team_of(request, query.get("team"))
        rows = self.rows_of(team)
        if "subject" in query:
            rows = rows.filter(**{f"{query['subject']}__isnull": False})
        if "subject_id" in query:
            if "subject" not in query:
                raise InvalidField("subject", "subject is needed to say what subject_id names.")
            rows = rows.filter(**subject_columns(find_subject(team, query["subject"], query["subject_id"])))
        return page_of(rows, query, self.write)

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(), checked(self.new, request.data)
        kind = given.pop("subject")
        subject = find_subject(team, kind, given.pop("subject_id", None))
        self.check_may_set(subject)
        measure = {term: given[term] for term in self.measure}
        there = self.kind.objects.with_subjects().filter(**subject_columns(subject), **measure)
        try:
            if not there.exists():
                return self.told(self.make(subject, given), status.HTTP_201_CREATED)
        except InvalidField:
            # Of two at once the second finds it made.
            if not there.exists():
                raise
        row = there.get()
        for term, value in given.items():
            if getattr(row, term) != value:
                raise _other(row, term)
        return self.told(row)


class SubjectActView(_SubjectView):
    """Of one of them."""

    def find(self, text: str) -> Any:
        what = f"{self.kind._meta.verbose_name} '{text}' in this team"
        return find_row(self.rows_of(self.asked_team()), text, what)

    def find_changeable(self, text: str) -> Any:
        row = self.find(text)
        self.check_may_set(row.subject_row)
        return row


class SubjectRowView(SubjectActView):
    """One of them."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return self.told(self.find(id))


def _other(row: Any, term: str) -> ApiError:
    message = f"There is such a {row._meta.verbose_name}, with another {term}. Change that one: its id is '{row.pk}'."
    return ApiError(message, status=409, code="already_exists", param=term)


def rows_schema(name: str, new: Any, told: Any, page: Any, *, sent: Any, case: str, example: Any) -> Any:
    return extend_schema_view(
        get=operation(
            f"{name}_list",
            f"List the {name}s of the team and of all that belongs to it, with what is left of them",
            query=[SubjectListParameters],
            responses=page,
            told=page_of_one(example),
        ),
        post=operation(
            f"{name}_create",
            f"Make a {name}; one that is there with the same terms is answered with 200",
            request=new,
            responses={201: told, 200: told},
            sent=sent,
            case=case,
            told=example,
        ),
    )


def row_schema(name: str, changes: Any, told: Any, *, sent: Any, case: str, example: Any) -> Any:
    return extend_schema_view(
        get=operation(f"{name}_retrieve", f"One {name}", responses=told, told=example),
        patch=operation(
            f"{name}_partial_update",
            f"Change a {name}, in force within a second",
            request=changes,
            responses=told,
            sent=sent,
            case=case,
            told=example,
        ),
        delete=operation(f"{name}_destroy", f"Remove a {name} that is the team's own", responses={204: None}),
    )

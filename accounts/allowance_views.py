"""`/v1/allowances`: the limits and budgets that each new key and member of a team gets, and may have at most."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_serializer, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.allowances import remove_allowance, set_allowance
from accounts.described import operation, page_of_one
from accounts.management_view import ManagementView, checked, find_row, page_of, team_of
from accounts.models import Allowance
from accounts.money import plain
from accounts.rights import Right
from accounts.serializers import ListParameters, PageSerializer, StrictSerializer
from gateway.core.choice_field import ChoiceField
from gateway.core.errors import ApiError

_ALLOWANCE = {
    "id": "17",
    "object": "allowance",
    "team": "research",
    "whose": "member",
    "unit": "usd",
    "window": "month",
    "amount": "50",
    "most": "200",
}
_NEW = {name: _ALLOWANCE[name] for name in ("whose", "unit", "window", "amount")}


class AllowanceChangesSerializer(StrictSerializer):
    """What a team may change of one: what new keys or members get."""

    amount = serializers.DecimalField(
        max_digits=23,
        decimal_places=10,
        min_value=Decimal("1e-10"),
        help_text="USD, or a whole number of the unit; at most `most`, where staff said that.",
    )


class NewAllowanceSerializer(AllowanceChangesSerializer):
    """What one is made from."""

    whose = ChoiceField(choices=Allowance.Whose.choices)
    unit = ChoiceField(choices=Allowance.Unit.choices)
    window = ChoiceField(
        choices=[word for word in Allowance.Window.values if word != Allowance.Window.NONE],
        allow_null=True,
        required=False,
        help_text="Of money `day`, `week`, `month` or `lifetime`, else `minute` or `day`; `concurrency` has none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | {"window": attrs.get("window") or Allowance.Window.NONE}


class AllowanceSerializer(serializers.ModelSerializer[Allowance]):
    """A limit or a budget that each key or member of a team gets when it is made or they join."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    window = serializers.SerializerMethodField(help_text="null: it counts at any time.")
    amount = serializers.SerializerMethodField(help_text="Of new ones, as text; null: `most`.")
    most = serializers.SerializerMethodField(
        help_text="Staff's: none has more, older ones neither. null: there is no ceiling."
    )

    class Meta:
        model = Allowance
        fields = ["id", "object", "team", "whose", "unit", "window", "amount", "most"]
        read_only_fields = fields

    def get_id(self, row: Allowance) -> str:
        return str(row.pk)

    def get_object(self, row: Allowance) -> str:  # noqa: ARG002  # the framework's signature
        return "allowance"

    def get_window(self, row: Allowance) -> str | None:
        return None if row.window == Allowance.Window.NONE else row.window

    def get_amount(self, row: Allowance) -> str | None:
        return None if row.amount is None else plain(row.amount)

    def get_most(self, row: Allowance) -> str | None:
        return None if row.most is None else plain(row.most)


@extend_schema_serializer(many=False)
class AllowanceListSerializer(PageSerializer):
    """One page of allowances."""

    data = AllowanceSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


@extend_schema_view(
    get=operation(
        "allowance_list",
        "List what each new key and member of the team gets, and has at most",
        query=[ListParameters],
        responses=AllowanceListSerializer,
        told=page_of_one(_ALLOWANCE),
    ),
    post=operation(
        "allowance_create",
        "Say what each new key or member gets; one that is there with the same amount is answered with 200",
        request=NewAllowanceSerializer,
        responses={201: AllowanceSerializer, 200: AllowanceSerializer},
        sent=_NEW,
        case="A month of each member",
        told=_ALLOWANCE,
    ),
)
class AllowancesView(ManagementView):
    """`/v1/allowances`. The team's owners set them."""

    def get(self, request: Request) -> Response:
        query = checked(ListParameters, request.query_params.dict())
        rows = team_of(request, query.get("team")).allowances.select_related("team")
        return page_of(rows, query, lambda page: AllowanceSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(Right.TERMS), checked(NewAllowanceSerializer, request.data)
        measure = {name: given[name] for name in ("whose", "unit", "window")}
        there = team.allowances.filter(**measure).first()
        if there is not None and there.amount is not None and there.amount != given["amount"]:
            message = (
                f"There is such an allowance, with another amount. Change that one: its id is '{there.pk}'."
            )
            raise ApiError(message, status=409, code="already_exists", param="amount")
        made, is_new = set_allowance(team=team, **given)
        answer_status = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(AllowanceSerializer(made).data, status=answer_status)


@extend_schema_view(
    get=operation("allowance_retrieve", "One allowance", responses=AllowanceSerializer, told=_ALLOWANCE),
    patch=operation(
        "allowance_partial_update",
        "Change what new keys or members get; those that there are keep theirs",
        request=AllowanceChangesSerializer,
        responses=AllowanceSerializer,
        sent={"amount": "40"},
        case="Less",
        told=_ALLOWANCE,
    ),
    delete=operation(
        "allowance_destroy", "Give new keys or members nothing of that kind any more", responses={204: None}
    ),
)
class AllowanceView(ManagementView):
    """`/v1/allowances/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(AllowanceSerializer(self._find(id)).data)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        row = self._find(id)
        self.acting(Right.TERMS)
        changes = checked(AllowanceChangesSerializer, request.data, partial=True)
        if "amount" in changes:
            measure = {"whose": row.whose, "unit": row.unit, "window": row.window}
            row, _ = set_allowance(team=row.team, amount=changes["amount"], **measure)
        return Response(AllowanceSerializer(row).data)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        row = self._find(id)
        self.acting(Right.TERMS)
        remove_allowance(allowance=row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _find(self, text: str) -> Allowance:
        rows = self.asked_team().allowances.select_related("team")
        return find_row(rows, text, f"allowance '{text}' in this team")

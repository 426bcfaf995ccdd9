"""`/v1/alert-channels`: where a team's alerts go, whether they arrived, and sending them again."""

from typing import Any

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.alert_serializers import (
    ChannelChangesSerializer,
    ChannelListSerializer,
    ChannelSerializer,
    DeliveryListSerializer,
    DeliverySerializer,
    NewChannelAnswerSerializer,
    NewChannelSerializer,
)
from accounts.alerts import channels
from accounts.described import operation, page_of_one
from accounts.management_view import ManagementView, checked, find_row, page_of, person_of, team_of
from accounts.models import AlertChannel, AlertDelivery
from accounts.rights import Right
from accounts.serializers import ListParameters
from gateway.core.errors import ApiError

_CHANNEL = {
    "id": "ach_0123456789abcdef",
    "object": "alert_channel",
    "team": "research",
    "name": "on-call",
    "kind": "webhook",
    "address": "https://hooks.example.com/…oks1",
    "kinds": ["budget.threshold", "key.leaked"],
    "is_active": True,
    "disabled_because": "",
    "failing_since": None,
    "delivered_at": "2026-11-02T09:31:00Z",
    "former_secret_until": None,
    "created_at": "2026-11-02T09:30:00Z",
}
_DELIVERY = {
    "id": "17",
    "object": "alert_delivery",
    "event": "evt_0123456789abcdef01234567",
    "type": "key.leaked",
    "title": "A key of Research was found in public: billing (sk-gw-0123456789ab-…)",
    "state": "delivered",
    "next_try_at": None,
    "delivered_at": "2026-11-02T09:31:00Z",
    "created_at": "2026-11-02T09:31:00Z",
    "tries": [{"at": "2026-11-02T09:31:00.120Z", "status": 204, "problem": "", "took_ms": 82}],
}
_NEW = {
    "kind": "webhook",
    "name": "on-call",
    "address": "https://hooks.example.com/gatehouse1",
    "kinds": ["budget.threshold", "key.leaked"],
}
_SECRET = {"secret": "whsec_…"}


class _ChannelView(ManagementView):
    def found(self, text: str) -> AlertChannel:
        return self._of(self.asked_team(), text)

    def changeable(self, text: str) -> AlertChannel:
        """Raises ApiError, Refused."""
        channel = self.found(text)
        self.acting(Right.CHANNELS)
        return channel

    def _of(self, team: Any, text: str) -> AlertChannel:
        # What no id has does not reach SQL: PostgreSQL fails on a NUL.
        rows = AlertChannel.objects.filter(team=team).select_related("team")
        channel = rows.filter(public_id=text).first() if text.isprintable() else None
        if channel is None:
            raise ApiError(f"There is no alert channel '{text}' in this team.", status=404, code="not_found")
        return channel


@extend_schema_view(
    get=operation(
        "alert_channel_list",
        "List where the team's alerts go",
        query=[ListParameters],
        responses=ChannelListSerializer,
        told=page_of_one(_CHANNEL),
    ),
    post=operation(
        "alert_channel_create",
        "Make an alert channel; a webhook's secret is told once",
        request=NewChannelSerializer,
        responses={201: NewChannelAnswerSerializer},
        sent=_NEW,
        told=_CHANNEL | _SECRET,
    ),
)
class ChannelsView(ManagementView):
    """`/v1/alert-channels`."""

    def get(self, request: Request) -> Response:
        query = checked(ListParameters, request.query_params.dict())
        rows = AlertChannel.objects.filter(team=team_of(request, query.get("team"))).select_related("team")
        return page_of(rows, query, lambda page: ChannelSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(Right.CHANNELS), checked(NewChannelSerializer, request.data)
        channel, secret = channels.make_channel(team=team, created_by=person_of(request), **given)
        return Response(_with_secret(channel, secret), status=status.HTTP_201_CREATED)


@extend_schema_view(
    get=operation("alert_channel_retrieve", "One alert channel", responses=ChannelSerializer, told=_CHANNEL),
    patch=operation(
        "alert_channel_partial_update",
        "Change an alert channel, or switch it on again",
        request=ChannelChangesSerializer,
        responses=ChannelSerializer,
        sent={"is_active": True},
        told=_CHANNEL,
    ),
    delete=operation(
        "alert_channel_destroy", "Remove an alert channel with its deliveries", responses={204: None}
    ),
)
class ChannelView(_ChannelView):
    """`/v1/alert-channels/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(ChannelSerializer(self.found(id)).data)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        channel = self.changeable(id)
        changes = checked(ChannelChangesSerializer, request.data, partial=True)
        return Response(ChannelSerializer(channels.change_channel(channel=channel, changes=changes)).data)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        self.changeable(id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ChannelSecretView(_ChannelView):
    """`/v1/alert-channels/{id}/rotate-secret`."""

    @operation(
        "alert_channel_rotate_secret",
        "Give a webhook a new secret; for a day the former one signs beside it",
        request=None,
        responses=NewChannelAnswerSerializer,
        told=_CHANNEL | _SECRET,
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        channel = self.changeable(id)
        return Response(_with_secret(channel, channels.rotate_secret(channel=channel)))


class ChannelTestView(_ChannelView):
    """`/v1/alert-channels/{id}/test`."""

    @operation(
        "alert_channel_test",
        "Send a test to an alert channel within seconds",
        request=None,
        responses={202: DeliverySerializer},
        told=_DELIVERY | {"state": "waiting", "type": "channel.test"},
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        delivery = channels.test_channel(channel=self.changeable(id))
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)


class DeliveriesView(_ChannelView):
    """`/v1/alert-channels/{id}/deliveries`."""

    @operation(
        "alert_delivery_list",
        "What was sent to an alert channel, the newest first, with each try",
        query=[ListParameters],
        responses=DeliveryListSerializer,
        told=page_of_one(_DELIVERY),
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002
        query = checked(ListParameters, request.query_params.dict())
        channel = self._of(team_of(request, query.get("team")), id)
        rows = channel.deliveries.select_related("alert")
        return page_of(rows, query, lambda page: DeliverySerializer(page, many=True).data)


class ReplayView(_ChannelView):
    """`/v1/alert-channels/{id}/deliveries/{delivery}/replay`."""

    @operation(
        "alert_delivery_replay",
        "Send an alert once more, under the id that it had",
        request=None,
        responses={202: DeliverySerializer},
        told=_DELIVERY | {"state": "waiting"},
    )
    def post(self, request: Request, id: str, delivery: str) -> Response:  # noqa: A002, ARG002
        channel = self.changeable(id)
        rows = AlertDelivery.objects.filter(channel=channel).select_related("alert", "channel")
        row = find_row(rows, delivery, f"delivery '{delivery}' to this channel")
        again = channels.replay(delivery=row)
        return Response(DeliverySerializer(again).data, status=status.HTTP_202_ACCEPTED)


def _with_secret(channel: AlertChannel, secret: str) -> dict[str, Any]:
    return {**ChannelSerializer(channel).data, "secret": secret or None}

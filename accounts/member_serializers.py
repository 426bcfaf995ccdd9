"""How members and invitations are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import Invitation, Membership
from accounts.models.membership import ROLE_CHOICES
from accounts.serializers import ListParameters, PageSerializer, StrictSerializer, TeamParameter
from gateway.core.choice_field import ChoiceField


class MemberListParameters(ListParameters):
    """The query of a list of members."""

    state = ChoiceField(
        choices=["active", "suspended"], required=False, help_text="Of those that go on, or are over. Both."
    )


class MemberChangesSerializer(StrictSerializer):
    """What may change of a member."""

    role = ChoiceField(
        choices=ROLE_CHOICES,
        help_text="By hand. Of several grants the highest counts. Who left is let back in.",
    )


class LeavingParameters(TeamParameter):
    """What becomes of a leaver's keys."""

    keys = ChoiceField(
        choices=["revoke", "team", "member"],
        required=False,
        help_text="Needed where they have keys: revoke them, or hand them over to the team, or to a member.",
    )
    hand_over_to = serializers.CharField(
        max_length=150, required=False, help_text="With `member`: the user name of who gets the keys."
    )


class GrantSerializer(serializers.Serializer[Any]):
    """One reason for a role."""

    source = serializers.CharField(  # type: ignore[assignment]  # a field, though named as an attribute
        help_text="`manual`, `sso`, `scim` or `request`."
    )
    origin = serializers.CharField(help_text="Which identity provider, group or request; empty by hand.")
    role = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True, help_text="When it ends by itself. null: never.")


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """Somebody who belongs to a team, or did."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    email = serializers.SerializerMethodField(
        help_text="null for those who may not change who belongs to the team."
    )
    state = serializers.SerializerMethodField(
        help_text="`active`; or `suspended`: it is over, and kept for what was used."
    )
    grants = GrantSerializer(many=True, read_only=True)

    class Meta:
        model = Membership
        fields = [
            "id",
            "object",
            "team",
            "username",
            "email",
            "role",
            "state",
            "grants",
            "created_at",
            "suspended_at",
        ]
        read_only_fields = fields

    def get_id(self, row: Membership) -> str:
        return str(row.pk)

    def get_object(self, row: Membership) -> str:  # noqa: ARG002  # the framework's signature
        return "member"

    def get_email(self, row: Membership) -> str | None:
        return row.user.email if self.context.get("tells_email") else None

    def get_state(self, row: Membership) -> str:
        return "active" if row.is_active else "suspended"


class NewInvitationSerializer(StrictSerializer):
    """What an invitation is made from."""

    email = serializers.EmailField(max_length=254)
    role = ChoiceField(choices=ROLE_CHOICES)
    mail = serializers.BooleanField(
        required=False, help_text="false: no mail is sent, and the answer has the link to hand on. true."
    )


class RenewalSerializer(StrictSerializer):
    """How an invitation is sent again."""

    mail = serializers.BooleanField(
        required=False, help_text="false: no mail is sent, and the answer has the link to hand on. true."
    )


class AcceptanceSerializer(StrictSerializer):
    """What stands behind the # of an invitation's link."""

    secret = serializers.CharField(max_length=100)


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """That whoever has its link may join a team, once, within a week."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    state = serializers.SerializerMethodField(help_text="`open`, `accepted`, `withdrawn` or `expired`.")
    invited_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    accepted_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Invitation
        fields = [
            "id",
            "object",
            "team",
            "email",
            "role",
            "state",
            "invited_by",
            "created_at",
            "expires_at",
            "sent_at",
            "accepted_at",
            "accepted_by",
            "withdrawn_at",
        ]
        read_only_fields = fields

    def get_id(self, row: Invitation) -> str:
        return str(row.pk)

    def get_object(self, row: Invitation) -> str:  # noqa: ARG002  # the framework's signature
        return "invitation"

    def get_state(self, row: Invitation) -> str:
        return row.state.value


class SentInvitationSerializer(InvitationSerializer):
    """An invitation that was just made; nothing else ever shows its link."""

    mail_sent = serializers.BooleanField()
    link = serializers.CharField(allow_null=True, help_text="To hand on; null where it was mailed.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "mail_sent", "link"]
        read_only_fields = fields


@extend_schema_serializer(many=False)
class MemberListSerializer(PageSerializer):
    """One page of members."""

    data = MemberSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property


@extend_schema_serializer(many=False)
class InvitationListSerializer(PageSerializer):
    """One page of invitations."""

    data = InvitationSerializer(many=True)  # type: ignore[assignment]  # likewise

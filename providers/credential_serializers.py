"""How credentials of a team's own are written as JSON, and what may be sent about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import Key
from accounts.patterns import PATTERNS_MAX
from accounts.serializers import ListParameters, PageSerializer, StrictSerializer
from gateway.core.choice_field import ChoiceField
from providers.models import ProviderCredential

KEYS_MAX = 100
_PATTERNS = "The models that it is for, such as anthropic/*; null: all."
_KEYS = "The ids of the keys that it is for, and of those that are rotated into them; null: all of the team."
_PLACE = (
    "`before` or `after` those of the gateway; `only`: those of the gateway are not used at this provider where this "
    "one may be."
)
_BASE_URL = "Where its calls go, up to and including the version; null: the provider's own address."
_REGION = (
    "Where its calls are run, such as eu or us-east-1; null: where the model's provider says. It cannot talk calls out "
    "of the regions that their key and team keep to."
)
_POSITION = "Of several in one place the lowest is tried first."


class CredentialListParameters(ListParameters):
    """The query of a list of credentials."""

    provider = serializers.SlugField(required=False, help_text="Those at this provider.")


class CredentialChangesSerializer(StrictSerializer):
    """What may change of a credential. What is left out stays as it is."""

    label = serializers.CharField(  # type: ignore[assignment]  # a field, though named as an attribute
        max_length=60, help_text="Which one it is; each has its own at a provider."
    )
    secret = serializers.CharField(
        max_length=4_096,
        write_only=True,
        help_text="The provider's key. It is tested, and never shown again.",
    )
    place = ChoiceField(choices=ProviderCredential.Place.values, required=False, help_text=_PLACE)
    position = serializers.IntegerField(
        min_value=0, max_value=32_767, required=False, help_text=f"{_POSITION} A new one comes last."
    )
    model_patterns = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=PATTERNS_MAX,
        allow_null=True,
        required=False,
        help_text=f"{_PATTERNS} An empty list is refused.",
    )
    keys = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=KEYS_MAX,
        allow_null=True,
        required=False,
        help_text=f"{_KEYS} An empty list is refused.",
    )
    base_url = serializers.CharField(
        max_length=300,
        allow_null=True,
        required=False,
        help_text=f"{_BASE_URL} Public addresses only. A new one wants the secret again.",
    )
    region = serializers.CharField(max_length=40, allow_null=True, required=False, help_text=_REGION)
    is_enabled = serializers.BooleanField(required=False, help_text="false: it is kept, and not used.")


class NewCredentialSerializer(CredentialChangesSerializer):
    """What a credential is made from."""

    provider = serializers.SlugField(max_length=60, help_text="The provider's slug.")


class CredentialSerializer(serializers.ModelSerializer[ProviderCredential]):
    """A team's own credential of a provider, never its secret."""

    id = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    team = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    provider = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    masked = serializers.CharField(
        read_only=True,
        help_text="Its last four characters. `forgotten`: its provider has moved, and it has to be given again.",
    )
    place = serializers.CharField(read_only=True, help_text=_PLACE)
    position = serializers.IntegerField(read_only=True, help_text=_POSITION)
    model_patterns = serializers.ListField(
        child=serializers.CharField(), read_only=True, allow_null=True, help_text=_PATTERNS
    )
    keys = serializers.SerializerMethodField(help_text=_KEYS)
    base_url = serializers.SerializerMethodField(help_text=_BASE_URL)
    region = serializers.SerializerMethodField(help_text=_REGION)
    tested_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When the provider took it; null: it has nothing to find out by before a call.",
    )
    failed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When a call was last refused for it; null: never."
    )
    failure = serializers.CharField(read_only=True, help_text="What the provider said then.")
    set_by = serializers.CharField(read_only=True, help_text="Who set it last; empty: nobody knows.")

    class Meta:
        model = ProviderCredential
        fields = [
            "id",
            "object",
            "team",
            "provider",
            "label",
            "masked",
            "place",
            "position",
            "model_patterns",
            "keys",
            "base_url",
            "region",
            "is_enabled",
            "tested_at",
            "failed_at",
            "failure",
            "created_at",
            "rotated_at",
            "set_by",
        ]
        read_only_fields = fields

    def get_id(self, credential: ProviderCredential) -> str:
        return str(credential.pk)

    def get_object(self, credential: ProviderCredential) -> str:  # noqa: ARG002  # the framework's signature
        return "credential"

    def get_base_url(self, credential: ProviderCredential) -> str | None:
        return credential.base_url or None

    def get_region(self, credential: ProviderCredential) -> str | None:
        return credential.region or None

    def get_keys(self, credential: ProviderCredential) -> list[str] | None:
        if credential.lineages is None:
            return None
        names: dict[int, str] = self.context["names"]
        return [names[pk] for pk in credential.lineages if pk in names]


def write_credentials(rows: list[ProviderCredential]) -> list[Any]:
    """As JSON; one query for all keys that they name."""
    lineages = {pk for row in rows for pk in row.lineages or ()}
    names = dict(Key.objects.filter(pk__in=lineages).values_list("pk", "public_id")) if lineages else {}
    return list(CredentialSerializer(rows, many=True, context={"names": names}).data)


@extend_schema_serializer(many=False)
class CredentialListSerializer(PageSerializer):
    """One page of credentials."""

    data = CredentialSerializer(many=True)  # type: ignore[assignment]  # a field, though named as a property

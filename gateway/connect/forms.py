"""The two ways to connect: a provider of the catalogue by its key, and a server of one's own by its address."""

from typing import Any, cast
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Count, QuerySet

from gateway.core.outbound import is_this_machine
from providers import validators
from providers.connecting import complete_address, own_server
from providers.models import Provider
from providers.origins import address_of
from providers.services import access_of


class ProviderChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's own class takes none
    """Says how many models a provider has, and whether it can be called already."""

    def label_from_instance(self, obj: Any) -> str:
        count = f"{obj.model_count} model{'' if obj.model_count == 1 else 's'}"
        return f"{obj.name}: {count}{', connected' if access_of(obj).is_usable else ''}"


class SecretField(forms.CharField):
    """A key: one line, never sent back to the page."""

    def __init__(self, **options: Any) -> None:
        attributes = {"autocomplete": "off", "spellcheck": "false"}
        super().__init__(label="Key", widget=forms.PasswordInput(attrs=attributes), **options)

    def clean(self, value: Any) -> str:
        secret: str = super().clean(value)
        if refusal := validators.secret_refusal(secret):
            raise ValidationError(refusal)
        return secret


class ListedForm(forms.Form):
    """A provider that the catalogue knows, and its key."""

    prefix = "listed"
    provider = ProviderChoice(queryset=Provider.objects.none(), empty_label="Choose one")
    secret = SecretField(help_text="Stored encrypted, and never shown again.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("ProviderChoice", self.fields["provider"]).queryset = listed_providers()


class OwnForm(forms.Form):
    """A server of one's own. `provider`, once the form is valid, is its row as it would be saved."""

    prefix = "own"
    address = forms.CharField(
        max_length=300,
        help_text="Such as 127.0.0.1:11434, or https://models.example.com/v1.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    wire_format = forms.ChoiceField(label="Format", choices=Provider.WireFormat.choices)
    secret = SecretField(required=False, help_text="Leave it empty if the server asks for none.")
    name = forms.CharField(
        required=False, max_length=100, help_text="If you leave it empty, its host is its name."
    )
    adds_models = forms.BooleanField(
        label="Add what it lists to the catalogue, and publish it", required=False, initial=True
    )
    is_allowed = forms.BooleanField(label="Allow this address of the machine itself", required=False)

    def __init__(self, *args: Any, may_allow: bool, may_add: bool, **kwargs: Any) -> None:
        """`may_allow`: the person is a superuser. `may_add`: the person may add models."""
        super().__init__(*args, **kwargs)
        self.may_allow = may_allow and settings.LOCAL_SERVERS_ALLOWED
        self.provider: Provider | None = None
        self.asks_to_allow = False
        self.fields["wire_format"].initial = Provider.WireFormat.OPENAI
        if not may_add:
            del self.fields["adds_models"]
        if not self.may_allow:
            del self.fields["is_allowed"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "address" not in cleaned or "wire_format" not in cleaned:
            return cleaned
        try:
            base_url = complete_address(cleaned["address"], cleaned["wire_format"])
            provider = own_server(base_url, cleaned["wire_format"], name=cleaned.get("name", ""))
            if cleaned.get("is_allowed"):
                provider.local_address = address_of(base_url)
            provider.full_clean()
        except ValueError:
            self.add_error("address", "This is not an address.")
        except ValidationError as error:
            self._tell(error, base_url)
        else:
            self.provider = provider
        return cleaned

    def _tell(self, error: ValidationError, base_url: str) -> None:
        """Whatever is wrong with the row, at the field that it came from."""
        for field, messages in error.message_dict.items():
            place = {"base_url": "address", NON_FIELD_ERRORS: None}.get(field, "name")
            for message in messages:
                self.add_error(place, message)
        if "not allowed" in " ".join(error.message_dict.get("base_url", [])):
            self._tell_rule(base_url)

    def _tell_rule(self, base_url: str) -> None:
        address, host = address_of(base_url), urlsplit(base_url).hostname or ""
        if is_this_machine(host) and self.may_allow:
            self.asks_to_allow = True
            self.add_error(
                "address", f"If {address} is a model server of yours, allow it below and test again."
            )
        else:
            self.add_error("address", allowing(address))


def listed_providers() -> QuerySet[Provider]:
    """Those that are on, have an address and are not the demo; by name."""
    rows = Provider.objects.with_credential().filter(is_enabled=True, is_demo=False).exclude(base_url="")
    return rows.annotate(model_count=Count("offerings__model", distinct=True)).order_by("name")


def allowing(address: str) -> str:
    """What the operator does for an address that nobody may allow here."""
    return f'The operator allows it by starting the gateway with GATEWAY_ALLOW_PRIVATE="{address}".'

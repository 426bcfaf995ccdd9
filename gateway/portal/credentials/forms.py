"""A team's own credentials of providers on its pages: rows as people read them, and the forms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.fields import words_field
from accounts.models import Key, Team
from gateway.core.refusals import InvalidField
from providers.credential_check import NotTaken, try_secret
from providers.credential_places import check_region, checked_address
from providers.credentials import add_credential, change_credential, check_secret, keys_of, replace_secret
from providers.models import Provider, ProviderCredential


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as people read it."""

    credential: ProviderCredential
    place: str
    state: str
    tone: str
    hint: str
    models: Sequence[str] | None
    keys: Sequence[Key] | None


def credential_rows(team: Team) -> Sequence[CredentialRow]:
    """In the order in which they are tried, by provider."""
    return [credential_row(each) for each in ProviderCredential.objects.for_team(team)]


def credential_row(credential: ProviderCredential) -> CredentialRow:
    state, tone, hint = _state_of(credential)
    return CredentialRow(
        credential,
        credential.get_place_display(),
        state,
        tone,
        hint,
        credential.model_patterns,
        keys_of(credential),
    )


def _state_of(credential: ProviderCredential) -> tuple[str, str, str]:
    """A word, its tone, and what it means."""
    if not credential.ciphertext:
        return "forgotten", "warning", "The provider has moved to another address. Give the key again."
    if not credential.is_enabled:
        return "switched off", "neutral", "It is kept, and no call uses it."
    if not credential.provider.is_enabled:
        return "provider off", "neutral", "The administrators have switched this provider off."
    if credential.failed_at:
        return "refused", "bad", credential.failure
    if credential.tested_at:
        return "works", "good", "The provider took it when it was tested."
    return "not tested", "neutral", "The provider has nothing to test a key with: the first call will tell."


class _TermsForm(forms.Form):
    """What may be said of a credential when it is added and later."""

    label = forms.CharField(
        max_length=60,
        help_text="Which account it belongs to, so that everyone can tell it from others: “research account”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    place = forms.ChoiceField(
        label="When it is used",
        choices=ProviderCredential.Place.choices,
        initial=ProviderCredential.Place.BEFORE,
        help_text="Before: where the provider refuses it, calls go on with the gateway's key. After: only where the "
        "gateway's does not get through. In place: the gateway's is never used for what this one is for.",
    )
    model_patterns = words_field(
        "model_patterns",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Models that it is used for, one on each line, such as anthropic/*. Leave it empty for all.",
    )
    keys = forms.MultipleChoiceField(
        label="Keys of the team",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text="Whose calls may use it, also after the key was rotated. Select none for all of the team's.",
    )
    region = forms.CharField(
        max_length=40,
        required=False,
        help_text="Where its calls are run, such as eu or us-east-1. Leave it empty where you do not choose.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(
        self, data: QueryDict | None, *, team: Team, chosen: Sequence[Key] = (), **options: Any
    ) -> None:
        super().__init__(data, **options)
        live = Key.objects.for_team(team).filter(revoked_at=None).select_related("first").order_by("name")
        names = {key.lineage.public_id: key.name for key in live}
        self._keys = {key.lineage.public_id: key.lineage for key in live} | {k.public_id: k for k in chosen}
        choices = [(id_, names.get(id_, key.name)) for id_, key in self._keys.items()]
        cast("forms.MultipleChoiceField", self.fields["keys"]).choices = choices

    def terms(self) -> dict[str, Any]:
        """As the services take them: nothing said means all."""
        given = self.cleaned_data
        return {
            "label": given["label"],
            "place": given["place"],
            "model_patterns": given["model_patterns"] or None,
            "keys": [self._keys[id_] for id_ in given["keys"]] or None,
            "region": given["region"],
        }

    def tell(self, fault: InvalidField) -> None:
        self.add_error(fault.field if fault.field in self.fields else None, fault.message)


class _SecretField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "new-password", "spellcheck": "false"}
        super().__init__(
            label="The provider's key",
            max_length=4_096,
            strip=True,
            widget=forms.PasswordInput(attrs=attrs),
            help_text="It is tested, then kept encrypted. Nobody sees more of it again than its last four characters.",
            **options,
        )


class _AddressField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Base URL",
            max_length=300,
            required=False,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            help_text="Where its calls go, up to and including the version. Leave it empty for the provider's address.",
            **options,
        )


class NewCredentialForm(_TermsForm):
    provider = forms.ModelChoiceField(Provider.objects.none(), empty_label="Choose a provider")
    secret = _SecretField()
    base_url = _AddressField()

    field_order = ("provider", "label", "secret", "place", "model_patterns", "keys", "base_url", "region")

    def __init__(self, data: QueryDict | None, *, team: Team) -> None:
        super().__init__(data, team=team)
        usable = Provider.objects.filter(is_enabled=True).exclude(base_url="").order_by("name")
        cast("forms.ModelChoiceField[Provider]", self.fields["provider"]).queryset = usable
        self._team = team

    def save(self) -> ProviderCredential | None:
        """None: it was not taken, which is said at its field."""
        provider, secret = self.cleaned_data["provider"], self.cleaned_data["secret"]
        try:
            check_secret(secret)
            check_region(self.cleaned_data["region"])
            base_url = checked_address(self.cleaned_data["base_url"], provider=provider, is_own=True)
            tested_at = try_secret(provider, secret, base_url)
            return add_credential(
                provider=provider,
                team=self._team,
                secret=secret,
                tested_at=tested_at,
                base_url=base_url,
                **self.terms(),
            )
        except InvalidField as fault:
            self.tell(fault)
        except NotTaken as error:
            self.add_error("secret" if error.is_its_fault else "provider", error.message)
        return None


class CredentialForm(_TermsForm):
    """The terms of one that is kept."""

    position = forms.IntegerField(
        label="Order",
        min_value=0,
        max_value=32_767,
        help_text="Of several at this provider that are used at the same time, the lowest is tried first.",
    )
    is_enabled = forms.BooleanField(label="In use", required=False)

    def __init__(self, data: QueryDict | None, *, credential: ProviderCredential, team: Team) -> None:
        chosen = keys_of(credential) or ()
        initial = {
            "label": credential.label,
            "place": credential.place,
            "model_patterns": credential.model_patterns or [],
            "keys": [key.public_id for key in chosen],
            "region": credential.region,
            "position": credential.position,
            "is_enabled": credential.is_enabled,
        }
        super().__init__(data, team=team, chosen=chosen, initial=initial)
        self._credential = credential

    def save(self) -> bool:
        """False: it cannot be, and is said at its field."""
        more = {name: self.cleaned_data[name] for name in ("position", "is_enabled")}
        try:
            change_credential(credential=self._credential, **self.terms(), **more)
        except InvalidField as fault:
            self.tell(fault)
            return False
        return True


class SecretForm(forms.Form):
    """Another secret in the place of the one that is kept, and where it goes."""

    secret = _SecretField()
    base_url = _AddressField()

    def __init__(self, data: QueryDict | None, *, credential: ProviderCredential) -> None:
        super().__init__(data, initial={"base_url": credential.base_url})
        self._credential = credential

    def save(self) -> bool:
        """False: it was not taken, which is said at its field."""
        secret, provider = self.cleaned_data["secret"], self._credential.provider
        try:
            check_secret(secret)
            base_url = checked_address(self.cleaned_data["base_url"], provider=provider, is_own=True)
            tested_at = try_secret(provider, secret, base_url)
            replace_secret(credential=self._credential, secret=secret, tested_at=tested_at, base_url=base_url)
        except InvalidField as fault:
            self.add_error(fault.field, fault.message)
        except NotTaken as error:
            self.add_error("secret", error.message)
        return not self.errors

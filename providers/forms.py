"""The forms with which staff edit providers: a secret goes in and is never shown again."""

from typing import Any

from django import forms

from accounts.admin.base import Checkboxes, PasswordInput, Select
from providers import services, validators
from providers.facts import KNOWN_QUIRKS
from providers.models import Credential, Provider

_MOVED = (
    "The base URL has a new scheme, host or port. So that no secret goes to a new place unseen, "
    "{what}, or put the old address back."
)


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    quirks = forms.MultipleChoiceField(
        choices=list(KNOWN_QUIRKS.items()),
        required=False,
        widget=Checkboxes,
        help_text="Departures from the wire format. Usually none.",
    )

    class Meta:
        model = Provider
        # The admin's fieldsets add the others.
        fields = ["quirks"]


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    secret = forms.CharField(
        required=False,
        strip=True,
        widget=PasswordInput,
        help_text="Stored encrypted, and never shown again.",
    )

    class Meta:
        model = Credential
        fields = ["kind", "variable", "is_enabled"]

    def __init__(self, *args: Any, provider: Provider | None, **kwargs: Any) -> None:
        """`provider` is as it is about to be saved; None while it is being added."""
        super().__init__(*args, **kwargs)
        self._provider = provider
        placeholder = "stored; type to replace" if self.instance.ciphertext else "type or paste it here"
        self.fields["secret"].widget.attrs |= {"autocomplete": "new-password", "placeholder": placeholder}
        # One that is no longer allowed stays to be seen, and is refused.
        names = dict.fromkeys([*filter(None, [self.instance.variable]), *validators.allowed_variables()])
        self.fields["variable"].widget = Select(choices=[("", "—"), *((name, name) for name in names)])

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if refusal := validators.secret_refusal(secret):
            raise forms.ValidationError(refusal)
        return secret

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") == Credential.Kind.STORED:
            self._check_stored(cleaned.get("secret", ""))
        elif cleaned.get("secret"):
            self.add_error("secret", "Empty this, or choose “Stored here, encrypted”.")
        if cleaned.get("kind") == Credential.Kind.ENVIRONMENT:
            self._check_variable_stays(cleaned)
        return cleaned

    def store(self) -> None:
        """Save through the services, so that every process notices."""
        secret = self.cleaned_data.get("secret")
        if secret:
            services.store_secret(credential=self.instance, secret=secret)
        else:
            services.save_credential(credential=self.instance)

    def _check_stored(self, secret: str) -> None:
        if secret or "secret" in self.errors:
            return
        if not self.instance.ciphertext:
            self.add_error("secret", "Type the provider's secret, or choose another kind of credential.")
        elif self._has_moved():
            self.add_error("secret", _MOVED.format(what="type the secret again"))

    def _check_variable_stays(self, cleaned: dict[str, Any]) -> None:
        was_open = self.initial.get("variable") == cleaned.get("variable") and self.initial.get("is_enabled")
        if was_open and cleaned.get("is_enabled") and self._has_moved():
            what = "switch the credential off in the same save and on again afterwards"
            self.add_error("variable", _MOVED.format(what=what))

    def _has_moved(self) -> bool:
        return self._provider is not None and services.has_moved(self._provider)

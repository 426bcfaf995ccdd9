"""The forms with which staff edit providers: a secret goes in and is never shown again."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from gateway.core.admin_base import Checkboxes, PasswordInput, Select
from providers import services, validators
from providers.models import Credential, Provider
from providers.operations.registry import KNOWN_QUIRKS

_MOVED = (
    "The base URL has a new scheme, host or port. So that no secret goes to a new place unseen, "
    "type the secret again, or put the old address back."
)
_UNBOUND = (
    "{refusal}. So that nobody has it sent to a host of their own, a superuser allows another address on this page, "
    "or GATEWAY_CREDENTIAL_ORIGINS names it. Switched off, the credential can be saved as it is."
)


# Vendors whose ways others copy: what each departs in from its wire format.
VENDOR_QUIRKS: Mapping[str, tuple[str, frozenset[str]]] = {
    "none": ("the wire format itself: no departures", frozenset()),
    "openai": ("OpenAI", frozenset({"no_reasoning_input", "speaks_responses"})),
    "azure_openai": ("Azure OpenAI", frozenset({"api_key_header", "no_reasoning_input", "speaks_responses"})),
    "openrouter": ("OpenRouter", frozenset({"cache_control", "reasoning_details", "reasoning_object"})),
    "deepseek": ("DeepSeek, Moonshot AI", frozenset({"wants_reasoning_input"})),
    "groq": ("Groq, Cerebras", frozenset({"reasoning_input"})),
    "mistral": ("Mistral", frozenset({"no_reasoning_input"})),
    "workers_ai": (
        "Cloudflare Workers AI",
        frozenset({"embeds_at_most_100", "embeds_texts_only", "reasoning_input"}),
    ),
}


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    """Quirks are said by a vendor that the provider is like, and by what differs from that one."""

    like = forms.ChoiceField(
        label="Speaks as",
        choices=[(name, title) for name, (title, _) in VENDOR_QUIRKS.items()],
        required=False,
        widget=Select,
        help_text="The vendor that it behaves like in its wire format.",
    )
    also = forms.MultipleChoiceField(
        label="But it also", choices=list(KNOWN_QUIRKS.items()), required=False, widget=Checkboxes
    )
    lacks = forms.MultipleChoiceField(
        label="But it does not", choices=list(KNOWN_QUIRKS.items()), required=False, widget=Checkboxes
    )

    class Meta:
        model = Provider
        # The admin's fieldsets add the others.
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "probe_budget_usd" in self.fields:
            self.fields["probe_budget_usd"].required = False
        quirks = frozenset(self.instance.quirks)
        like = nearest_vendor(quirks)
        vendor = VENDOR_QUIRKS[like][1]
        self.initial.update(like=like, also=sorted(quirks - vendor), lacks=sorted(vendor - quirks))

    def clean_probe_budget_usd(self) -> Decimal:
        """Empty is none."""
        return self.cleaned_data["probe_budget_usd"] or Decimal(0)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if {"like", "also", "lacks"} <= cleaned.keys():
            vendor = VENDOR_QUIRKS[cleaned["like"] or "none"][1]
            self.instance.quirks = sorted((vendor | {*cleaned["also"]}) - {*cleaned["lacks"]})
        return cleaned


def nearest_vendor(quirks: frozenset[str]) -> str:
    """The one that differs in the fewest quirks; the first of several."""
    return min(VENDOR_QUIRKS, key=lambda name: len(quirks ^ VENDOR_QUIRKS[name][1]))


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    secret = forms.CharField(
        required=False,
        strip=True,
        widget=PasswordInput,
        help_text="Stored encrypted, and never shown again.",
    )
    approves_origin = forms.BooleanField(
        label="Send this variable to the base URL",
        required=False,
        help_text="Needed once, unless the settings name the address for this variable. Superusers only.",
    )

    class Meta:
        model = Credential
        fields = ["kind", "variable", "is_enabled"]

    def __init__(self, *args: Any, provider: Provider, may_approve: bool, **kwargs: Any) -> None:
        """`provider` is as it is about to be saved. `may_approve`: the person is a superuser."""
        super().__init__(*args, **kwargs)
        self._provider = provider
        self.fields["approves_origin"].disabled = not may_approve
        placeholder = "stored; type to replace" if self.instance.ciphertext else "type or paste it here"
        self.fields["secret"].widget.attrs |= {"autocomplete": "new-password", "placeholder": placeholder}
        # One that is no longer allowed stays to be seen, and is refused.
        names = dict.fromkeys([*filter(None, [self.instance.variable]), *validators.allowed_variables()])
        self.fields["variable"].widget = Select(
            choices=[("", "—"), *((name, _shown(name)) for name in names)]
        )

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
        if cleaned.get("kind") == Credential.Kind.ENVIRONMENT and cleaned.get("is_enabled"):
            self._check_destination(cleaned)
        return cleaned

    def store(self) -> None:
        """Save through the services, so that every process notices."""
        secret = self.cleaned_data.get("secret")
        if secret:
            services.store_secret(credential=self.instance, secret=secret)
        else:
            services.save_credential(
                credential=self.instance, approves_origin=self.cleaned_data["approves_origin"]
            )

    def _check_stored(self, secret: str) -> None:
        if secret or "secret" in self.errors:
            return
        if not self.instance.ciphertext:
            self.add_error("secret", "Type the provider's secret, or choose another kind of credential.")
        elif services.has_moved(self._provider):
            self.add_error("secret", _MOVED)

    def _check_destination(self, cleaned: dict[str, Any]) -> None:
        variable = cleaned.get("variable", "")
        if cleaned.get("approves_origin") or validators.variable_refusal(variable):
            return
        approval = self.instance.approval
        if refusal := validators.destination_refusal(variable, self._provider.base_url, approval=approval):
            self.add_error("variable", _UNBOUND.format(refusal=refusal))
            # Only its destination is refused: the row's own check of the name still sees it.
            cleaned["variable"] = variable


def _shown(variable: str) -> str:
    origins = ", ".join(sorted(validators.origins_of(variable)))
    return f"{variable} (for {origins})" if origins else variable

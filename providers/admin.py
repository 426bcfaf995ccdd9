"""The admin of providers: where they are, what opens them, and whether calls can go there."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.deletion import AskingMixin
from accounts.admin.history import HistoryAdminBase
from gateway.core.admin_base import FormInline, TableInline, Tone, status_chip
from providers import credential_admin, incident_admin, services, validators
from providers.breaker_admin import (
    BreakerMixin,
    HealthEventInline,
    IncidentInline,
    TellingInline,
    breakers_of_provider,
)
from providers.formats.registry import formats_with_list
from providers.forms import CredentialForm, ProviderForm
from providers.models import Alarm, Credential, ProbeResult, Provider, Quota
from providers.probes import ProbeOutcome, probe_together
from providers.reconciling import admin as bill_admin

__all__ = ["ProviderAdmin", "bill_admin", "credential_admin", "incident_admin"]

_HEALTH_TONES: dict[str, Tone] = {"healthy": "good", "unhealthy": "bad"}
_NOTHING_TO_ASK = "Its wire format has no model list, so there is nothing to ask for that costs nothing"
_SAVE_AND_PROBE = "providers_provider_save_and_probe"


class CredentialInline(FormInline):
    """How the provider is opened: always one, never removed."""

    model = Credential
    form = CredentialForm
    fields = ["kind", "secret", "variable", "bound_to", "approves_origin", "is_enabled"]
    readonly_fields = ["bound_to"]
    min_num = max_num = 1
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        hidden = set() if request.user.is_superuser else {"approves_origin"}
        return [name for name in super().get_fields(request, obj) if name not in hidden]

    @admin.display(description="variable may be sent to", empty_value="nowhere yet")
    def bound_to(self, credential: Credential) -> str | None:
        if credential.kind != Credential.Kind.ENVIRONMENT:
            return "no variable is used"
        origins = sorted(validators.origins_of(credential.variable))
        if credential.approval.startswith(f"{credential.variable} "):
            origins.append(f"{credential.approval.rpartition(' ')[2]} by a superuser's word")
        return ", ".join(origins) or None


class QuotaInline(TableInline):
    """What may be sent there in a window; what is full is passed over."""

    model = Quota
    verbose_name_plural = "quotas: how much may be sent there, by all teams together"
    fields = ["unit", "window", "amount", "left_now"]
    readonly_fields = ["left_now"]

    @admin.display(description="left now")
    def left_now(self, quota: Quota) -> str | None:
        return credential_admin.told_left(quota)


class AlarmInline(TellingInline):
    """When it refused our credential or account."""

    model = Alarm
    verbose_name_plural = "alarms"
    fields = readonly_fields = ["state", "began_at", "last_at", "calls", "status", "concerns", "message"]

    @admin.display(description="state")
    def state(self, alarm: Alarm) -> str:
        if alarm.cleared_at is None:
            return status_chip("open", "bad")
        return status_chip("over", "good", f"Since {alarm.cleared_at:%Y-%m-%d %H:%M:%S} UTC")

    @admin.display(description="concerns")
    def concerns(self, alarm: Alarm) -> str:
        return alarm.upstream_name or "all models"


class ProbeResultInline(TellingInline):
    """The last probes, to read."""

    model = ProbeResult
    verbose_name_plural = "last probes"
    fields = readonly_fields = ["at", "found", "status", "latency_ms", "error"]

    @admin.display(description="found")
    def found(self, result: ProbeResult) -> str:
        return status_chip("healthy", "good") if result.is_healthy else status_chip("unhealthy", "bad")


@admin.register(Provider)
class ProviderAdmin(BreakerMixin, AskingMixin, HistoryAdminBase):
    form = ProviderForm
    list_display = ["name", "slug", "switch", "access", "health_now", "offering_count", "base_url"]
    list_filter = ["is_enabled", "health", "wire_format"]
    list_select_related = ["credential"]
    search_fields = ["name", "slug", "base_url"]
    # Counting groups rows, and groups have no order of their own.
    ordering = ["name"]
    search_help_text = "Name, slug or base URL"
    actions = [*AskingMixin.actions, "probe_now", "switch_on", "switch_off", *BreakerMixin.breaker_actions]
    actions_submit_line = ["save_and_probe"]
    list_before_template = "admin/connect_line.html"
    inlines = [
        CredentialInline,
        QuotaInline,
        AlarmInline,
        IncidentInline,
        HealthEventInline,
        ProbeResultInline,
    ]
    readonly_fields = ["access", "further_credentials", "health_now", "breakers"]
    fieldsets = [
        ("Who it is", {"fields": ["name", "slug", "website"]}),
        ("What becomes of what it is sent", {"fields": [("zero_retention", "collects_data")]}),
        ("How to reach it", {"fields": ["base_url", "wire_format", "like", "family", "patience_s"]}),
        (
            "Exceptions: where it differs from that vendor",
            {"classes": ["collapse"], "fields": [("also", "lacks")]},
        ),
        (
            "Whether calls go there",
            {
                "fields": [
                    "is_enabled",
                    ("is_probed", "probe_budget_usd"),
                    "access",
                    "further_credentials",
                    "health_now",
                    "breakers",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Provider]:
        providers: QuerySet[Provider] = super().get_queryset(request)
        return providers.select_related("credential").annotate(offering_total=Count("offerings"))

    def get_readonly_fields(self, request: HttpRequest, obj: Provider | None = None) -> list[str]:  # noqa: ARG002
        # A demo provider's address may be private: so only the command that starts it moves it.
        return [*self.readonly_fields, "base_url"] if obj and obj.is_demo else self.readonly_fields

    @admin.display(description="switch", ordering="is_enabled")
    def switch(self, provider: Provider) -> str:
        return status_chip("on", "good") if provider.is_enabled else status_chip("off")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may see no credentials gets no link to them."""
        groups = super().get_fieldsets(request, obj)
        if request.user.has_perm("providers.view_providercredential"):
            return groups
        hidden = "further_credentials"
        return [
            (title, {**group, "fields": [each for each in group["fields"] if each != hidden]})
            for title, group in groups
        ]

    @admin.display(description="credential")
    def access(self, provider: Provider) -> str:
        problem = services.access_of(provider).problem
        return status_chip(problem, "warning") if problem else status_chip("usable", "good")

    @admin.display(description="further credentials")
    def further_credentials(self, provider: Provider) -> str:
        """A link to the operator's and to teams' own."""
        if provider.pk is None:
            return "none"
        page = reverse("admin:providers_providercredential_changelist")
        address = f"{page}?provider__id__exact={provider.pk}"
        return format_html('<a class="text-link" href="{}">Ours and those of teams</a>', address)

    @admin.display(description="health", ordering="health")
    def health_now(self, provider: Provider) -> str:
        since = provider.health_changed_at
        undecided = "No probe has decided yet" if provider.has_model_list else _NOTHING_TO_ASK
        hint = f"Since {since:%Y-%m-%d %H:%M:%S} UTC" if since else undecided
        word = f"{provider.health} for {timesince(since, depth=1)}" if since else provider.health
        return status_chip(word, _HEALTH_TONES.get(provider.health, "neutral"), hint)

    @admin.display(description="breakers")
    def breakers(self, provider: Provider) -> str:
        return breakers_of_provider(provider)

    @admin.display(description="offerings", ordering="offering_total")
    def offering_count(self, provider: Provider) -> int:
        return int(provider.offering_total)  # type: ignore[attr-defined]  # annotated in get_queryset

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return answer

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if not isinstance(inline, CredentialInline):
            return kwargs
        may_approve = bool(request.user.is_active and request.user.is_superuser)
        return kwargs | {"form_kwargs": {"provider": obj, "may_approve": may_approve}}

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:  # noqa: ARG002
        services.save_provider(provider=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not Credential:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for child in formset.forms:
            if child.has_changed():
                child.store()

    def entries_of(self, rows: Sequence[Provider]) -> Q:
        return Q(provider__in=[row.slug for row in rows])

    def instead_of_deleting(self) -> tuple[str, str]:
        advice = (
            "You can switch a provider off instead: within a second no call goes there, and its offerings and "
            "prices stay."
        )
        return advice, "id_is_enabled"

    def delete_model(self, request: HttpRequest, obj: Provider) -> None:  # noqa: ARG002
        services.delete_provider(provider=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:  # noqa: ARG002
        with transaction.atomic():
            for provider in queryset:
                services.delete_provider(provider=provider)

    def response_add(self, request: HttpRequest, obj: Provider, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().response_add(request, obj, *args, **kwargs)
        return self._after_saving(request, obj, answer)

    def response_change(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        answer: HttpResponse = super().response_change(request, obj)
        return self._after_saving(request, obj, answer)

    def _after_saving(self, request: HttpRequest, obj: Provider, answer: HttpResponse) -> HttpResponse:
        if _SAVE_AND_PROBE not in request.POST:
            return answer
        # After the commit: a transaction must not wait for a provider.
        transaction.on_commit(lambda: self._probe(request, Provider.objects.filter(pk=obj.pk)))
        return HttpResponseRedirect(reverse("admin:providers_provider_change", args=[obj.pk]))

    @admin.action(description="Save and test", permissions=["change"])
    def save_and_probe(self, request: HttpRequest, obj: Provider) -> None:
        """A button beside “Save”; what follows the saving does it."""

    @admin.action(description="Probe now", permissions=["change"])
    def probe_now(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._probe(request, queryset)

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, providers: Iterable[Provider], *, is_enabled: bool) -> None:
        effect = "takes calls again" if is_enabled else "takes no new calls; running ones finish"
        for provider in providers:
            services.switch_provider(provider=provider, is_enabled=is_enabled)
            self.log_change(request, provider, f"Switched {'on' if is_enabled else 'off'}.")
            self.message_user(request, f"{provider} {effect}, within a second.", messages.SUCCESS)

    def _probe(self, request: HttpRequest, providers: QuerySet[Provider]) -> None:
        for provider in providers.exclude(wire_format__in=formats_with_list()):
            self.message_user(request, f"{provider}: unknown. {_NOTHING_TO_ASK}.", messages.WARNING)
        rows = providers.select_related("credential").filter(wire_format__in=formats_with_list())
        asked = [services.facts_of(row) for row in rows]
        for facts, outcome in probe_together(asked, policy=services.outbound_policy()):
            services.record_probe(provider_id=facts.id, outcome=outcome, at=timezone.now())
            level = messages.SUCCESS if outcome.is_healthy else messages.ERROR
            self.message_user(request, f"{facts.name}: {_told(outcome)}", level)


def _told(outcome: ProbeOutcome) -> str:
    if outcome.is_healthy:
        return f"healthy, answered in {outcome.latency_ms:.0f} ms."
    return f"{outcome.error}."

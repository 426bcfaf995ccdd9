"""Alerts, to read; and the channels of the operator and of teams: made, tested, their secrets rotated."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from accounts.admin.shown_once import ShownOnceBase
from accounts.alerts import channels
from accounts.alerts.kinds import FOR_CHANNELS, KINDS, OPERATORS
from accounts.models import Alert, AlertChannel, AlertDelivery, User
from accounts.shown_once import keep_text, take_text
from gateway.core.admin_base import (
    AdminBase,
    Checkboxes,
    CountlessPaginator,
    TextInput,
    Tone,
    confirmed_action,
    status_chip,
    to_page,
)
from gateway.core.refusals import InvalidField

_STATES: dict[str, Tone] = {"delivered": "good", "failed": "bad", "held": "neutral", "waiting": "info"}
_SHOWN = 30
_BREAK = mark_safe("<br>")


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    address = forms.CharField(
        required=False,
        widget=TextInput(attrs={"autocomplete": "off", "size": 80}),
        help_text="A webhook's or a chat's URL, or mail addresses with commas between them. It is kept encrypted "
        "and not shown again. Empty: as it is.",
    )
    kinds = forms.MultipleChoiceField(
        label="Alerts",
        required=False,
        choices=[(name, f"{KINDS[name].label} ({name})") for name in FOR_CHANNELS],
        widget=Checkboxes,
        help_text="None: all of them.",
    )

    class Meta:
        model = AlertChannel
        fields = ["team", "name", "kind", "kinds", "hears_teams", "is_active"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        is_new = self.instance.pk is None
        kind = cleaned.get("kind") if is_new else self.instance.kind
        team = cleaned.get("team") if is_new else self.instance.team
        address = cleaned.get("address", "")
        try:
            if kind and (address or is_new):
                channels.check_address(kind, address)
        except InvalidField as fault:
            self.add_error("address", fault.message)
        if team and (wrong := sorted({*cleaned.get("kinds", ())} & {*OPERATORS})):
            self.add_error("kinds", f"A team hears nothing of {', '.join(wrong)}.")
        if team and cleaned.get("hears_teams"):
            self.add_error("hears_teams", "This is for the operator's channels.")
        return cleaned


@admin.register(AlertChannel)
class AlertChannelAdmin(ShownOnceBase):
    form = ChannelForm
    list_display = ["name", "whose", "kind", "shown", "state", "delivered_at"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["team"]
    search_fields = ["name", "team__slug", "=public_id"]
    autocomplete_fields = ["team"]
    change_form_before_template = "admin/new_secret.html"
    actions_detail = ["send_test", "rotate_secret"]
    fieldsets = [
        ("Whose it is, and what", {"fields": ["team", ("name", "kind")]}),
        ("Where it leads", {"fields": ["address"]}),
        ("What it gets", {"fields": ["kinds", "hears_teams", "is_active"]}),
    ]
    _news = ("What it took", {"fields": ["shown", "state", "delivered_at", "deliveries_told"]})

    def get_fieldsets(self, request: HttpRequest, obj: AlertChannel | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self._news] if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: AlertChannel | None = None) -> Sequence[str]:  # noqa: ARG002
        return ["team", "kind", *self._news[1]["fields"]] if obj else []

    @admin.display(description="whose")
    def whose(self, channel: AlertChannel) -> str:
        return str(channel.team) if channel.team else "the operator"

    @admin.display(description="state")
    def state(self, channel: AlertChannel) -> str:
        if not channel.is_active:
            return status_chip("off", "bad", channel.disabled_because)
        if channel.failing_since is not None:
            return status_chip("failing", "warning", f"since {channel.failing_since:%Y-%m-%d %H:%M} UTC")
        return status_chip("on", "good")

    @admin.display(description="last deliveries")
    def deliveries_told(self, channel: AlertChannel) -> str:
        rows = channel.deliveries.select_related("alert")[:_SHOWN]
        return format_html_join(_BREAK, "{} {} {}", (_line(row) for row in rows)) or "none yet"

    def save_model(self, request: HttpRequest, obj: AlertChannel, form: ChannelForm, change: bool) -> None:
        values = form.cleaned_data
        if change:
            changes = {name: values[name] for name in form.changed_data}
            channels.change_channel(channel=obj, changes=changes)
            return
        channel, secret = channels.make_channel(
            team=obj.team,
            kind=obj.kind,
            name=obj.name,
            address=values["address"],
            kinds=values["kinds"],
            hears_teams=values["hears_teams"],
            created_by=cast("User", request.user),
        )
        obj.pk, obj.public_id = channel.pk, channel.public_id
        keep_text(request.session, channel, secret)

    def take_new(self, request: HttpRequest, row: AlertChannel) -> Mapping[str, Any]:
        return {"new_secret": take_text(request.session, row)}

    @confirmed_action("Send a test", "Send a test to this channel?", "It arrives within seconds.")
    def send_test(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        channel = AlertChannel.objects.select_related("team").get(pk=object_id)
        try:
            channels.test_channel(channel=channel)
            messages.success(request, "A test is on its way. What came of it is told below in a few seconds.")
        except InvalidField as fault:
            messages.error(request, fault.message)
        return to_page(request, channel)

    @confirmed_action(
        "Rotate the secret",
        "Give this webhook a new secret?",
        "It is shown once. For a day what it gets is signed with the former one, too.",
    )
    def rotate_secret(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        channel = AlertChannel.objects.get(pk=object_id)
        try:
            keep_text(request.session, channel, channels.rotate_secret(channel=channel))
        except InvalidField as fault:
            messages.error(request, fault.message)
        return to_page(request, channel)


@admin.register(Alert)
class AlertAdmin(AdminBase):
    list_display = ["raised_at", "kind", "whose", "title", "told"]
    list_display_links = ["raised_at"]
    list_filter = ["kind", "raised_at"]
    list_select_related = ["team"]
    search_fields = ["title", "team__slug", "=public_id", "=cause"]
    paginator = CountlessPaginator
    show_full_result_count = False
    fields = readonly_fields = [
        *("raised_at", "kind", "whose", "title", "words", "cause", "window", "public_id"),
        "deliveries_told",
    ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Alert]":
        return super().get_queryset(request).prefetch_related("deliveries__channel")  # type: ignore[no-any-return]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Alert | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="whose")
    def whose(self, alert: Alert) -> str:
        return str(alert.team) if alert.team else "the operator"

    @admin.display(description="text")
    def words(self, alert: Alert) -> str:
        return format_html_join(_BREAK, "{}", ((line,) for line in alert.text.split("\n")))

    @admin.display(description="told")
    def told(self, alert: Alert) -> str:
        states = [row.state for row in alert.deliveries.all()]
        if not states:
            return "nobody" if alert.spread_at else "soon"
        return f"{states.count('delivered')} of {len(states)}"

    @admin.display(description="deliveries")
    def deliveries_told(self, alert: Alert) -> str:
        lines = ((*_line(row)[:2], f"to {row.channel or row.address}") for row in alert.deliveries.all())
        return format_html_join(_BREAK, "{} {} {}", lines) or "nobody"


def _line(row: AlertDelivery) -> tuple[str, str, str]:
    chip = status_chip(row.get_state_display().lower(), _STATES[row.state])
    problem = row.log[-1]["problem"] if row.log else ""
    told = f"{row.alert.title}{f': {problem}' if problem else ''}"
    return f"{row.created_at:%Y-%m-%d %H:%M}", chip, told

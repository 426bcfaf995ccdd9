"""A team's alert channels, and whether what they were sent arrived."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.alerts import channels
from accounts.alerts.kinds import KINDS
from accounts.models import AlertChannel, AlertDelivery, Team
from accounts.rights import Right
from accounts.shown_once import keep_text, take_text
from gateway.core.refusals import InvalidField
from gateway.portal.acting import acting_with, person_of
from gateway.portal.alerts.forms import ChangeChannelForm, NewChannelForm
from gateway.portal.ending import Ending, ask_first

_PAGE = 30
_TONES: Mapping[str, str] = {"delivered": "good", "failed": "bad", "held": "neutral", "waiting": "info"}


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery as people read it."""

    row: AlertDelivery
    tone: str
    told: str
    """What its receiver answered last; empty where nothing was tried."""
    may_replay: bool


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: HttpRequest) -> HttpResponse:
    """The channels of a team, and its last alerts; POST makes one more, as an owner may."""
    here = acting_with(request, Right.CHANNELS if request.method == "POST" else Right.READ)
    team = here.team
    form = NewChannelForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := form.make(team, person_of(request))):
        channel, secret = made
        keep_text(request.session, channel, secret)
        messages.success(request, f"“{channel.name}” is made. Send it a test.")
        return redirect(_address(channel))
    context = {
        "team": team,
        "rights": here.rights,
        "channels": [(each, _kinds_of(each)) for each in team.alert_channels.all()],
        "alerts": team.alerts.all()[:_PAGE],
        "form": form,
    }
    return render(request, "portal/alerts.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """One channel with what it was sent; POST changes it, as an owner may."""
    here = acting_with(request, Right.CHANNELS if request.method == "POST" else Right.READ)
    team = here.team
    found = _channel_of(team, id)
    form = ChangeChannelForm(request.POST or None, channel=found)
    if request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, "Saved.")
        return redirect(_address(found))
    found.refresh_from_db()
    page = Paginator(found.deliveries.select_related("alert"), _PAGE).get_page(request.GET.get("page"))
    context = {
        "team": team,
        "channel": found,
        "kinds": _kinds_of(found),
        "rights": here.rights,
        "form": form,
        "page": page,
        "deliveries": list(_lines(page, found)),
        "new_secret": take_text(request.session, found) if here.may(Right.CHANNELS) else "",
    }
    return render(request, "portal/channel.html", context)


@never_cache
@login_required
@require_POST
def test(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    found = _channel_of(acting_with(request, Right.CHANNELS).team, id)
    try:
        channels.test_channel(channel=found)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(
            request, "A test is on its way. Load this page again in a few seconds to see what came of it."
        )
    return redirect(_address(found))


@never_cache
@login_required
@require_POST
def rotate(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    found = _channel_of(acting_with(request, Right.CHANNELS).team, id)
    try:
        keep_text(request.session, found, channels.rotate_secret(channel=found))
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, "It has a new secret. For a day the former one signs, too.")
    return redirect(_address(found))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST removes it with the list of what it was sent."""
    team = acting_with(request, Right.CHANNELS).team
    found = _channel_of(team, id)
    if request.method != "POST":
        return ask_first(request, team, _ending_of(team, found))
    found.delete()
    messages.success(request, f"“{found.name}” is removed.")
    return redirect(f"{reverse('portal:alerts')}?team={team.slug}")


@never_cache
@login_required
@require_POST
def replay(request: HttpRequest, id: str, delivery: str) -> HttpResponse:  # noqa: A002
    found = _channel_of(acting_with(request, Right.CHANNELS).team, id)
    # As long as the ids that there are: no database is asked for others.
    pk = int(delivery) if delivery.isascii() and delivery.isdecimal() and len(delivery) < 19 else 0
    row = get_object_or_404(AlertDelivery.objects.filter(channel=found).select_related("channel"), pk=pk)
    try:
        channels.replay(delivery=row)
    except InvalidField as fault:
        messages.error(request, fault.message)
    else:
        messages.success(request, "It is sent once more, under the id that it had.")
    return redirect(_address(found))


def _ending_of(team: Team, channel: AlertChannel) -> Ending:
    others = team.alert_channels.filter(is_active=True).exclude(pk=channel.pk).count()
    sent = channel.deliveries.count()
    rest = f"{others} other channel{'' if others == 1 else 's'} of the team" if others else "No other channel"
    says = [
        f"From now on no alert goes to {channel.shown}, and the list of what it was sent ({sent:,}) goes with it.",
        f"{rest} and people's own mail go on."
        if others
        else f"{rest} is on: only people's own mail goes on.",
    ]
    act = f"Remove “{channel.name}”"
    return Ending(
        f"{act}?", says, act, _address(channel), call="alert_channel_destroy", ids=[channel.public_id]
    )


def _lines(rows: Iterable[AlertDelivery], channel: AlertChannel) -> Iterator[DeliveryLine]:
    for row in rows:
        last = row.log[-1] if row.log else {}
        told = last.get("problem") or (
            f"{last['status']} in {last['took_ms']} ms" if last.get("status") else ""
        )
        is_done = row.state in {AlertDelivery.State.DELIVERED, AlertDelivery.State.FAILED}
        yield DeliveryLine(row, _TONES[row.state], told, is_done and channel.is_active)


def _kinds_of(channel: AlertChannel) -> list[str]:
    return [KINDS[name].label for name in channel.kinds if name in KINDS]


def _channel_of(team: Team, text: str) -> AlertChannel:
    # PostgreSQL fails on a NUL.
    if not text.isprintable():
        raise Http404("There is no such channel.")
    return get_object_or_404(AlertChannel.objects.filter(team=team).select_related("team"), public_id=text)


def _address(channel: AlertChannel) -> str:
    team = channel.team
    return f"{reverse('portal:channel', args=[channel.public_id])}?team={team.slug if team else ''}"

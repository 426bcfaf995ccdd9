"""The pages of a team's own credentials of providers, for its owners: added, changed, replaced, tested and removed."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import LedgerEntry, Team
from accounts.rights import Right
from gateway.core.sealing import SecretError
from gateway.portal.acting import acting_with
from gateway.portal.credentials.forms import (
    CredentialForm,
    NewCredentialForm,
    SecretForm,
    credential_row,
    credential_rows,
)
from gateway.portal.ending import Ending, ask_first
from gateway.portal.sent import Sent
from providers.credential_check import NotTaken, try_secret
from providers.credentials import keys_of, open_secret, remove_credential
from providers.models import ProviderCredential

_DAYS = 7
_COUNTED_MOST = 1_000


@sensitive_post_parameters("secret")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def credentials(request: HttpRequest) -> HttpResponse:
    """All of the team's; POST tests one and keeps it."""
    team = acting_with(request, Right.CREDENTIALS).team
    form = NewCredentialForm(request.POST if request.method == "POST" else None, team=team)
    if request.method == "POST" and form.is_valid() and (made := form.save()):
        how = "tested and saved" if made.tested_at else "saved; the first call will tell whether it works"
        messages.success(request, f"“{made.label}” is {how}. Calls of {team.name} use it within a second.")
        return redirect(_address(team))
    context = {
        "team": team,
        "rows": credential_rows(team),
        "form": form,
    }
    return render(request, "portal/credentials.html", context)


@sensitive_post_parameters("secret")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def credential(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    """One; POST changes it: `form` says whether its terms or its secret are sent."""
    team = acting_with(request, Right.CREDENTIALS).team
    found = _find(team, id)
    sent = Sent(request)
    terms = CredentialForm(sent.to("terms"), credential=found, team=team)
    secret = SecretForm(sent.to("secret"), credential=found)
    has_saved = (terms.is_valid() and terms.save()) or (secret.is_valid() and secret.save())
    if has_saved:
        messages.success(request, f"“{found.label}” is changed. Calls obey within a second.")
        return redirect(f"{reverse('portal:credential', args=[found.pk])}?team={team.slug}")
    found = _find(team, id)
    context = {
        "team": team,
        "row": credential_row(found),
        "terms": terms,
        "secret": secret,
        "calls": _recent_calls(team, found, _DAYS),
        "days": _DAYS,
        "back": _address(team),
    }
    return render(request, "portal/credential.html", context)


@never_cache
@login_required
@require_POST
def test(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    team = acting_with(request, Right.CREDENTIALS).team
    found = _find(team, id)
    try:
        found.tested_at = try_secret(found.provider, open_secret(found), found.base_url)
    except NotTaken as error:
        messages.error(request, error.message)
    except SecretError:
        messages.error(request, f"The key was forgotten when {found.provider.name} moved. Give it again.")
    else:
        ProviderCredential.objects.filter(pk=found.pk).update(tested_at=found.tested_at)
        name = found.provider.name
        told = f"{name} takes it." if found.tested_at else f"{name} has nothing to test a key with."
        messages.success(request, told)
    return redirect(f"{reverse('portal:credential', args=[found.pk])}?team={team.slug}")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST removes it."""
    team = acting_with(request, Right.CREDENTIALS).team
    found = _find(team, id)
    if request.method != "POST":
        return ask_first(request, team, _ending_of(team, found))
    remove_credential(credential=found)
    messages.success(request, f"“{found.label}” is removed. Within a second no call uses it.")
    return redirect(_address(team))


def _ending_of(team: Team, found: ProviderCredential) -> Ending:
    provider = found.provider.name
    then = (
        f"Calls at {provider} that it is for go out on the gateway's account again, and the team is charged for them."
        if found.place == ProviderCredential.Place.ONLY
        else "Calls go on with the other keys there are."
    )
    says = [
        f"Within a second no call uses it. {then}",
        f"What was recorded of calls with it stays. It is not revoked at {provider}: do that there.",
    ]
    chosen = keys_of(found)
    facts = [
        ("Attempts with it in the last day", _recent_calls(team, found, 1)),
        (f"In the last {_DAYS} days", _recent_calls(team, found, _DAYS)),
        ("Keys that may use it", "all of the team" if chosen is None else f"{len(chosen):,}"),
    ]
    act, back = f"Remove “{found.label}”", f"{reverse('portal:credential', args=[found.pk])}?team={team.slug}"
    return Ending(f"{act}?", says, act, back, call="credential_destroy", ids=[found.pk], facts=facts)


def _find(team: Team, text: str) -> ProviderCredential:
    # As long as the ids that there are: no database is asked for others.
    pk = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    return get_object_or_404(ProviderCredential.objects.for_team(team), pk=pk)


def _recent_calls(team: Team, found: ProviderCredential, days: int) -> str:
    since = timezone.now() - timedelta(days=days)
    rows = LedgerEntry.objects.filter(team=team, started_at__gte=since, own_credential_id=found.pk)
    count = rows.order_by()[: _COUNTED_MOST + 1].count()
    return f"more than {_COUNTED_MOST:,}" if count > _COUNTED_MOST else f"{count:,}"


def _address(team: Team) -> str:
    return f"{reverse('portal:credentials')}?team={team.slug}"

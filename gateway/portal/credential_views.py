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
from gateway.portal.acting import acting_everywhere, acting_with
from gateway.portal.credentials import (
    CredentialForm,
    NewCredentialForm,
    SecretForm,
    credential_row,
    credential_rows,
)
from providers.credential_check import NotTaken, try_secret
from providers.credentials import open_secret, remove_credential
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
        "teams": [each.team for each in acting_everywhere(request) if each.may(Right.CREDENTIALS)],
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
    sent = request.POST if request.method == "POST" else None
    wanted = str(sent.get("form", "")) if sent is not None else ""
    terms = CredentialForm(sent if wanted == "terms" else None, credential=found, team=team)
    secret = SecretForm(sent if wanted == "secret" else None, credential=found)
    has_saved = (wanted == "terms" and terms.is_valid() and terms.save()) or (
        wanted == "secret" and secret.is_valid() and secret.save()
    )
    if has_saved:
        messages.success(request, f"“{found.label}” is changed. Calls obey within a second.")
        return redirect(f"{reverse('portal:credential', args=[found.pk])}?team={team.slug}")
    found = _find(team, id)
    context = {
        "team": team,
        "row": credential_row(found),
        "terms": terms,
        "secret": secret,
        "calls": _recent_calls(team, found),
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
@require_POST
def remove(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    team = acting_with(request, Right.CREDENTIALS).team
    found = _find(team, id)
    remove_credential(credential=found)
    messages.success(request, f"“{found.label}” is removed. Within a second no call uses it.")
    return redirect(_address(team))


def _find(team: Team, text: str) -> ProviderCredential:
    # As long as the ids that there are: no database is asked for others.
    pk = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    return get_object_or_404(ProviderCredential.objects.for_team(team), pk=pk)


def _recent_calls(team: Team, found: ProviderCredential) -> str:
    since = timezone.now() - timedelta(days=_DAYS)
    rows = LedgerEntry.objects.filter(team=team, started_at__gte=since, own_credential_id=found.pk)
    count = rows.order_by()[: _COUNTED_MOST + 1].count()
    return f"more than {_COUNTED_MOST:,}" if count > _COUNTED_MOST else f"{count:,}"


def _address(team: Team) -> str:
    return f"{reverse('portal:credentials')}?team={team.slug}"

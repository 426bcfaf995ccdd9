"""Invitations: made, made anew and withdrawn by those who may; and the page to which their links lead."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitations
from accounts.acting import Acting
from accounts.guesses import WRONG_LINKS, links_from
from accounts.models import Invitation
from accounts.rights import Right
from gateway.core.links import origin_of
from gateway.core.refusals import InvalidField, Refused
from gateway.identity.guessing import address_of, count, forgive
from gateway.identity.sign_up import NewPersonForm, let_in
from gateway.portal.acting import acting, acting_with, checked, person_of
from gateway.portal.ending import Ending, ask_first
from gateway.portal.members.forms import InvitationForm
from gateway.portal.members.page import show_members
from gateway.portal.subjects import read_pk

_KEPT = "invitation"
_LONGEST_SECRET = 100


def link_of(request: HttpRequest, secret: str) -> str:
    """The secret stands behind the #: no server is told it, and no log has it."""
    return f"{origin_of(request)}{reverse('portal:invitation')}#{secret}"


@never_cache
@login_required
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """By mail, or with the link to hand on: then this answer is the only one that ever shows it."""
    here = acting_with(request, Right.MEMBERS)
    form = InvitationForm(request.POST, acting=here)
    if not form.is_valid():
        return show_members(request, here, form=form)
    given = form.cleaned_data
    try:
        made, secret = invitations.invite(team=here.team, email=given["email"], role=given["role"], by=here)
    except (InvalidField, Refused) as refusal:
        form.add_error(getattr(refusal, "field", None), refusal.message)
        return show_members(request, here, form=form)
    return _sent(request, here, made, secret, hands_on=given["hands_on"])


@never_cache
@login_required
@require_POST
def renew(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002  # the name in the address
    here, found = _found(request, id)
    try:
        made, secret = invitations.renew(invitation=found, by=here)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect(_address(here))
    return _sent(request, here, made, secret, hands_on=bool(request.POST.get("hands_on")))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002
    """Asks first; POST makes its link open nothing."""
    here, found = _found(request, id)
    if request.method != "POST":
        return ask_first(request, here.team, _withdrawal_of(found, _address(here)))
    try:
        invitations.withdraw(invitation=found, by=here)
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The invitation of {found.email} is withdrawn: its link opens nothing.")
    return redirect(_address(here))


def _withdrawal_of(invitation: Invitation, back: str) -> Ending:
    says = [
        f"The link that {invitation.email} has opens nothing any more, from now on and for good.",
        f"Nobody who belongs to {invitation.team.name} is affected, and you can invite them again.",
    ]
    title = f"Withdraw the invitation of {invitation.email}?"
    return Ending(title, says, "Withdraw it", back, call="invitation_destroy", ids=[invitation.pk])


class SecretForm(forms.Form):
    """The secret of a link, which the page's script takes from its address; without one it is pasted."""

    secret = forms.CharField(
        label="What stands behind the # of your link",
        max_length=_LONGEST_SECRET,
        widget=forms.TextInput(attrs={"data-from-fragment": "", "autocomplete": "off"}),
    )

    def __init__(self, data: object = None, *, request: HttpRequest) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._request = request

    def clean_secret(self) -> str:
        """Its digest, if it is that of an invitation."""
        subject = links_from(address_of(self._request))
        count(self._request, subject, WRONG_LINKS, "Too many wrong links came from your address")
        digest = invitations.digest_of(self.cleaned_data["secret"].strip().rpartition("#")[2])
        if not Invitation.objects.filter(digest=digest).exists():
            raise forms.ValidationError(
                "This is no invitation, or it was made anew and another link is valid now."
            )
        forgive(subject)
        return digest


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Take the link's secret, tell of what it is, and let the person in; `form` says which of these is sent.

    Of the secret the session keeps the digest: so it outlasts a sign-in.
    """
    wanted = str(request.POST.get("form", "")) if request.method == "POST" else ""
    secret = SecretForm(request.POST if wanted == "secret" else None, request=request)
    if secret.is_valid():
        request.session[_KEPT] = secret.cleaned_data["secret"]
        return redirect("portal:invitation")
    digest = str(request.session.get(_KEPT, ""))
    if not digest or wanted == "secret":
        return render(request, "portal/invitation.html", {"form": secret})
    try:
        if wanted == "accept" and request.user.is_authenticated:
            return _accept(request, digest)
        found = invitations.find_open(digest)
        new = NewPersonForm(request.POST if wanted == "new" else None)
        if wanted == "new" and _may_make() and not request.user.is_authenticated and new.is_valid():
            return _make(request, found, new)
    except Refused as refusal:
        request.session.pop(_KEPT, None)
        return render(
            request, "portal/invitation.html", {"form": secret, "why": refusal.message}, status=refusal.status
        )
    context = {"invitation": found, "new": new, "may_make": _may_make(), "form": secret}
    return render(request, "portal/invitation.html", context)


def _accept(request: HttpRequest, digest: str) -> HttpResponse:
    """Raises Refused."""
    made = invitations.accept(digest=digest, person=person_of(request))
    request.session.pop(_KEPT, None)
    messages.success(request, f"You belong to {made.team.name} now, as {made.role}.")
    return redirect(f"{reverse('portal:team')}?team={made.team.slug}")


def _make(request: HttpRequest, found: Invitation, new: NewPersonForm) -> HttpResponse:
    """An account for whoever has the link: it is accepted with it, or there is none. Raises Refused.

    The invitation's address is theirs only where nothing but its mail told the secret: whoever invited could else
    make an account with somebody else's address, and wait for what is given to that person.
    """
    place = f"{reverse('portal:team')}?team={found.team.slug}"
    with transaction.atomic():
        person = new.make(email=found.email if invitations.proves_address(found) else "")
        invitations.accept(digest=found.digest, person=person)
    request.session.pop(_KEPT, None)
    return let_in(request, person, place)


def _may_make() -> bool:
    return bool(settings.LOCAL_PASSWORDS)


def _sent(
    request: HttpRequest, here: Acting, made: Invitation, secret: str, *, hands_on: bool
) -> HttpResponse:
    link = link_of(request, secret)
    if not hands_on and invitations.mail(made, link):
        messages.success(request, f"The invitation is on its way to {made.email}.")
        return redirect(_address(here))
    return show_members(request, here, link=link)


def _found(request: HttpRequest, text: str) -> tuple[Acting, Invitation]:
    """Raises Http404, PermissionDenied."""
    here = acting(request)
    found = get_object_or_404(here.team.invitations.select_related("team"), pk=read_pk(text))
    return checked(here, Right.MEMBERS), found


def _address(here: Acting) -> str:
    return f"{reverse('portal:members')}?team={here.team.slug}"

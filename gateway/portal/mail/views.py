"""What a person is mailed, how they read times and numbers, and the address that stops mail of one kind."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.guesses import WRONG_LINKS, links_from
from accounts.mail import stopping
from gateway.identity.guessing import address_of, count, forgive
from gateway.portal.acting import person_of
from gateway.portal.listing import teams_of
from gateway.portal.mail.forms import NotificationsForm, ReadingForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """One form of both: what is mailed, and how times and numbers are written."""
    person = person_of(request)
    given = request.POST if request.method == "POST" else None
    form, reading = NotificationsForm(given, person=person), ReadingForm(given, person=person)
    if given is not None and form.is_valid() and reading.is_valid():
        form.save()
        reading.keep()
        messages.success(request, "Saved.")
        return redirect("portal:notifications")
    context = {
        "form": form,
        "reading": reading,
        "groups": list(form.groups()),
        "teams": teams_of(person),
        "address": person.email,
    }
    return render(request, "portal/notifications.html", context)


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """POST stops mail of one kind to one person, whoever sends it and however often; GET shows the button.

    Mail programs post here by RFC 8058, without cookies: the address is all the proof there is, so it does no more.
    """
    subject = links_from(address_of(request))
    try:
        count(request, subject, WRONG_LINKS, "Too many wrong links came from your address")
    except ValidationError as refusal:
        return render(request, "portal/stop_mail.html", {"why": refusal.messages[0]})
    is_post = request.method == "POST"
    kind = stopping.stop(token) if is_post else stopping.kind_of(token)
    if kind is None:
        return render(request, "portal/stop_mail.html", {"why": "This link stops no mail."}, status=404)
    forgive(subject)
    return render(request, "portal/stop_mail.html", {"kind": kind, "is_done": is_post})

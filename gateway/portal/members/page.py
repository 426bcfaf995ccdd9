"""The page of who belongs to a team."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.acting import Acting
from accounts.memberships import keys_left_behind
from accounts.rights import Right
from gateway.portal.members.forms import InvitationForm

_PAGE = 100
_INVITATIONS = 100


def show_members(
    request: HttpRequest, here: Acting, *, form: InvitationForm | None = None, link: str = ""
) -> HttpResponse:
    """Everybody, those who left last; for those who may invite with what nobody accepted. `link` is shown once."""
    people = here.team.memberships.select_related("user").prefetch_related("grants")
    page = Paginator(people.order_by("suspended_at", "user__username"), _PAGE)
    invited = here.team.invitations.filter(accepted_at__isnull=True).select_related("invited_by")
    may_invite = here.may(Right.MEMBERS)
    context = {
        "team": here.team,
        "rights": here.rights,
        "page": page.get_page(request.GET.get("page")),
        "invitations": list(invited[:_INVITATIONS]) if may_invite else [],
        "form": form or InvitationForm(None, acting=here),
        "link": link,
        "left_behind": keys_left_behind(here.team).count() if here.may(Right.KEYS) else 0,
    }
    return render(request, "portal/members.html", context)

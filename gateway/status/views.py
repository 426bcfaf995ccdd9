"""The status page, its JSON and its feed."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import FeedTokenAuthentication, KeyAuthentication, SessionAuthentication
from catalogue.facts import EPOCH
from catalogue.feeds.formats import FEED_FORMATS, Feed
from gateway.core.links import origin_of
from gateway.core.reader import current
from gateway.public.access import OFF, PUBLIC, SIGNED_IN, guarded_by, is_open_to
from gateway.public.feeds import KEY
from gateway.status.board import Board, Group, as_json, board_for
from gateway.status.days import UPTIME_MEANS
from gateway.status.kept import KEPT_S, pages

_OFF = "The status page is switched off."
OPENED_MOST = 60
"""Models whose days are all shown at once; of more, each organisation's are a page."""
_SHOWN = 80


@require_safe
@gzip_page
@guarded_by("STATUS_PAGE", _OFF)
def page(request: HttpRequest) -> HttpResponse:
    """`organisation` opens its models where there are many; 404 where none of them has that id."""
    opened = request.GET.get("organisation", "")
    sees_providers = is_open_to(request)
    board = board_for(sees_providers=sees_providers)
    if opened and all(group.id != opened for group in board.groups):
        context = {"unknown": opened[:_SHOWN], "board": board}
        return render(request, "status/unknown.html", context, status=404)
    # What is written of instants is the reader's own.
    reader = current()
    key = (sees_providers, opened, str(reader.zone), reader.locale.label, _origin(request))
    context = {
        "body": pages.get(("page", *key), lambda: _write(board, opened, _origin(request))),
        "board": board,
    }
    return render(request, "status/status.html", context)


def _write(board: Board, opened: str, origin: str) -> str:
    is_long = len(board.models) > OPENED_MOST
    groups: Sequence[Group] = board.groups
    context = {
        "board": board,
        "groups": [group for group in groups if group.id == opened] if opened else groups,
        "opened": opened,
        "is_long": is_long and not opened,
        "troubled": [each for group in groups for each in group.troubled] if is_long and not opened else [],
        "uptime_means": UPTIME_MEANS,
        "feeds": _addresses(origin),
        "needs_key": settings.STATUS_PAGE == SIGNED_IN,
    }
    return render_to_string("status/board.html", context)


def _addresses(origin: str) -> Sequence[tuple[str, str, str]]:
    """Title, id on the page, address."""
    token = f"?token={KEY}" if settings.STATUS_PAGE == SIGNED_IN else ""
    return [
        (title, f"feed-{name}", f"{origin}{reverse(f'status:{name}')}{token}")
        for title, name in (("Atom", "atom"), ("JSON", "json"))
    ]


def _origin(request: HttpRequest) -> str:
    return origin_of(request)


class _Answer(APIView):
    """What programs read, conditionally. Where only those with an account may look, a key opens it, too."""

    authentication_classes = [FeedTokenAuthentication, KeyAuthentication, SessionAuthentication]
    takes_token = True
    schema = None
    content_type = ""

    def get_permissions(self) -> Sequence[Any]:
        return [AllowAny()] if settings.STATUS_PAGE == PUBLIC else [IsAuthenticated()]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if settings.STATUS_PAGE == OFF:
            raise Http404(_OFF)
        super().initial(request, *args, **kwargs)

    def get(self, request: Request) -> HttpResponseBase:
        plain = request._request
        sees_providers = is_open_to(plain) or (settings.PUBLIC_CATALOGUE == SIGNED_IN and bool(request.auth))
        key = (type(self).__name__, sees_providers, _origin(plain))
        body, tag = pages.get(key, lambda: _tagged(self.write, sees_providers, _origin(plain)))
        answer = get_conditional_response(plain, etag=tag) or HttpResponse(
            body, content_type=self.content_type
        )
        answer["ETag"] = tag
        audience = "public" if settings.STATUS_PAGE == settings.PUBLIC_CATALOGUE == PUBLIC else "private"
        answer["Cache-Control"] = f"{audience}, max-age={KEPT_S:.0f}"
        if audience == "private":
            patch_vary_headers(cast("Any", answer), ("Authorization", "Cookie", "X-Api-Key"))
        return answer

    def write(self, board: Board, origin: str) -> bytes:
        raise NotImplementedError


def _tagged(write: Callable[[Board, str], bytes], sees_providers: bool, origin: str) -> tuple[bytes, str]:
    body = write(board_for(sees_providers=sees_providers), origin)
    return body, f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


class StatusJson(_Answer):
    """`/status.json`."""

    content_type = "application/json"

    def write(self, board: Board, origin: str) -> bytes:  # noqa: ARG002  # a feed has links
        return orjson.dumps(as_json(board) | {"uptime_means": UPTIME_MEANS})


class StatusAtom(_Answer):
    """`/status.atom`: the diary."""

    content_type = "application/atom+xml; charset=utf-8"

    def write(self, board: Board, origin: str) -> bytes:
        link = origin + reverse("status:page")
        feed = Feed(
            title="Gatehouse: status",
            description="Incidents and maintenance, the newest first.",
            link=link,
            own_link=origin + reverse("status:atom"),
            unless_entries=EPOCH,
            entries=[entry.as_feed_entry(link) for entry in board.diary],
        )
        return FEED_FORMATS["atom"][1](feed)

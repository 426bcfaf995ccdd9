"""Deliveries whose time has come: claimed by one process, sent, and noted; what failed is tried again."""

import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from random import random
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.alerts import channels
from accounts.alerts.kinds import WEEKLY
from accounts.alerts.letters import letter
from accounts.alerts.messages import CHATS, News, event
from accounts.alerts.posting import TOTAL_S, Answer, Letter, post_in_order
from accounts.alerts.raising import raise_alert
from accounts.alerts.signing import TRIES, next_try, signed_headers
from accounts.mail.sending import send
from accounts.models import AlertChannel, AlertDelivery
from gateway.core.sealing import SecretError

_log = logging.getLogger(__name__)
THREADS = 16
"""So many receivers are written to at once, by one process: slow ones hold up nobody but themselves."""
IN_ORDER = 4
"""So many alerts one of them gets in a round."""
MAILS = 40
CLAIM = timedelta(seconds=TOTAL_S * IN_ORDER + 40)
"""Longer than a round takes: what a process that died had in hand is sent by another after it."""
TOLD_AFTER = timedelta(days=1)
"""So long a channel may take nothing before its owners are told; it is switched off after the last try."""
_LOG_KEPT = 25
_ABOUT_ONE_MAIL = (SMTPRecipientsRefused, SMTPDataError)
State, Kind = AlertDelivery.State, AlertChannel.Kind
Now = Callable[[], datetime]


def send_due(*, at: datetime, now: Now | None = None) -> int:
    """Send what is due, as much as a round takes. How many were tried. `now`: what goes on from `at` meanwhile."""
    now = now or _going_on_from(at)
    rounds = [_claim(_due(at).filter(channel=pk)[:IN_ORDER], at) for pk in _channels_due(at)]
    posted = _post_all([rows for rows in rounds if rows], now)
    at = now()
    mails = _claim(_due(at).filter(Q(channel=None) | Q(channel__kind=Kind.MAIL))[:MAILS], at)
    return posted + _mail_all(mails, now)


def _due(at: datetime) -> "QuerySet[AlertDelivery]":
    is_free = Q(claimed_until=None) | Q(claimed_until__lte=at)
    may_go = Q(channel=None) | (
        Q(channel__is_active=True) & (Q(channel__paused_until=None) | Q(channel__paused_until__lte=at))
    )
    rows = AlertDelivery.objects.filter(is_free, may_go, state=State.WAITING, due_at__lte=at)
    return rows.select_related("alert__team", "channel").order_by("due_at", "pk")


def _channels_due(at: datetime) -> Sequence[int]:
    """Those that take what they get before those that do not."""
    waiting = AlertDelivery.objects.filter(state=State.WAITING, due_at__lte=at).values("channel")
    found = AlertChannel.objects.filter(pk__in=waiting, is_active=True).exclude(kind=Kind.MAIL)
    found = found.order_by(F("failing_since").asc(nulls_first=True), "pk")
    return list(found.values_list("pk", flat=True)[:THREADS])


def _claim(rows: Iterable[AlertDelivery], at: datetime) -> Sequence[AlertDelivery]:
    """Those of them that are this round's alone."""
    claim, mine = secrets.token_hex(8), []
    for row in rows:
        free = AlertDelivery.objects.filter(
            Q(claimed_until=None) | Q(claimed_until__lte=at), pk=row.pk, state=State.WAITING, due_at__lte=at
        )
        if free.update(claim=claim, claimed_until=at + CLAIM):
            row.claim = claim
            mine.append(row)
    return mine


def _post_all(rounds: Sequence[Sequence[AlertDelivery]], now: Now) -> int:
    """Rows are read and written by this thread only; the others do nothing but post."""
    if not rounds:
        return 0
    policy, tried = channels.outbound_policy(), 0
    with ThreadPoolExecutor(min(THREADS, len(rounds))) as pool:
        running: dict[Future[Sequence[Answer]], Sequence[AlertDelivery]] = {}
        for rows in rounds:
            try:
                letters = [_letter(row, now()) for row in rows]
            except SecretError as error:
                unread = [Answer(row.pk, now(), 0, problem=str(error)) for row in rows]
                tried += _note_all(rows, unread, now)
                continue
            running[pool.submit(post_in_order, letters, policy)] = rows
        for done in as_completed(running):
            tried += _note_all(running[done], done.result(), now)
    return tried


def _note_all(rows: Sequence[AlertDelivery], answers: Sequence[Answer], now: Now) -> int:
    by_row = {answer.delivery: answer for answer in answers}
    for row in rows:
        if answer := by_row.get(row.pk):
            _note(row, answer, now())
        else:
            _release(row)
    return len(answers)


def _letter(row: AlertDelivery, at: datetime) -> Letter:
    """Raises SecretError."""
    channel = row.channel
    assert channel is not None  # noqa: S101  # people's are mailed
    news = news_of(row)
    if channel.kind == Kind.WEBHOOK:
        body = event(news)
        headers = signed_headers(channels.secrets_of(channel, at=at), news.id, timezone.now(), body)
    else:
        body, headers = CHATS[channel.kind](news), {"content-type": "application/json"}
    return Letter(row.pk, channels.address_of(channel), body, headers)


def news_of(row: AlertDelivery) -> News:
    alert = row.alert
    return News(
        id=alert.public_id,
        kind=alert.kind,
        title=alert.title,
        text=alert.text,
        raised_at=alert.raised_at,
        cause=alert.cause,
        team=alert.team.slug if alert.team else None,
        data=alert.data,
        link=_link(row),
    )


def _link(row: AlertDelivery) -> str:
    """Where people look on; nothing where the gateway does not know its own address."""
    base = str(settings.PUBLIC_URL or "")
    if not base:
        return ""
    team = row.alert.team
    if row.alert.kind == WEEKLY:
        return f"{base}/"
    return f"{base}/team/alerts?team={team.slug}" if team else f"{base}/admin/accounts/alert/"


def _note(row: AlertDelivery, answer: Answer, at: datetime) -> None:
    """What came of a try, unless another round has taken the row over meanwhile."""
    tries = row.tries + 1
    try_again = next_try(tries, at=at, chance=random(), asked_s=answer.asked_s)  # noqa: S311  # spreads, not secret
    if answer.is_good:
        state = State.DELIVERED
    else:
        state = State.FAILED if try_again is None or answer.is_gone else State.WAITING
    line = {
        "at": answer.at.isoformat(timespec="milliseconds"),
        "status": answer.status,
        "problem": answer.problem,
        "took_ms": answer.took_ms,
    }
    noted = AlertDelivery.objects.filter(pk=row.pk, claim=row.claim).update(
        state=state,
        tries=tries,
        claim="",
        claimed_until=None,
        due_at=try_again or at,
        delivered_at=at if answer.is_good else None,
        log=[*row.log, line][-_LOG_KEPT:],
    )
    if noted and row.channel is not None:
        _note_channel(row, row.channel, answer, is_last=state == State.FAILED, at=at)
    elif noted and state == State.FAILED:
        _log.error("%s: this could not be mailed to %s (%s).", row.alert.title, row.address, answer.problem)


def _release(row: AlertDelivery) -> None:
    AlertDelivery.objects.filter(pk=row.pk, claim=row.claim).update(claim="", claimed_until=None)


def _note_channel(
    row: AlertDelivery, channel: AlertChannel, answer: Answer, *, is_last: bool, at: datetime
) -> None:
    mine = AlertChannel.objects.filter(pk=channel.pk)
    if answer.is_good:
        mine.update(failing_since=None, paused_until=None, delivered_at=at)
        return
    mine.filter(failing_since=None).update(failing_since=at)
    if answer.slows_down:
        asked_s = answer.asked_s if answer.asked_s is not None else 60
        mine.update(paused_until=at + timedelta(seconds=asked_s))
    channel.refresh_from_db(fields=["failing_since", "delivered_at", "is_active"])
    took_none = channel.delivered_at is None or channel.delivered_at < row.created_at
    if answer.is_gone or (is_last and row.tries + 1 >= TRIES and took_none):
        _disable(channel, answer.problem, at)
    elif channel.failing_since and at - channel.failing_since >= TOLD_AFTER:
        since = f"{channel.failing_since:%Y-%m-%d %H:%M} UTC"
        _tell("channel.failing", channel, answer.problem, window=since, since=since)


@transaction.atomic
def _disable(channel: AlertChannel, problem: str, at: datetime) -> None:
    off = AlertChannel.objects.filter(pk=channel.pk, is_active=True)
    if off.update(is_active=False, disabled_because=problem[:200]):
        audit.record_changes([channel], {"is_active": ("True", "False")})
        channels.drop_waiting(channel, "The channel was switched off.")
        _tell("channel.disabled", channel, problem, window=at.isoformat(timespec="seconds"))


def _tell(kind: str, channel: AlertChannel, problem: str, *, window: str, **said: str) -> None:
    data: dict[str, Any] = {
        "channel_id": channel.public_id,
        "channel_name": channel.name,
        "shown": channel.shown,
        "problem": problem,
        **said,
    }
    raise_alert(kind, cause=channel.public_id, window=window, team=channel.team, data=data)


def _mail_all(rows: Sequence[AlertDelivery], now: Now) -> int:
    """Where the server is away the rest waits for the next round: each would wait as long for it."""
    tried, is_away = 0, False
    for row in rows:
        if is_away:
            _release(row)
            continue
        began, problem = now(), ""
        try:
            _mail(row)
        except (OSError, ValueError, SecretError) as error:
            problem = f"{type(error).__name__}: {error}"[:200]
            is_away = isinstance(error, OSError) and not isinstance(error, _ABOUT_ONE_MAIL)
        took_ms = round((now() - began).total_seconds() * 1000)
        _note(row, Answer(row.pk, began, took_ms, problem=problem), now())
        tried += 1
    return tried


def _mail(row: AlertDelivery) -> None:
    """Raises SecretError, OSError; ValueError for addresses that no mail can have."""
    to = [row.address] if row.channel is None else channels.mails_of(row.channel)
    if row.alert.kind == WEEKLY:
        # Once or not at all: whoever takes it over from a process that died would send it again.
        AlertDelivery.objects.filter(pk=row.pk, claim=row.claim).update(state=State.DELIVERED)
    send(letter(row, _link(row)), to)


def _going_on_from(at: datetime) -> Now:
    """Answers of slow receivers come long after the instant that a round was asked for."""
    ahead = at - timezone.now()
    return lambda: timezone.now() + ahead

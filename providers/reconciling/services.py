"""Bringing bills in, comparing them with the ledger, and booking what a person decides."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.booking import MOST_USD, adjust
from accounts.limiting import actor
from accounts.models import LedgerEntry
from gateway.core.lines import as_one_line
from gateway.core.refusals import InvalidField
from providers import services as provider_services
from providers.credentials import check_secret
from providers.models import Provider
from providers.reconciling.comparing import Booked, Difference, Place, add_up, compare
from providers.reconciling.fetching import FetchFailed, fetch_report, has_report
from providers.reconciling.models import AdministratorCredential, Bill, BillMapping
from providers.reconciling.reading import Line, read_sheet
from providers.secrets import ADMINISTRATOR, decrypt, encrypt

_FAILED = ("failed", "failed_over", "cut", "unknown")
_SHOWN_OF = 16
_DAY = timedelta(days=1)
_NOTHING = Decimal(0)
_SMALLEST = Decimal("1e-10")


@transaction.atomic
def bring_sheet(*, provider: Provider, data: bytes, file_name: str) -> Bill:
    """By the provider's mapping. Raises SheetUnreadable, and InvalidField where there is none."""
    mapping = BillMapping.objects.filter(provider=provider).first()
    if mapping is None:
        raise InvalidField("provider", f"{provider} has no bill mapping; add one first.")
    return _keep(provider, Bill.Source.SHEET, read_sheet(data, mapping.columns), file_name)


def bring_report(*, provider: Provider, first: date, last: date) -> Bill:
    """As the provider tells it when it is asked. Raises FetchFailed, InvalidField, SecretError."""
    credential = AdministratorCredential.objects.filter(provider=provider).exclude(ciphertext="").first()
    if credential is None or not has_report(provider.wire_format):
        raise FetchFailed(f"{provider} has no admin credential, or no cost report to ask for.")
    secret = decrypt(credential.ciphertext, provider=provider, purpose=ADMINISTRATOR)
    lines = fetch_report(
        provider.wire_format,
        provider.base_url,
        secret,
        first,
        last,
        policy=provider_services.outbound_policy(),
    )
    return _keep(provider, Bill.Source.REPORT, lines, "", (first, last))


def _keep(
    provider: Provider,
    source: Bill.Source,
    lines: Sequence[Line],
    file_name: str,
    days: tuple[date, date] | None = None,
) -> Bill:
    sums = add_up(lines, {})
    total = sum((each.usd for each in sums.values()), _NOTHING)
    if abs(total) > MOST_USD:
        raise InvalidField("sheet", f"The bill comes to {total:f} USD; {MOST_USD:,} are the most.")
    first, last = days or (min(line.day for line in lines), max(line.day for line in lines))
    return Bill.objects.create(
        provider=provider,
        source=source,
        file_name=as_one_line(file_name)[:200],
        first_day=first,
        last_day=last,
        lines=[
            [
                day.isoformat(),
                model,
                f"{_whole(each.usd).normalize():f}",
                each.input_tokens,
                each.output_tokens,
            ]
            for (day, model), each in sorted(sums.items())
        ],
        total_usd=total,
        brought_by=actor(),
    )


def lines_of(bill: Bill) -> Iterable[Line]:
    return (
        Line(date.fromisoformat(day), model, Decimal(usd), came_in, went_out)
        for day, model, usd, came_in, went_out in bill.lines
    )


def differences_of(bill: Bill) -> list[Difference]:
    """As the ledger is now."""
    mapping = BillMapping.objects.filter(provider_id=bill.provider_id).first() or BillMapping()
    billed = add_up(lines_of(bill), mapping.renamed)
    booked = booked_at(bill.provider.slug, bill.first_day, bill.last_day)
    return compare(billed, booked, mapping.tolerance_usd)


def booked_at(provider_slug: str, first: date, last: date) -> dict[Place, Booked]:
    """What the ledger has of those days of UTC, both included, but for calls that teams pay there themselves."""
    is_attempt = Q(kind=LedgerEntry.Kind.ATTEMPT)
    has_failed = is_attempt & Q(outcome__in=_FAILED)
    rows = LedgerEntry.objects.filter(
        provider=provider_slug,
        started_at__gte=datetime.combine(first, time(), UTC),
        started_at__lt=datetime.combine(last + _DAY, time(), UTC),
        own_credential_id__isnull=True,
    )
    sums = (
        rows.order_by()
        .values(day=TruncDate("started_at", tzinfo=UTC), name=F("upstream_name"))
        .annotate(
            cost=Sum("cost_usd"),
            loss=Sum("loss_usd"),
            came_in=Sum("input_tokens", filter=is_attempt),
            went_out=Sum("output_tokens", filter=is_attempt),
            free=Count("pk", filter=has_failed & Q(cost_usd=0, loss_usd=0)),
            failed_cost=Sum("cost_usd", filter=has_failed),
            failed_loss=Sum("loss_usd", filter=has_failed),
        )
    )
    return {
        (row["day"], row["name"]): Booked(
            _whole(row["cost"]) + _whole(row["loss"]),
            row["came_in"] or 0,
            row["went_out"] or 0,
            row["free"],
            _whole(row["failed_cost"]) + _whole(row["failed_loss"]),
        )
        for row in sums
    }


def _whole(sum_usd: Decimal | None) -> Decimal:
    """SQLite adds decimals up as floating point, and vendors tell more decimals than the ledger has."""
    return (sum_usd or _NOTHING).quantize(_SMALLEST)


@transaction.atomic
def book_difference(*, bill: Bill, day: date, model: str, amount_usd: Decimal, note: str) -> LedgerEntry:
    """The provider was owed so much more, or less below 0, than was booked: the operator bears it.

    No more than the difference that there still is. Raises InvalidField.
    """
    rows = Bill.objects.select_related("provider").filter(pk=bill.pk)
    if connection.features.has_select_for_update:
        rows = rows.select_for_update(of=("self",))
    bill = rows.get()
    found = [each for each in differences_of(bill) if (each.day, each.model) == (day, model)]
    if not found:
        raise InvalidField("amount_usd", "Bill and ledger agree on this day and model by now.")
    left = found[0].usd
    if amount_usd * left <= 0 or abs(amount_usd) > abs(left):
        raise InvalidField("amount_usd", f"The difference is {left:f} USD; book that, or a part of it.")
    return adjust(provider=bill.provider.slug, upstream_name=model, day=day, amount_usd=amount_usd, note=note)


@transaction.atomic
def keep_secret(*, provider: Provider, secret: str) -> AdministratorCredential:
    """In place of the one that there was. Raises InvalidField, SecretError."""
    check_secret(secret)
    credential, _ = AdministratorCredential.objects.get_or_create(provider=provider)
    credential.ciphertext = encrypt(secret, provider=provider, purpose=ADMINISTRATOR)
    credential.hint = secret[-4:] if len(secret) >= _SHOWN_OF else ""
    credential.rotated_at = timezone.now()
    credential.save()
    return credential

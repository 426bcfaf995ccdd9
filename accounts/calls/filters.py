"""By what the log is narrowed: each filter with its words, read from a query. All checks raise InvalidField."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import Q

from accounts.attempts import hash_end_user
from accounts.models import Key, LedgerEntry, Team
from accounts.models.ledger import TROUBLED
from accounts.money import units_of
from accounts.querysets import CHARGED
from accounts.usage.names import find_values
from accounts.usage.parameters import GROUPS, check_groups, check_values, read_words
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField

Column = tuple[str, Sequence[object]]
"""Of UsageSeries, with the values that it has where rows of the ledger fit."""
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MOST_MS, _MOST_USD = 86_400_000, 1_000_000
OUTCOMES = tuple(each.value for each in LedgerEntry.Outcome if each is not LedgerEntry.Outcome.FAILED_OVER)
YES_OR_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a filter comes to: a condition on rows of the ledger, and on usage where that tells it apart.

    `among` are rows that have an index, where all that fit are some of those. `least_charge`: what a call that fits is
    charged at least, in 10^-10 USD, and so whatever it is added up in.
    """

    condition: Q
    column: Column | None = None
    among: Q | None = None
    least_charge: int = 0


Read = Callable[[str, Sequence[str], Team | None], Narrowing]


@dataclass(frozen=True, slots=True)
class Filter:
    """`is_one`: takes one value; `choices`: no others; `hint` is what one types."""

    name: str
    title: str
    read: Read
    choices: Sequence[str] = ()
    hint: str = ""
    is_one: bool = False
    labels: Mapping[str, str] | None = None

    def words_of(self, text: str) -> Sequence[str]:
        words = [text.strip()] if self.is_one else [word for word in read_words([text]) if word]
        check_values(self.name, words)
        return check_groups(self.name, words, self.choices) if self.choices else words

    def label_of(self, word: str) -> str:
        return (self.labels or {}).get(word, word)


def _column(group: str) -> Read:
    column = GROUPS[group]

    def read(name: str, words: Sequence[str], team: Team | None) -> Narrowing:
        try:
            values = find_values(group, words, team, param=name)
        except ApiError as unknown:
            raise InvalidField(name, unknown.message) from None
        return Narrowing(Q(**{f"{column}__in": values}), (column, values))

    return read


def _key(name: str, words: Sequence[str], team: Team | None) -> Narrowing:
    """With all of its lineage, by the keys themselves: those have an index."""
    shown = [key for word in words for key in _keys_shown_as(name, word, team)]
    firsts = sorted({key.lineage_id for key in shown})
    keys = Key.objects.filter(Q(pk__in=firsts) | Q(first__in=firsts)).values_list("pk", flat=True)
    condition = Q(key__in=sorted(keys))
    return Narrowing(condition, ("lineage_id", firsts), condition)


def _keys_shown_as(name: str, word: str, team: Team | None) -> Sequence[Key]:
    rows = Key.objects.for_team(team) if team else Key.objects.all()
    if not (found := list(rows.shown_as(word))):
        where = "in this team" if team else "here"
        raise InvalidField(name, f"{name} is {word[:40]!r}; there is no key of that id {where}.")
    return found


def _project(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001  # all readers are alike
    # Said twice for the index of those that have a project.
    return Narrowing(Q(project__in=list(words)) & ~Q(project=""), ("project", list(words)))


def _outcome(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
    """A call whose last attempt was to be followed by another, which never came, has failed."""
    failed = {LedgerEntry.Outcome.FAILED_OVER.value} if LedgerEntry.Outcome.FAILED in words else set()
    values = sorted({*words, *failed})
    among = None if LedgerEntry.Outcome.FINISHED in words else TROUBLED
    return Narrowing(Q(outcome__in=values), ("outcome", values), among)


def _status(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
    condition = Q(pk__in=[])
    for word in words:
        if not _STATUS.fullmatch(word):
            raise InvalidField(
                name, f"{name} is {word[:40]!r}; write a status such as 429, or 5xx for all of its kind."
            )
        low = int(word[0]) * 100
        condition |= Q(status__range=(low, low + 99)) if word.endswith("xx") else Q(status=int(word))
    return Narrowing(condition, among=TROUBLED if all(word >= "3" for word in words) else None)


def _error(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
    return Narrowing(Q(error_code__in=list(words)), among=TROUBLED)


def _end_user(name: str, words: Sequence[str], team: Team | None) -> Narrowing:
    """As clients say it, where the team is known, or as the ledger has it."""
    (word,) = words
    hashed = [word] if _HASH.fullmatch(word) else []
    if team is not None:
        hashed.append(hash_end_user(team.pk, word))
    if not hashed:
        raise InvalidField(
            name, f"{name} is {word[:40]!r}; without a team, give the 32 hex digits that receipts show."
        )
    # One alone is in the order of its index.
    if len(hashed) > 1:
        hashed = [each for each in hashed if LedgerEntry.objects.filter(end_user=each).exists()] or [word]
    condition = Q(end_user__in=hashed)
    return Narrowing(condition, among=condition)


def _yes(condition: Q, among: Q | None = None) -> Read:
    """`among`: as Narrowing has it, where they do."""

    def read(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
        does = words[0] == "yes"
        return Narrowing(condition if does else ~condition, among=among if does else None)

    return read


def _min_cost(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
    amount = _number(name, words[0], _MOST_USD, "an amount in USD, such as 0.05")
    return Narrowing(Q(_charged__gte=amount), least_charge=units_of(amount))


def _min_latency(name: str, words: Sequence[str], team: Team | None) -> Narrowing:  # noqa: ARG001
    return Narrowing(
        Q(latency_ms__gte=float(_number(name, words[0], _MOST_MS, "milliseconds, such as 2000")))
    )


def _number(name: str, text: str, most: int, form: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 <= amount <= most):
        raise InvalidField(name, f"{name} is {text[:40]!r}; write {form}, up to {most:,}.")
    return amount


_OWN = Q(own_credential_id__isnull=False)
_OUTCOME_LABELS = {word: LedgerEntry.Outcome(word).label.lower() for word in OUTCOMES}
FILTERS: Mapping[str, Filter] = {
    each.name: each
    for each in (
        Filter("model", "Model", _column("model"), hint="acme/one"),
        Filter("provider", "Provider", _column("provider")),
        Filter("key", "Key", _key, hint="its id, with all that it replaced"),
        Filter("project", "Project", _project),
        Filter("member", "Member", _column("member"), hint="a user name"),
        Filter("service_account", "Service account", _column("service_account")),
        Filter("outcome", "Outcome", _outcome, choices=OUTCOMES, labels=_OUTCOME_LABELS),
        Filter("status", "Status", _status, hint="429, or 5xx"),
        Filter("error", "Error", _error, hint="rate_limited"),
        Filter("surface", "API spoken", _column("surface"), hint="openai"),
        Filter("endpoint", "Endpoint", _column("endpoint"), hint="chat.completions"),
        Filter("streamed", "Streamed", _yes(Q(is_streamed=True)), choices=YES_OR_NO, is_one=True),
        Filter("failed_over", "Failed over", _yes(Q(number__gt=1), TROUBLED), choices=YES_OR_NO, is_one=True),
        Filter(
            "own",
            "Own provider key",
            _yes(_OWN, _OWN),
            choices=YES_OR_NO,
            is_one=True,
        ),
        Filter("end_user", "End user", _end_user, hint="as your program names them", is_one=True),
        Filter("min_cost", "At least, USD", _min_cost, hint="0.05", is_one=True),
        Filter("min_latency", "At least, ms", _min_latency, hint="2000", is_one=True),
    )
}
FEWEST = ("end_user", "own", "outcome", "status", "error", "failed_over", "key")
"""Of filters that name rows that have an index, the one that is to go by: those that leave the fewest come first."""
ANNOTATED = {"_charged": CHARGED}

"""What a provider bills beside what the ledger has, and the likely cause of each difference. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from providers.reconciling.reading import Line

Place = tuple[date, str]
"""A day of UTC, and a model by the name that the provider gives it."""

_DAY = timedelta(days=1)
_NOTHING = Decimal(0)
_ALIKE = Decimal("0.005")
"""Ratios and counts that differ by less are the same."""


class Cause(StrEnum):
    MODEL_NOT_HERE = "model_not_here"
    MODEL_NOT_THERE = "model_not_there"
    DAY_NOT_HERE = "day_not_here"
    DAY_NOT_THERE = "day_not_there"
    DAYS_SHIFTED = "days_shifted"
    DAYS_CUT_ELSEWHERE = "days_cut_elsewhere"
    PRICE = "price"
    FAILED_ATTEMPTS = "failed_attempts"
    TOKENS = "tokens"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Billed:
    """By the provider. Tokens are None where it does not say."""

    usd: Decimal
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """In the ledger: all that the provider is to be paid, whoever bears it."""

    usd: Decimal
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced_failures: int = 0
    """Attempts that failed there and were booked as free."""
    failed_usd: Decimal = _NOTHING
    """What attempts that failed there were booked with."""


@dataclass(frozen=True, slots=True)
class Difference:
    day: date
    model: str
    billed: Billed | None
    booked: Booked | None
    cause: Cause
    hint: str

    @property
    def usd(self) -> Decimal:
        """How much more is billed than booked."""
        return _usd(self.billed) - _usd(self.booked)


def add_up(lines: Iterable[Line], names: Mapping[str, str]) -> dict[Place, Billed]:
    """Several lines of a day and model are one sum. `names`: what the provider calls a model → what we ask for."""
    found: dict[Place, Billed] = {}
    for line in lines:
        place = line.day, names.get(line.model, line.model)
        so_far = found.get(place, Billed(_NOTHING, None, None))
        found[place] = Billed(
            so_far.usd + line.usd,
            _plus(so_far.input_tokens, line.input_tokens),
            _plus(so_far.output_tokens, line.output_tokens),
        )
    return found


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


def compare(
    billed: Mapping[Place, Billed], booked: Mapping[Place, Booked], tolerance_usd: Decimal
) -> list[Difference]:
    """Days and models that differ by more, by day and model."""
    models = {model for _, model in [*billed, *booked]}
    sides = _Sides(billed, booked, tolerance_usd)
    found = [each for model in models for each in _of_model(sides, model)]
    return sorted(found, key=lambda each: (each.day, each.model))


@dataclass(frozen=True, slots=True)
class _Sides:
    billed: Mapping[Place, Billed]
    booked: Mapping[Place, Booked]
    tolerance_usd: Decimal

    def days(self, model: str) -> list[date]:
        return sorted({day for day, name in [*self.billed, *self.booked] if name == model})

    def agree(self, billed: Decimal, booked: Decimal, days: int = 1) -> bool:
        return abs(billed - booked) <= self.tolerance_usd * days


def _of_model(sides: _Sides, model: str) -> Iterable[Difference]:
    days = sides.days(model)
    differing = [
        day
        for day in days
        if not sides.agree(_usd(sides.billed.get((day, model))), _usd(sides.booked.get((day, model))))
    ]
    if not differing:
        return
    of_all = _cause_of_all(sides, model, days)
    for day in differing:
        billed, booked = sides.billed.get((day, model)), sides.booked.get((day, model))
        cause, hint = of_all or _cause_of_day(sides, model, day)
        yield Difference(day, model, billed, booked, cause, hint)


def _cause_of_all(sides: _Sides, model: str, days: list[date]) -> tuple[Cause, str] | None:
    """What explains every day of the model that differs."""
    if not any((day, model) in sides.booked for day in days):
        known = sorted({name for _, name in sides.booked})
        return Cause.MODEL_NOT_HERE, _unknown_hint(model, known)
    if not any((day, model) in sides.billed for day in days):
        return Cause.MODEL_NOT_THERE, "The report names no such model: is it under another name there?"
    return _shift(sides, model, days) or _price(sides, model, days)


def _unknown_hint(model: str, known: list[str]) -> str:
    near = [name for name in known if model.startswith(name) or name.startswith(model)]
    also = f" Is it {' or '.join(near)} here? Then say so in the mapping." if near else ""
    return f"The ledger has no call of this model at this provider in these days.{also}"


def _shift(sides: _Sides, model: str, days: list[date]) -> tuple[Cause, str] | None:
    """Their days are others: by a whole day, or they begin at another hour."""
    billed = {day: _usd(sides.billed.get((day, model))) for day in days}
    booked = {day: _usd(sides.booked.get((day, model))) for day in days}
    for step, word in ((_DAY, "later"), (-_DAY, "earlier")):
        pairs = [(billed[day + step], usd) for day, usd in booked.items() if day + step in billed]
        is_told = sum(1 for _, usd in pairs if abs(usd) > sides.tolerance_usd) >= 2
        is_varied = len({usd for _, usd in pairs}) > 1
        if is_told and is_varied and all(sides.agree(*pair) for pair in pairs):
            return Cause.DAYS_SHIFTED, f"The report has each day's amount a day {word} than the ledger."
    if sides.agree(sum(billed.values(), _NOTHING), sum(booked.values(), _NOTHING), len(days)):
        return (
            Cause.DAYS_CUT_ELSEWHERE,
            "The sum of all days agrees: the report's days begin at another hour.",
        )
    return None


def _price(sides: _Sides, model: str, days: list[date]) -> tuple[Cause, str] | None:
    """One factor on every day, and no other tokens."""
    ratios = []
    for day in days:
        billed, booked = sides.billed.get((day, model)), sides.booked.get((day, model))
        if billed is None or booked is None or not booked.usd or _tokens_differ(billed, booked):
            return None
        ratios.append(billed.usd / booked.usd)
    is_told = len(days) > 1 or all(sides.billed[day, model].input_tokens is not None for day in days)
    if not is_told or min(ratios) <= 0 or max(ratios) - min(ratios) > _ALIKE * max(ratios):
        return None
    factor = sum(ratios, _NOTHING) / len(ratios)
    return Cause.PRICE, f"Each day is billed at {factor:.4f} times what the ledger has: see the price list."


def _cause_of_day(sides: _Sides, model: str, day: date) -> tuple[Cause, str]:
    billed, booked = sides.billed.get((day, model)), sides.booked.get((day, model))
    if booked is None:
        is_whole = all(other != day for other, _ in sides.booked)
        what = "of this provider" if is_whole else "of this model"
        return Cause.DAY_NOT_HERE, f"The ledger has no call {what} on this day: who else uses the account?"
    if billed is None:
        return Cause.DAY_NOT_THERE, "The report has nothing on this day: is it whole?"
    if _tokens_differ(billed, booked):
        told = ", ".join(_tokens_told(billed, booked))
        return Cause.TOKENS, f"Tokens differ: {told}."
    more = billed.usd - booked.usd
    if more > 0 and booked.unpriced_failures:
        hint = (
            f"{booked.unpriced_failures} attempts failed there and were booked as free: they may bill them."
        )
        return Cause.FAILED_ATTEMPTS, hint
    if booked.failed_usd and sides.agree(-more, booked.failed_usd):
        return Cause.FAILED_ATTEMPTS, "They do not bill the attempts that failed, which were booked."
    return Cause.UNKNOWN, "None of the usual causes."


def _tokens_differ(billed: Billed, booked: Booked) -> bool:
    pairs = ((billed.input_tokens, booked.input_tokens), (billed.output_tokens, booked.output_tokens))
    return any(there is not None and abs(there - here) > _ALIKE * max(there, here) for there, here in pairs)


def _tokens_told(billed: Billed, booked: Booked) -> Iterable[str]:
    if billed.input_tokens is not None:
        yield f"{billed.input_tokens:,} in are billed, {booked.input_tokens:,} booked"
    if billed.output_tokens is not None:
        yield f"{billed.output_tokens:,} out are billed, {booked.output_tokens:,} booked"


def _usd(side: Billed | Booked | None) -> Decimal:
    return side.usd if side else _NOTHING

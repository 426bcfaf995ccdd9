"""How numbers, money, days and times are written where somebody lives; the words beside them stay English. Pure.

Separators and dates are Django's own. What Django does not know stands here, after CLDR: where a currency's sign and a
percent sign go, and digits of other scripts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils.dateformat import format as format_date
from django.utils.formats import get_format

_NARROW, _FIXED = "\u202f", "\N{NO-BREAK SPACE}"
_BEFORE, _AFTER = "${}", f"{{}}{_FIXED}$"
_PERCENT, _CLOSE_PERCENT = f"{{}}{_FIXED}%", "{}%"
_CENT = Decimal("0.01")
_THOUSAND, _MILLION, _BILLION = 1_000, 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Locale:
    """Whose numbers they are. `django` is what Django calls it."""

    label: str
    django: str
    money: str = _AFTER
    percent: str = _PERCENT
    digits: str = ""
    """In place of 0 to 9, then of the decimal separator and of the one of thousands."""
    time: str = "H:i"

    @property
    def for_browsers(self) -> str:
        """The tag with which their scripts write the same digits."""
        numbers = {"": "latn", "\N{ARABIC-INDIC DIGIT ZERO}": "arab"}.get(self.digits[:1], "arabext")
        return f"{self.django}-u-nu-{numbers}"


HOUSE = Locale("Gatehouse's own", "en-gb", _BEFORE)
LOCALES: Mapping[str, Locale] = {
    "en-GB": Locale("English (United Kingdom)", "en-gb", _BEFORE, _CLOSE_PERCENT),
    "en-US": Locale("English (United States)", "en-us", _BEFORE, _CLOSE_PERCENT, time="g:i A"),
    "en-AU": Locale("English (Australia)", "en-au", _BEFORE, _CLOSE_PERCENT, time="g:i A"),
    "en-IE": Locale("English (Ireland)", "en-ie", _BEFORE, _CLOSE_PERCENT),
    "ar": Locale("Arabic", "ar", _AFTER, _CLOSE_PERCENT),
    "ar-EG": Locale("Arabic (Egypt)", "ar", _AFTER, "{}٪", "٠١٢٣٤٥٦٧٨٩٫٬"),  # noqa: RUF001
    "cs": Locale("Czech", "cs"),
    "da": Locale("Danish", "da"),
    "de": Locale("German", "de"),
    "de-CH": Locale("German (Switzerland)", "de-ch", "${}", _CLOSE_PERCENT),
    "el": Locale("Greek", "el", percent=_CLOSE_PERCENT, time="H:i"),
    "es": Locale("Spanish", "es"),
    "es-MX": Locale("Spanish (Mexico)", "es-mx", _BEFORE, _CLOSE_PERCENT),
    "fa": Locale("Persian", "fa", "${}", "{}٪", "۰۱۲۳۴۵۶۷۸۹٫٬"),  # noqa: RUF001
    "fi": Locale("Finnish", "fi", time="H.i"),
    "fr": Locale("French", "fr", percent=f"{{}}{_NARROW}%"),
    "fr-CA": Locale("French (Canada)", "fr-ca"),
    "fr-CH": Locale("French (Switzerland)", "fr-ch"),
    "he": Locale("Hebrew", "he", percent=_CLOSE_PERCENT),
    "hi": Locale("Hindi", "hi", _BEFORE, _CLOSE_PERCENT),
    "hu": Locale("Hungarian", "hu", percent=_CLOSE_PERCENT),
    "id": Locale("Indonesian", "id", _BEFORE, _CLOSE_PERCENT, time="H.i"),
    "it": Locale("Italian", "it", percent=_CLOSE_PERCENT),
    "ja": Locale("Japanese", "ja", _BEFORE, _CLOSE_PERCENT),
    "ko": Locale("Korean", "ko", _BEFORE, _CLOSE_PERCENT),
    "nb": Locale("Norwegian", "nb"),
    "nl": Locale("Dutch", "nl", f"${_FIXED}{{}}", _CLOSE_PERCENT),
    "pl": Locale("Polish", "pl", percent=_CLOSE_PERCENT),
    "pt": Locale("Portuguese", "pt", percent=_CLOSE_PERCENT),
    "pt-BR": Locale("Portuguese (Brazil)", "pt-br", f"${_FIXED}{{}}", _CLOSE_PERCENT),
    "ro": Locale("Romanian", "ro"),
    "ru": Locale("Russian", "ru"),
    "sk": Locale("Slovak", "sk"),
    "sv": Locale("Swedish", "sv"),
    "tr": Locale("Turkish", "tr", "${}", "%{}"),
    "uk": Locale("Ukrainian", "uk", percent=_CLOSE_PERCENT),
    "vi": Locale("Vietnamese", "vi", percent=_CLOSE_PERCENT),
    "zh-Hans": Locale("Chinese (simplified)", "zh-hans", _BEFORE, _CLOSE_PERCENT),
    "zh-Hant": Locale("Chinese (traditional)", "zh-hant", _BEFORE, _CLOSE_PERCENT),
}
"""By BCP 47."""


def locale_named(tag: str) -> Locale:
    """Of a tag that is empty, or not known any more, the house's own."""
    return LOCALES.get(tag, HOUSE)


def write_number(amount: Decimal | int, locale: Locale) -> str:
    """All of its digits."""
    sign, written = (
        ("-" if amount < 0 else ""),
        f"{abs(amount):,f}" if isinstance(amount, Decimal) else f"{abs(amount):,}",
    )
    whole, _, decimals = written.partition(".")
    thousands, point = _separators(locale)
    return (
        sign
        + _in_digits(whole, locale).replace(",", thousands)
        + (decimals and point + _in_digits(decimals, locale))
    )


def write_usd(amount: Decimal, locale: Locale) -> str:
    """With two decimals; what is less than a cent is never nothing."""
    sign = "-" if amount < 0 else ""
    if amount and abs(amount) < _CENT:
        least = _money(_CENT, locale)
        return f"> -{least}" if sign else f"< {least}"
    return sign + _money(abs(amount).quantize(_CENT, ROUND_HALF_UP), locale)


def write_usd_exactly(amount: Decimal, locale: Locale) -> str:
    """All digits, at least two of them decimals."""
    sign, rest = ("-" if amount < 0 else ""), abs(amount).normalize()
    exponent = rest.as_tuple().exponent
    places = max(2, -exponent if isinstance(exponent, int) else 0)
    return sign + _money(rest.quantize(Decimal(1).scaleb(-places)), locale)


def write_usd_briefly(amount: Decimal, locale: Locale) -> str:
    """All digits, and no decimals where it is whole dollars: for amounts that somebody typed."""
    whole = amount.to_integral_value()
    if whole != amount:
        return write_usd_exactly(amount, locale)
    return ("-" if amount < 0 else "") + _money(abs(whole).quantize(Decimal(1)), locale)


def write_tokens(count: int, locale: Locale) -> str:
    """Such as 128K: three digits that count, from a thousand on."""
    for least, one, letter in (
        (999_500_000, _BILLION, "B"),
        (999_500, _MILLION, "M"),
        (_THOUSAND, _THOUSAND, "K"),
    ):
        if abs(count) >= least:
            return write_number(_three_digits(Decimal(count) / one), locale) + letter
    return write_number(count, locale)


def write_percent(percent: Decimal, locale: Locale) -> str:
    """With one decimal at most; only the whole is 100 %, and only nothing is 0 %."""
    rounded = percent.quantize(Decimal("0.1"), ROUND_HALF_UP)
    if percent and not rounded:
        rounded = Decimal("0.1").copy_sign(percent)
    if percent < 100 <= rounded:
        rounded = Decimal("99.9")
    plain = rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded
    return locale.percent.format(write_number(plain, locale))


def write_day(day: date, locale: Locale) -> str:
    return _in_digits(format_date(day, get_format("SHORT_DATE_FORMAT", locale.django)), locale)


def write_month(day: date, locale: Locale) -> str:
    """The one in which that day is, such as Dec 2025."""
    pattern = get_format("YEAR_MONTH_FORMAT", locale.django)
    # Where a month has a name and no number, that is a word.
    return _in_digits(format_date(day, "M Y" if "F" in pattern else pattern), locale)


def write_time(at: datetime, locale: Locale, *, seconds: bool = False) -> str:
    pattern = locale.time.replace("i", f"i{locale.time[1]}s") if seconds else locale.time
    return _in_digits(format_date(at, pattern), locale)


def _three_digits(amount: Decimal) -> Decimal:
    places = 2 if amount < 10 else 1 if amount < 100 else 0
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded.normalize()


def _money(amount: Decimal, locale: Locale) -> str:
    return locale.money.format(write_number(amount, locale))


def _separators(locale: Locale) -> tuple[str, str]:
    """Of thousands, and before decimals."""
    if locale.digits:
        return locale.digits[11], locale.digits[10]
    return get_format("THOUSAND_SEPARATOR", locale.django) or ",", get_format(
        "DECIMAL_SEPARATOR", locale.django
    )


def _in_digits(text: str, locale: Locale) -> str:
    return text.translate(str.maketrans("0123456789", locale.digits[:10])) if locale.digits else text

"""What a page says of a model over its offerings: a headline in words, and where a call goes first. Pure."""

from collections.abc import Sequence
from datetime import datetime

from catalogue.endpoints import answers
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.cost import current_prices, plain
from catalogue.pricing.meters import INPUT_TEXT, METERS, OUTPUT_TEXT
from catalogue.published.headline import Headline, Span
from catalogue.published.record import serving_offerings
from catalogue.published.snapshot import Snapshot
from gateway.public.amounts import MILLION, Amount, money, price, price_unit, token_range


def shown_offerings(model: ModelFacts, snapshot: Snapshot, at: datetime) -> Sequence[OfferingFacts]:
    """Those whose endpoints and providers lists know. As PublishedModelQuerySet.where_shown."""
    return serving_offerings(model, snapshot, at) or model.offerings


def can_be_called(model: ModelFacts, snapshot: Snapshot) -> bool:
    """Whether any provider can be asked for what it offers of it, whatever is on and connected."""
    return any(_can_be_asked(each, snapshot) for each in model.offerings)


def _can_be_asked(offering: OfferingFacts, snapshot: Snapshot) -> bool:
    provider = snapshot.providers.get(offering.provider_id)
    return answers(provider.wire_format if provider else "", offering.endpoints)


def from_price(span: Span | None, line: Headline) -> Amount | None:
    """The lowest, marked where others ask more; with the whole range, and who asks what."""
    if span is None:
        return None
    if line.is_free:
        return Amount("free", "No meter of its offerings charges anything.")
    low = money(span.low.usd * MILLION)
    if span.low.usd == span.high.usd:
        return Amount(low, f"{plain(span.low.usd)} USD for one token")
    return Amount(f"from {low}", _exact_range(span))


def price_range(span: Span | None, line: Headline) -> Amount | None:
    """From the lowest to the highest."""
    if span is None or line.is_free or span.low.usd == span.high.usd:
        return from_price(span, line)
    words = f"{money(span.low.usd * MILLION)} to {money(span.high.usd * MILLION)}"
    return Amount(words, _exact_range(span))


def context_range(line: Headline) -> Amount | None:
    return token_range(*line.context) if line.context else None


def output_range(model: ModelFacts, line: Headline) -> Amount | None:
    known = [each.max_output_tokens or model.max_output_tokens for each in line.offerings]
    lengths = [length for length in known or [model.max_output_tokens] if length]
    return token_range(min(lengths), max(lengths)) if lengths else None


def first_tried(line: Headline, at: datetime) -> Amount | None:
    """Where a call goes first, if all are as healthy, and what it costs there. None: it can go nowhere."""
    first = next(iter(line.offerings), None)
    if first is None:
        return None
    prices = {facts.meter: facts for facts in current_prices(first.prices, at)}
    said = {INPUT_TEXT: "in", OUTPUT_TEXT: "out"}
    parts = [f"{price(prices[meter]).text} {word}" for meter, word in said.items() if meter in prices]
    others = [
        f"{price(facts).text} a {price_unit(meter)} ({METERS[meter][0].lower()})"
        for meter, facts in prices.items()
        if not parts and facts.amount
    ]
    told = ", ".join(parts or others) or "without a known price"
    return Amount(
        f"{first.provider_name}, {told}", f"As {first.upstream_name}. The others are tried after it."
    )


def _exact_range(span: Span) -> str:
    low, high = span.low, span.high
    amounts = f"{plain(low.usd)} to {plain(high.usd)} USD for one token"
    names = [each.offering.provider_name for each in (low, high)]
    if names[0] == names[1]:
        return (
            f"{amounts}, at {names[0]} as {low.offering.upstream_name} and as {high.offering.upstream_name}."
        )
    return f"{amounts}, at {names[0]} and {names[1]}."

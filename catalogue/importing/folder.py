"""Reading a whole folder and putting it together. Nothing is written before all of it was read and checked."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from catalogue.facts import EPOCH
from catalogue.importing.entries import Folder, ModelEntry, OfferingEntry, OfferingKey, PriceEntry
from catalogue.importing.findings import Findings, Kind
from catalogue.importing.models import check_references, read_alias, read_model, read_organisation
from catalogue.importing.offers import Offer, ProviderRules, read_offer, read_provider
from catalogue.importing.prices import Card, read_card
from catalogue.importing.source import Row, read_rows

CHAT = "chat.completions"
FILES = (
    "organisations.json",
    "models.json",
    "aliases.json",
    "providers.json",
    "provider_models.json",
    "pricing.json",
)


def read_folder(path: Path, rules: ProviderRules, findings: Findings) -> Folder:
    """What it says. Where `findings` has errors afterwards, it must not be used."""
    organisations = [read_organisation(row) for row in read_rows(path / "organisations.json", findings)]
    models = _by_name(
        ((read_model(row), row) for row in read_rows(path / "models.json", findings)), _model_id
    )
    providers = [read_provider(row, rules) for row in read_rows(path / "providers.json", findings)]
    known = {provider.slug: provider for provider in providers}
    offers = [read_offer(row, known) for row in read_rows(path / "provider_models.json", findings)]
    cards = [read_card(row) for row in read_rows(path / "pricing.json", findings)]
    _check_offers(offers, models, set(known))
    _check_organisations(models, {organisation.id for organisation in organisations})
    aliases = [read_alias(row) for row in read_rows(path / "aliases.json", findings)]
    return Folder(
        name=path.name,
        organisations=tuple(organisations),
        providers=tuple(providers),
        models=tuple(check_references(models)),
        aliases=tuple(alias for alias in aliases if alias is not None),
        offerings=tuple(
            _put_together(offers, cards, {name: entry for name, (entry, _) in models.items()}, findings)
        ),
    )


def _model_id(pair: tuple[ModelEntry, Row]) -> str:
    return pair[0].id


def _by_name(
    pairs: Iterable[tuple[ModelEntry, Row]], name_of: Callable[[tuple[ModelEntry, Row]], str]
) -> dict[str, tuple[ModelEntry, Row]]:
    found: dict[str, tuple[ModelEntry, Row]] = {}
    for pair in pairs:
        name = name_of(pair)
        if name in found:
            pair[1].error("id", f"{name!r} appears twice.")
        found[name] = pair
    return found


def _check_organisations(models: Mapping[str, tuple[ModelEntry, Row]], known: set[str]) -> None:
    for entry, row in models.values():
        if entry.organisation_id not in known:
            row.error("id", f"There is no organisation {entry.organisation_id!r}.")


def _check_offers(
    offers: Iterable[Offer], models: Mapping[str, tuple[ModelEntry, Row]], providers: set[str]
) -> None:
    seen = set[str]()
    for offer in offers:
        model_id = offer.entry.key[0]
        if model_id not in models:
            offer.row.error("model_id", f"There is no model {model_id!r}.")
        if offer.provider not in providers:
            offer.row.error("provider_id", f"There is no provider {offer.provider!r}.")
        if offer.id in seen:
            offer.row.note(Kind.REPEATED_OFFER_ID, "id", f"{offer.id!r} stands for another offer, too.")
        seen.add(offer.id)


def _put_together(
    offers: Sequence[Offer], cards: Iterable[Card], models: Mapping[str, ModelEntry], findings: Findings
) -> Iterable[OfferingEntry]:
    """One offering for each model, provider and upstream name, with the prices of its cards."""
    by_pair: dict[tuple[str, str], list[Offer]] = defaultdict(list)
    for offer in offers:
        by_pair[offer.provider, offer.api_model_id].append(offer)
    for card in sorted(cards, key=lambda card: card.endpoint != CHAT):
        _add_prices(card, by_pair.get((card.provider, card.api_model_id), []))
    by_key: dict[OfferingKey, list[Offer]] = defaultdict(list)
    for offer in offers:
        if offer.entry.facts["endpoints"]:
            by_key[offer.entry.key].append(offer)
        else:
            offer.row.note(
                Kind.OFFER_WITHOUT_ENDPOINT, "capabilities", "It says nothing that the model does there."
            )
    for key, same in by_key.items():
        model = models.get(key[0])
        yield _joined(same, findings, may_be_on=not (model and model.is_withheld))


def _add_prices(card: Card, offers: Sequence[Offer]) -> None:
    if not offers:
        card.row.note(Kind.RULE_WITHOUT_PLACE, "rules", f"{len(card.prices)} prices have no offer to be of.")
    for offer in offers:
        endpoints: list[str] = offer.entry.facts["endpoints"]
        if not endpoints:
            # What is priced there is what it offers, where the offer itself does not say.
            endpoints.append(card.endpoint)
        priced = {(price.meter, price.plan) for price in offer.entry.prices}
        offer.entry.prices += [
            _of_endpoint(price, card.endpoint) if (price.meter, price.plan) in priced else price
            for price in card.prices
        ]


def _of_endpoint(price: PriceEntry, endpoint: str) -> PriceEntry:
    """What another endpoint has a price for already holds for this one alone."""
    return replace(price, conditions=(*price.conditions, {"path": "endpoint", "op": "eq", "value": endpoint}))


def _joined(offers: Sequence[Offer], findings: Findings, *, may_be_on: bool) -> OfferingEntry:
    """Of several rows the one that is on counts, else the one that began last; all of their prices do."""
    best = max(
        offers, key=lambda offer: (offer.entry.is_enabled, offer.entry.facts["effective_from"] or EPOCH)
    )
    for offer in offers:
        if offer is not best:
            lost = [name for name, value in offer.entry.facts.items() if value != best.entry.facts[name]]
            reason = f"Row {best.row.line} counts; lost: {', '.join(lost) or 'nothing'}."
            offer.row.note(Kind.OFFER_REPEATED, "provider_model_slug", reason)
    entry = best.entry
    prices = [price for offer in offers for price in offer.entry.prices]
    is_enabled = entry.is_enabled and may_be_on
    return OfferingEntry(entry.place, entry.key, entry.facts, is_enabled, _each_once(prices, findings))


def _each_once(prices: Iterable[PriceEntry], findings: Findings) -> list[PriceEntry]:
    """Of those that would hold at once the one of the highest priority, else the one that comes last."""
    chosen: dict[tuple[object, ...], PriceEntry] = {}
    for price in sorted(prices, key=lambda price: price.priority):
        overruled = chosen.get(price.slot)
        if overruled and overruled.digest != price.digest:
            reason = f"{overruled.amount} for {overruled.meter}; row {price.place[1]} says {price.amount}."
            findings.add(Kind.RULE_CONTRADICTED, *overruled.place, "rules", reason)
        chosen[price.slot] = price
    return list(chosen.values())

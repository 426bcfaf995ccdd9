"""Whether a call of a model would get through now: each of its offerings asked for, at no cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from catalogue.models import Model, Offering
from catalogue.published.reading import read_now
from providers import services
from providers.models import Provider
from providers.probes import ProbeOutcome, probe_together


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found of one offering."""

    is_good: bool
    text: str


def try_offerings(model: Model) -> Sequence[Trial]:
    """Asks every provider of the model for its list, and looks for the upstream names in it."""
    offerings = list(model.offerings.select_related("provider__credential"))
    outcomes = _probe({offering.provider_id: offering.provider for offering in offerings}.values())
    return [_trial(offering, outcomes.get(offering.provider_id)) for offering in offerings]


def tell_trial(request: HttpRequest, model: Model) -> None:
    """What was found, and whether clients can call it."""
    trials = try_offerings(model)
    for trial in trials:
        messages.add_message(request, messages.SUCCESS if trial.is_good else messages.WARNING, trial.text)
    reading = read_now()
    published = reading.find(model.public_id)
    if published is None or not reading.snapshot.is_routable(published, reading.at):
        messages.error(request, f"{model.public_id} cannot be called now.")
    elif any(trial.is_good for trial in trials):
        messages.success(request, f"{model.public_id} can be called now.")
    else:
        messages.warning(request, f"{model.public_id} is listed, but calls to it will probably fail.")


def _probe(providers: Iterable[Provider]) -> dict[int, ProbeOutcome]:
    asked = [
        services.facts_of(provider)
        for provider in providers
        if provider.is_enabled and provider.has_model_list and services.access_of(provider).is_usable
    ]
    found = {}
    for facts, outcome in probe_together(asked, policy=services.outbound_policy()):
        services.record_probe(provider_id=facts.id, outcome=outcome, at=timezone.now())
        found[facts.id] = outcome
    return found


def _trial(offering: Offering, outcome: ProbeOutcome | None) -> Trial:
    provider, name = offering.provider, offering.upstream_name
    if not offering.is_enabled:
        return Trial(False, f"{name} at {provider.name} is switched off.")
    if not provider.is_enabled:
        return Trial(False, f"{provider.name} is switched off.")
    if problem := services.access_of(provider).problem:
        return Trial(False, f"{provider.name} {problem}.")
    if outcome is None:
        return Trial(True, f"{provider.name} has no list of models to ask for: the first call tests {name}.")
    if outcome.error:
        return Trial(False, f"{provider.name}: {outcome.error}.")
    # Some providers list their names below a folder that calls do not need.
    if outcome.names and not {name, f"models/{name}"} & set(outcome.names):
        return Trial(False, f"{provider.name} answers, but its list has no {name}.")
    return Trial(True, f"{name} at {provider.name}: answered in {outcome.latency_ms:.0f} ms.")

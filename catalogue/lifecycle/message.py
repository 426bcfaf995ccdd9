"""What people are told of a model's life. Pure."""

from datetime import datetime

from catalogue.facts import ModelFacts
from catalogue.instants import date_text
from catalogue.lifecycle.status import Status


def lifecycle_message(model: ModelFacts, successor: ModelFacts | None, at: datetime) -> str | None:
    """What people should know of its life; None while it is simply active."""
    retired_on = date_text(model.retirement_at)
    match model.status(at):
        case Status.ACTIVE:
            return None
        case Status.ANNOUNCED:
            return f"{model.noun} '{model.id}' will be released on {date_text(model.release_at)}."
        case Status.RETIRED:
            news = f"was retired on {retired_on}"
        case Status.DEPRECATED:
            end = f" and will be retired on {retired_on}" if retired_on else ""
            news = f"has been deprecated since {date_text(model.deprecation_at)}{end}"
    advice = f"; use '{successor.id}'" if successor else ""
    return f"{model.noun} '{model.id}' {news}{advice}."


def tell_life(model: ModelFacts, successor: ModelFacts | None, at: datetime) -> str | None:
    """The lifecycle message; where it is active still, what its dates say of its end. None: it has none."""
    deprecated_on, retired_on = date_text(model.deprecation_at), date_text(model.retirement_at)
    is_ending = model.status(at) is Status.ACTIVE and (deprecated_on or retired_on)
    if not is_ending:
        return lifecycle_message(model, successor, at)
    news = [f"deprecated on {deprecated_on}" if deprecated_on else ""]
    news.append(f"retired on {retired_on}" if retired_on else "")
    advice = f"; use '{successor.id}'" if successor else ""
    return f"{model.noun} '{model.id}' will be {' and '.join(filter(None, news))}{advice}."

"""Form fields of keys and teams, the same in the admin and in the portal."""

import re
from typing import Any

from django import forms

from accounts.limits import LIMIT_MAX
from accounts.restrictions import SURFACES, check_lists
from gateway.core.refusals import InvalidField

_BETWEEN = re.compile(r"[\s,]+")


class WordsField(forms.CharField):
    """A list of texts, with blanks, lines or commas between them. `term` is the list of a key or a team that it is."""

    def __init__(self, *, term: str = "model_patterns", **options: Any) -> None:
        self.term = term
        super().__init__(required=False, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [word for word in _BETWEEN.split(str(value or "")) if word]

    def validate(self, value: Any) -> None:
        super().validate(value)
        try:
            check_lists({self.term: value})
        except InvalidField as fault:
            message = fault.message.replace(f"{self.term} holds", "This list holds")
            raise forms.ValidationError(message) from None

    def run_validators(self, value: Any) -> None:
        """A text's own, which look at its length and for a NUL, know no lists."""
        super().run_validators("\n".join(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


HINTS = {
    "model_patterns": "Models that may be called, one on each line: an id such as demo/chat, or all of an "
    "organisation's as anthropic/*. Leave it empty to allow every model.",
    "denied_model_patterns": "Models that may not be called, even if another list allows them; written as "
    "under Models. Leave it empty to deny none.",
    "provider_patterns": "Providers that calls may go to, one on each line, by their slugs: groq, or acme-* for "
    "several. Leave it empty to allow every provider.",
    "denied_provider_patterns": "Providers that calls never go to, even if no other one can answer. Leave it empty "
    "to deny none.",
    "surfaces": f"APIs that may be called, one on each line, out of {', '.join(SURFACES)}. Leave it empty to allow "
    "all of them.",
    "ip_ranges": "Networks that requests may come from, one on each line, such as 192.0.2.0/24 or 2001:db8::/32. From "
    "anywhere else they are refused. Leave it empty to allow every address.",
    "regions": "Regions that calls stay in, one on each line: eu, us, or a region of a cloud such as europe-west4. "
    "Where it is unknown where a model runs, or it runs in others too, calls do not go there. Leave it empty to allow "
    "every region.",
    "quantizations": "Quantizations that may answer, one on each line, such as bf16 or fp8; unknown stands for "
    "models that do not state theirs. Leave it empty to allow all.",
}
LABELS = {
    "model_patterns": "Models",
    "denied_model_patterns": "Models denied",
    "provider_patterns": "Providers",
    "denied_provider_patterns": "Providers denied",
    "surfaces": "APIs",
    "ip_ranges": "Addresses",
    "regions": "Regions",
    "quantizations": "Quantizations",
}


def words_field(term: str, **options: Any) -> WordsField:
    """The field of one of the lists that narrow, with its hint."""
    return WordsField(term=term, label=LABELS[term], **{"help_text": HINTS[term]} | options)


_LIMITS = {
    "requests_per_minute": ("Requests a minute", "start within a minute"),
    "concurrency": ("Calls at once", "run at the same time"),
}
"""The limits that a key's form asks for: what they are called, and what they count."""


def limit_field(term: str, **options: Any) -> forms.IntegerField:
    """The field of one of a key's own limits, with its hint."""
    label, counted = _LIMITS[term]
    hint = f"How many calls of the key may {counted}; more are answered with status 429. Leave it empty for no limit."
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=LIMIT_MAX, help_text=hint, **options
    )


def limit_of_new_keys(term: str) -> tuple[str, str]:
    """How a team's form names what a key gets of that limit where its own form says nothing, and the hint."""
    label, counted = _LIMITS[term]
    return (
        f"{label} of a new key",
        f"How many calls of a new key may {counted} if its form says nothing. Leave it empty for no limit.",
    )

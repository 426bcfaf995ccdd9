"""One of several words, for serializers of the REST views."""

from typing import Any, NoReturn

from rest_framework import serializers


class ChoiceField(serializers.ChoiceField):
    """Refuses with all that is allowed: whoever guessed wrong need not look it up."""

    default_error_messages = {"invalid_choice": 'must be one of {allowed}, not "{input}".'}

    def fail(self, key: str, **facts: Any) -> NoReturn:
        super().fail(key, allowed=", ".join(map(str, self.choices)), **facts)

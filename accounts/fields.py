"""Form fields of keys, the same in the admin and in the portal."""

import re
from typing import Any

from django import forms

from accounts.patterns import check_patterns
from gateway.core.refusals import InvalidField

_BETWEEN = re.compile(r"[\s,]+")


class PatternsField(forms.CharField):
    """A list of texts, with blanks, lines or commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [word for word in _BETWEEN.split(str(value or "")) if word]

    def validate(self, value: Any) -> None:
        super().validate(value)
        try:
            check_patterns(value)
        except InvalidField as fault:
            message = fault.message.replace("model_patterns holds", "This list holds")
            raise forms.ValidationError(message) from None

    def run_validators(self, value: Any) -> None:
        """A text's own, which look at its length and for a NUL, know no lists."""
        super().run_validators("\n".join(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))

"""The forms of feeds: what their addresses are narrowed to, and a key that stands in them."""

from typing import Any, cast

from django import forms
from django.http import QueryDict

from accounts.acting import Acting
from accounts.rights import Right
from accounts.scopes import FEED
from catalogue.changes.model_changes import Kind
from catalogue.published.reading import Reading


class NarrowForm(forms.Form):
    """All of it in the address."""

    organisation = forms.ChoiceField(required=False)
    model = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": "an id, such as acme/one", "autocomplete": "off"}
        ),
    )
    kind = forms.ChoiceField(
        label="What happens",
        required=False,
        choices=[("", "Anything"), *((kind.value, kind.value.capitalize()) for kind in Kind)],
    )

    def __init__(self, data: QueryDict, *, reading: Reading) -> None:
        super().__init__(data, auto_id="narrow_%s")
        self._reading = reading
        made = sorted({model.organisation_id for model in reading.snapshot.models.values()})
        choices = [("", "Any"), *((slug, slug) for slug in made)]
        cast("forms.ChoiceField", self.fields["organisation"]).choices = choices

    def clean_model(self) -> str:
        name: str = self.cleaned_data["model"]
        found = self._reading.find(name) if name else None
        if name and found is None:
            raise forms.ValidationError(f"There is no model {name!r}.")
        return found.id if found else ""

    @property
    def chosen(self) -> dict[str, str]:
        """What can be asked for; the rest is told at its field."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}


class FeedKeyForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="Which reader or calendar will use it, so that it can be stopped without the others.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    owner = forms.ChoiceField(
        label="Whose it is",
        choices=[("", "The team's own"), ("mine", "Mine")],
        required=False,
        help_text="Your own stops working when you leave the team.",
    )

    def __init__(self, data: QueryDict | None, *, acting: Acting) -> None:
        super().__init__(data)
        self._person = acting.person
        if not acting.may(Right.KEYS):
            del self.fields["owner"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Only printable characters.")
        return name

    def terms(self) -> dict[str, Any]:
        """As services take them."""
        is_mine = self.cleaned_data.get("owner", "mine") == "mine"
        owner = {"owner": self._person} if is_mine else {}
        return {"name": self.cleaned_data["name"], "scopes": [FEED], **owner}

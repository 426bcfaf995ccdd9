"""The form of a team's settings."""

from typing import Any

from django import forms

from accounts.fields import limit_of_new_keys, words_field
from accounts.limits import PUBLISHED
from accounts.models import Team


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a team's owners may change of it. Only what the person changed since the page was shown counts."""

    regions = words_field(
        "regions",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Regions that all calls of the team stay in, one on each line, such as eu. Where it is unknown where "
        "a model runs, calls do not go there. You may narrow them; only an administrator can widen them again.",
    )
    quantizations = words_field(
        "quantizations",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Quantizations that may answer, such as bf16; unknown stands for models that do not state theirs. "
        "You may narrow them; only an administrator can widen them again.",
    )

    class Meta:
        model = Team
        fields = [
            "name",
            "cost_centre",
            "time_zone",
            "lifecycle_policy",
            "keeps_responses",
            "allows_free_projects",
            "key_requests_per_minute",
            "key_concurrency",
            "key_days",
            "unused_key_days",
            "leaked_keys",
            "regions",
            "quantizations",
            "zero_retention",
            "no_data_collection",
        ]
        labels = {
            "keeps_responses": "Store responses",
            "allows_free_projects": "Allow free project tags",
            "key_days": "Days until a new key expires",
            "unused_key_days": "Days until an unused key expires",
        }
        help_texts = {
            "key_days": "After how many days a new key expires if its form says nothing. Leave it empty if keys should "
            "never expire.",
            "unused_key_days": "A key that nobody used for this many days expires a week after its people were told. "
            "0 means never; leave it empty to follow the gateway's own setting.",
            "zero_retention": "Calls go only where nothing of them is kept once they are answered. Only an "
            "administrator can switch it off again.",
            "no_data_collection": "Calls go only where nothing of them is used for the provider's own ends, such as "
            "training. Only an administrator can switch it off again.",
            "allows_free_projects": "Calls may name projects that nobody has made here. If it is off, they may name "
            "the team's own projects only.",
        }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for term in PUBLISHED:
            field = self.fields[f"key_{term}"]
            field.label, field.help_text = limit_of_new_keys(term)
        for field in self.fields.values():
            field.show_hidden_initial = True

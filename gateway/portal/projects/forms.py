"""The forms of projects and service accounts."""

from django import forms

from accounts.models import Project, ServiceAccount


class ServiceAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    prefix = "account"

    class Meta:
        model = ServiceAccount
        fields = ["name", "slug"]


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    prefix = "project"

    class Meta:
        model = Project
        fields = ["name", "slug"]


class NameForm(forms.Form):
    """How a service account or a project is called; its slug stays."""

    prefix = "name"

    name = forms.CharField(max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError("Only printable characters.")
        return name

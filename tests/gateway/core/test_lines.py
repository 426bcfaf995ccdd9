"""Names that reach mail, headers or logs are of one line, however they come in."""

import logging
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models

from gateway.core.lines import LineFormatter, OneLineTexts, as_one_line, is_one_line

MORE_THAN_ONE = [
    "a\r\nbcc: x@y.example",
    "a\nb",
    "a\rb",
    "a\x00b",
    "a\x1b[2Jb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
]
MORE_THAN_ONE += ["a\u2029b", "a\u202eb", "a\u2066b", "\ud800"]
ONE = ["", "Groq", "Mistral AI, Île-de-France", "名前", "👩‍💻 desk", "non\u00a0breaking", "עברית"]
TYPED = {
    "accounts.Team": "name slug",
    "accounts.Key": "name",
    "accounts.ServiceAccount": "name slug",
    "accounts.Project": "name slug",
    "accounts.Invitation": "email",
    "accounts.AlertChannel": "name",
    "accounts.ClaimRule": "claim value",
    "accounts.IdentityProvider": "slug name issuer client_id scopes trusted_domains",
    "accounts.ScimDirectory": "name trusted_domains",
    "accounts.ScimUser": "user_name external_id display_name",
    "accounts.ScimGroup": "display_name external_id",
    "accounts.User": "username first_name last_name email time_zone locale",
    "providers.Provider": "name slug base_url website",
    "providers.Credential": "variable",
    "providers.ProviderCredential": "label",
    "providers.Incident": "title",
    "providers.IncidentNote": "title",
    "providers.BillMapping": "date_column model_column amount_column input_tokens_column output_tokens_column",
    "catalogue.Organisation": "id name website",
    "catalogue.Model": "slug name tokenizer licence",
    "catalogue.Route": "slug name tokenizer licence",
    "catalogue.Alias": "name",
    "catalogue.Offering": "upstream_name quantization",
    "catalogue.Price": "plan currency source",
    "catalogue.IgnoredFinding": "what reason",
}


@pytest.mark.parametrize("text", MORE_THAN_ONE)
@pytest.mark.parametrize("label", TYPED)
def test_every_field_of_one_line_refuses_more(label: str, text: str) -> None:
    names = TYPED[label].split()
    with pytest.raises(ValidationError) as refused:
        apps.get_model(label)(**dict.fromkeys(names, text)).clean_fields()
    assert set(names) <= set(refused.value.message_dict)


@pytest.mark.parametrize("text", ONE)
def test_a_name_may_be_in_any_script(text: str) -> None:
    assert is_one_line(text)
    assert as_one_line(text) == text


@pytest.mark.parametrize("text", MORE_THAN_ONE)
def test_what_is_more_is_escaped(text: str) -> None:
    assert is_one_line(as_one_line(text))


def test_every_model_that_people_type_has_lines() -> None:
    ours = (
        model
        for model in apps.get_models()
        if model._meta.app_label in {"accounts", "providers", "catalogue"}
    )
    typed = {model._meta.label for model in ours if issubclass(model, OneLineTexts)}
    assert typed == set(TYPED)


def test_log_record_is_one_line_whatever_it_quotes() -> None:
    record = logging.LogRecord(
        "some", logging.ERROR, "", 0, "said %s", ("a\r\n2026-11-28 ERROR forged",), None
    )
    assert (
        LineFormatter("%(levelname)s %(message)s").format(record)
        == r"ERROR said a\r\n2026-11-28 ERROR forged"
    )


def test_traceback_keeps_its_lines() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        trouble: Any = (type(error), error, error.__traceback__)
    record = logging.LogRecord("some", logging.ERROR, "", 0, "broken", (), trouble)
    assert LineFormatter("%(message)s").format(record).startswith("broken\nTraceback")


def test_fields_that_were_excluded_are_not_looked_at() -> None:
    team: models.Model = apps.get_model("accounts.Team")(name="a\nb", slug="a")
    team.clean_fields(exclude={"name"})

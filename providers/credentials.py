"""Credentials beside the providers' main ones: teams' own and further ones of the operator, made and used.

All changes are in force in every process within a second.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.alerts.raising import raise_alert
from accounts.limiting import actor
from accounts.models import Key, Team
from accounts.patterns import check_patterns
from accounts.revision import Part, take_revision
from gateway.core.lines import REFUSAL, is_one_line
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretError
from gateway.core.store.interface import Limit
from providers.credential_places import check_region, check_same_address
from providers.facts import OPERATOR, CredentialFacts, Credentials
from providers.models import Provider, ProviderCredential
from providers.origins import origin_of
from providers.secrets import decrypt, encrypt
from providers.services import quotas_by
from providers.validators import secret_refusal

MOST = 20
"""Of one team at one provider."""
_SHORTEST, _LONGEST = 8, 4_096
_SHOWN_OF = 16
"""Of a shorter secret the last four characters would tell too much."""
_FAILURE_LENGTH = 600
_Sealed = tuple[int, int | None, str, str]
"""Provider, team, origin and ciphertext: all that a secret is bound to."""
_opened: Mapping[_Sealed, str] = {}


def credential_facts() -> Credentials:
    """All that are switched on and can be opened, by team and provider. Two queries."""
    global _opened  # noqa: PLW0603  # what was decrypted for the snapshot before need not be again
    rows = ProviderCredential.objects.filter(is_enabled=True).exclude(ciphertext="")
    quotas = quotas_by("credential")
    opened: dict[_Sealed, str] = {}
    found: dict[int, dict[int, list[CredentialFacts]]] = {}
    for row in rows.select_related("provider").in_order():
        known = row.provider_id, row.team_id, origin_of(row.address), row.ciphertext
        try:
            secret = opened[known] = _opened.get(known) or open_secret(row)
        except SecretError:
            continue
        of_team = found.setdefault(row.team_id or OPERATOR, {})
        of_team.setdefault(row.provider_id, []).append(_facts_of(row, secret, quotas.get(row.pk, ())))
    _opened = opened
    return {team: {provider: tuple(each) for provider, each in of.items()} for team, of in found.items()}


def open_secret(credential: ProviderCredential) -> str:
    """Load its provider with it. Raises SecretError."""
    return decrypt(
        credential.ciphertext,
        provider=credential.provider,
        team_id=credential.team_id,
        base_url=credential.base_url,
    )


def check_secret(secret: str) -> None:
    """Raises InvalidField, which never quotes it."""
    if refusal := secret_refusal(secret):
        raise InvalidField("secret", refusal)
    if not _SHORTEST <= len(secret) <= _LONGEST:
        message = f"secret has {len(secret)} characters; it needs {_SHORTEST} to {_LONGEST:,}."
        raise InvalidField("secret", message)


@transaction.atomic
def add_credential(
    *,
    provider: Provider,
    team: Team | None,
    label: str,
    secret: str,
    tested_at: datetime | None = None,
    **terms: Any,
) -> ProviderCredential:
    """Keep a secret that was tested. `terms` as `change_credential` takes them. Raises InvalidField, SecretError."""
    check_secret(secret)
    take_revision(Part.PROVIDERS)
    there = ProviderCredential.objects.filter(provider=provider, team=team)
    if there.count() >= MOST:
        raise InvalidField("provider", f"There are {MOST} at {provider.name} already; remove one first.")
    credential = ProviderCredential(provider=provider, team=team, label=label, tested_at=tested_at)
    if "position" not in terms:
        last = there.order_by("position").values_list("position", flat=True).last()
        credential.position = 0 if last is None else last + 1
    _set_terms(credential, terms)
    _put_in(credential, secret)
    _save(credential)
    return credential


@transaction.atomic
def change_credential(*, credential: ProviderCredential, **terms: Any) -> ProviderCredential:
    """Of `label`, `place`, `position`, `model_patterns`, `keys`, `region` and `is_enabled` those that are given.

    `keys` are the team's. None, of patterns and keys: all. Another `base_url` wants the secret again. Raises
    InvalidField.
    """
    check_same_address(credential, terms.get("base_url", credential.base_url))
    take_revision(Part.PROVIDERS)
    _set_terms(credential, terms)
    _save(credential)
    return credential


@transaction.atomic
def replace_secret(
    *, credential: ProviderCredential, secret: str, tested_at: datetime | None = None, **terms: Any
) -> ProviderCredential:
    """Another secret in its place; with `terms` as `change_credential` takes them, and a `base_url`.

    Raises InvalidField, SecretError.
    """
    check_secret(secret)
    take_revision(Part.PROVIDERS)
    _set_terms(credential, terms)
    _put_in(credential, secret)
    credential.tested_at = tested_at
    _save(credential)
    return credential


@transaction.atomic
def remove_credential(*, credential: ProviderCredential) -> None:
    take_revision(Part.PROVIDERS)
    credential.delete()


def holds(credential: ProviderCredential, secret: str) -> bool:
    """Whether it is this very secret."""
    try:
        return hmac.compare_digest(open_secret(credential).encode(), secret.encode())
    except SecretError:
        return False


@transaction.atomic
def note_refusal(credential_id: int, message: str, *, at: datetime) -> None:
    """The provider refused it: whoever has it is told, once a day. Nothing where it was replaced since, or is gone."""
    rows = ProviderCredential.objects.filter(pk=credential_id).exclude(rotated_at__gt=at)
    rows.update(failed_at=at, failure=message[:_FAILURE_LENGTH])
    for credential in rows.select_related("provider", "team"):
        _tell(credential, at)


def _tell(credential: ProviderCredential, at: datetime) -> None:
    provider, rotated_at = credential.provider, credential.rotated_at
    cause = (
        f"credential:{credential.pk}:{rotated_at:%Y%m%dT%H%M%S}"
        if rotated_at
        else f"credential:{credential.pk}"
    )
    if credential.team is None:
        lines = f"Credential {credential.label} ({credential.masked}): {credential.failure}"
        told = {"provider": provider.slug, "provider_name": provider.name, "lines": lines}
        raise_alert("provider.alarm", cause=cause, window=f"{at:%Y-%m-%d}", data=told)
        return
    told = {
        "provider": provider.slug,
        "provider_name": provider.name,
        "credential_id": str(credential.pk),
        "label": credential.label,
        "masked": credential.masked,
        "at": f"{at:%Y-%m-%d %H:%M} UTC",
        "failure": credential.failure,
    }
    raise_alert("credential.refused", cause=cause, window=f"{at:%Y-%m-%d}", team=credential.team, data=told)


def forget_secrets(provider: Provider) -> None:
    """Its address is another one: nothing that was typed for the old one goes there.

    Those that have an address of their own elsewhere stay; call this before the new one is saved.
    """
    rows = ProviderCredential.objects.filter(provider=provider).exclude(ciphertext="")
    forgotten = [
        row
        for row in rows.select_related("provider")
        if origin_of(row.address) == origin_of(row.provider.base_url)
    ]
    rows.filter(pk__in=[row.pk for row in forgotten]).update(ciphertext="", hint="", tested_at=None)
    audit.record_changes(forgotten, {"ciphertext": audit.SECRET_FORGOTTEN})


def encrypt_anew(credential: ProviderCredential) -> None:
    """With the newest key. Raises SecretError."""
    ciphertext = _seal(credential, open_secret(credential))
    ProviderCredential.objects.filter(pk=credential.pk).update(ciphertext=ciphertext)
    audit.record_changes([credential], {"ciphertext": audit.SECRET_CHANGED})


def keys_of(credential: ProviderCredential) -> Sequence[Key] | None:
    """The keys that it is for, by the first of each lineage; None: all."""
    if credential.lineages is None:
        return None
    return list(Key.objects.filter(pk__in=credential.lineages).order_by("pk"))


def _facts_of(row: ProviderCredential, secret: str, quotas: tuple[Limit, ...]) -> CredentialFacts:
    return CredentialFacts(
        id=row.pk,
        team_id=row.team_id or OPERATOR,
        label=row.label,
        place=row.place,
        secret=secret,
        position=row.position,
        quotas=quotas,
        model_patterns=None if row.model_patterns is None else tuple(row.model_patterns),
        lineage_ids=None if row.lineages is None else frozenset(row.lineages),
        base_url=row.base_url,
        region=row.region,
    )


def _put_in(credential: ProviderCredential, secret: str) -> None:
    credential.ciphertext = _seal(credential, secret)
    credential.hint = secret[-4:] if len(secret) >= _SHOWN_OF else ""
    credential.rotated_at = timezone.now()
    credential.failed_at, credential.failure = None, ""


def _seal(credential: ProviderCredential, secret: str) -> str:
    return encrypt(
        secret, provider=credential.provider, team_id=credential.team_id, base_url=credential.base_url
    )


def _set_terms(credential: ProviderCredential, terms: Mapping[str, Any]) -> None:
    for name in ("label", "place", "position", "base_url", "region", "is_enabled"):
        if name in terms:
            setattr(credential, name, terms[name])
    if "model_patterns" in terms:
        credential.model_patterns = _checked_list("model_patterns", terms["model_patterns"])
        check_patterns(credential.model_patterns or ())
    if "keys" in terms:
        keys: Iterable[Key] | None = _checked_list("keys", terms["keys"])
        credential.lineages = None if keys is None else sorted({key.lineage_id for key in keys})
    check_region(credential.region)
    if not is_one_line(credential.label) or not credential.label.strip():
        raise InvalidField("label", REFUSAL if credential.label.strip() else "label is empty.")
    if credential.team_id is None and credential.place == ProviderCredential.Place.ONLY:
        raise InvalidField("place", "place is only; use before or after where the credential is no team's.")


def _checked_list(field: str, values: Any) -> Any:
    if values is not None and not values:
        raise InvalidField(
            field, f"{field} is empty, which would permit none; leave it out or send null for all."
        )
    return values


def _save(credential: ProviderCredential) -> None:
    credential.set_by = actor()
    try:
        with transaction.atomic():
            credential.save()
    except IntegrityError:
        message = f"There is one called {credential.label!r} at {credential.provider.name} already."
        raise InvalidField("label", message) from None

"""Changes to providers and what opens them, each with the next revision, so that every process notices.

The revision's row is locked before a provider's, everywhere: changes at once wait in a line, never in a ring.
"""

from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.alerts.channels import seal_anew
from accounts.revision import Part, be_patient, take_revision
from accounts.rules import Row, compile_limits
from accounts.second_factor import seal_factors_anew
from accounts.standings import here
from gateway.core.outbound import OutboundPolicy
from gateway.core.sealing import SecretUnreadable
from gateway.core.store.interface import Limit, Standing
from providers import alarms, credentials, validators
from providers.breakers import follow_probes
from providers.facts import ProviderFacts
from providers.formats.registry import formats_with_list
from providers.models import (
    AdministratorCredential,
    Credential,
    ProbeResult,
    Provider,
    ProviderCredential,
    Quota,
    UpstreamList,
)
from providers.origins import address_of, origin_of
from providers.probes import TIMEOUT_S, ProbeOutcome
from providers.secrets import ADMINISTRATOR, Access, decrypt, encrypt, open_credential

DEMO_SLUGS = ("demo-a", "demo-b")
PROBES_KEPT = 200
FAILURES_TO_UNHEALTHY = 2


def outbound_policy() -> OutboundPolicy:
    """Where calls to providers may go: settings' exceptions, the demo providers, and servers of this machine."""
    return validators.policy_for(Provider.objects.demo_addresses(), Provider.objects.local_addresses())


def access_of(provider: Provider) -> Access:
    """Load the credential with it (`with_credential()`), or this costs a query."""
    return open_credential(getattr(provider, "credential", None))


def facts_of(provider: Provider, quotas: tuple[Limit, ...] = ()) -> ProviderFacts:
    access = access_of(provider)
    return ProviderFacts(
        id=provider.pk,
        slug=provider.slug,
        name=provider.name,
        wire_format=provider.wire_format,
        base_url=provider.base_url,
        is_enabled=provider.is_enabled,
        is_usable=access.is_usable and bool(provider.base_url),
        secret=access.secret,
        quirks=frozenset(provider.quirks),
        family=provider.family,
        patience_s=provider.patience_s,
        quotas=quotas,
        health=provider.health,
    )


def provider_facts() -> dict[int, ProviderFacts]:
    """Every provider by id, in two queries. One whose secret cannot be opened is there, and not usable."""
    quotas = quotas_by("provider")
    rows = Provider.objects.with_credential()
    return {provider.pk: facts_of(provider, quotas.get(provider.pk, ())) for provider in rows}


_QuotaKind = Literal["provider", "offering", "credential"]
_QUOTA_KINDS: tuple[_QuotaKind, ...] = ("provider", "offering", "credential")


def quotas_by(kind: _QuotaKind) -> dict[int, tuple[Limit, ...]]:
    """Of every provider, offering or further credential that has any, by its id. One query."""
    rows: dict[int, list[Row]] = {}
    quotas = Quota.objects.filter(**{f"{kind}__isnull": False}).order_by("pk")
    for id_, *row in quotas.values_list(f"{kind}_id", "unit", "window", "amount"):
        rows.setdefault(id_, []).append(cast("Row", tuple(row)))
    return {id_: tuple(compile_limits((kind, id_), own)) for id_, own in rows.items()}


def stand_quota(quota: Quota) -> Standing | None:
    """What is left of it now, as the store of this process knows; None: nobody here can say, or it has no window."""
    kind = next(kind for kind in _QUOTA_KINDS if getattr(quota, f"{kind}_id"))
    row: Row = (quota.unit, quota.window, quota.amount)
    (limit,) = compile_limits((kind, getattr(quota, f"{kind}_id")), [row])
    return next(iter(here.reader.standings([limit])), None)


def usable_provider_ids() -> set[int]:
    """Those that have what opens them, whether switched on or not. One query."""
    enabled = Credential.objects.filter(is_enabled=True).select_related("provider")
    return {credential.provider_id for credential in enabled if open_credential(credential).is_usable}


@transaction.atomic
def save_provider(*, provider: Provider) -> None:
    """Save it. What probes found does not count at a new origin, and what opened the provider does not go there.

    Stored secrets are forgotten, teams' own too. A variable opens nothing at an origin that it is not bound to.
    """
    take_revision(Part.PROVIDERS)
    is_elsewhere = has_moved(provider)
    if is_elsewhere or not provider.has_model_list:
        provider.health = Provider.Health.UNKNOWN
        provider.health_changed_at = None
    if is_elsewhere:
        _forget_secrets(Credential.objects.filter(provider=provider).exclude(ciphertext=""))
        credentials.forget_secrets(provider)
        _forget_secrets(AdministratorCredential.objects.filter(provider=provider).exclude(ciphertext=""))
    if provider.local_address != address_of(provider.base_url):
        provider.local_address = ""
    provider.next_probe_at = None
    provider.save()
    if provider.health != Provider.Health.UNHEALTHY or not (provider.is_enabled and provider.is_probed):
        follow_probes(provider.pk, is_healthy=True, at=timezone.now())


def has_moved(provider: Provider) -> bool:
    """Its base URL has another scheme, host or port than the saved one."""
    saved = Provider.objects.filter(pk=provider.pk).values_list("base_url", flat=True).first()
    return saved is not None and origin_of(saved) != origin_of(provider.base_url)


@transaction.atomic
def delete_provider(*, provider: Provider) -> None:
    take_revision(Part.PROVIDERS)
    provider.delete()


@transaction.atomic
def save_credential(*, credential: Credential, approves_origin: bool = False) -> None:
    """Save how a provider is opened. A secret is kept only while the credential is of that kind.

    `approves_origin` is a superuser's word that the variable may be sent to the provider's address.
    """
    take_revision(Part.PROVIDERS)
    if credential.kind != Credential.Kind.STORED:
        credential.ciphertext = ""
    if credential.kind != Credential.Kind.ENVIRONMENT:
        credential.approval = ""
    elif approves_origin:
        credential.approval = validators.approval_of(credential.variable, credential.provider.base_url)
    credential.save()
    alarms.clear_all(provider_id=credential.provider_id, at=timezone.now())
    _probe_soon(credential.provider_id)


@transaction.atomic
def store_secret(*, credential: Credential, secret: str) -> None:
    """Keep the secret encrypted, in place of whatever opened the provider before. Raises SecretError."""
    credential.ciphertext = encrypt(secret, provider=credential.provider)
    credential.kind = Credential.Kind.STORED
    credential.variable = ""
    credential.rotated_at = timezone.now()
    save_credential(credential=credential)


@transaction.atomic
def switch_provider(*, provider: Provider, is_enabled: bool) -> None:
    """Effective in every process within a second; switching to what it is changes nothing."""
    others = Provider.objects.filter(pk=provider.pk).exclude(is_enabled=is_enabled)
    if others.exists():
        take_revision(Part.PROVIDERS)
        others.update(is_enabled=is_enabled, next_probe_at=None)
        audit.record_changes([provider], {"is_enabled": (not is_enabled, is_enabled)})
    provider.is_enabled = is_enabled


@transaction.atomic
def rotate_secrets() -> list[str]:
    """Encrypt every stored secret anew with the newest key. Returns what could not be read, one line each."""
    be_patient()
    problems = [*seal_anew(), *seal_factors_anew()]
    stored = Credential.objects.exclude(ciphertext="").select_related("provider")
    for credential in stored.select_for_update(of=("self",)):
        try:
            secret = decrypt(credential.ciphertext, provider=credential.provider)
        except SecretUnreadable as error:
            problems.append(f"{credential.provider.slug}: {error}")
            continue
        ciphertext = encrypt(secret, provider=credential.provider)
        Credential.objects.filter(pk=credential.pk).update(ciphertext=ciphertext)
        audit.record_changes([credential], {"ciphertext": audit.SECRET_CHANGED})
    further = ProviderCredential.objects.exclude(ciphertext="").select_related("provider")
    for each in further.select_for_update(of=("self",)):
        try:
            credentials.encrypt_anew(each)
        except SecretUnreadable as error:
            problems.append(f"{each.provider.slug}, {each.label}: {error}")
    return problems + _rotate_administrators()


def _rotate_administrators() -> list[str]:
    problems = []
    stored = AdministratorCredential.objects.exclude(ciphertext="").select_related("provider")
    for credential in stored.select_for_update(of=("self",)):
        try:
            secret = decrypt(credential.ciphertext, provider=credential.provider, purpose=ADMINISTRATOR)
        except SecretUnreadable as error:
            problems.append(f"{credential.provider.slug}, the administrator's: {error}")
            continue
        ciphertext = encrypt(secret, provider=credential.provider, purpose=ADMINISTRATOR)
        AdministratorCredential.objects.filter(pk=credential.pk).update(ciphertext=ciphertext)
        audit.record_changes([credential], {"ciphertext": audit.SECRET_CHANGED})
    return problems


def record_probe(*, provider_id: int, outcome: ProbeOutcome, at: datetime) -> None:
    """Keep what a probe found. Healthy at once, unhealthy after two failures in a row; only changes count.

    Nothing if the provider went meanwhile, or has no model list any more.
    """
    if not Provider.objects.filter(pk=provider_id, wire_format__in=formats_with_list()).exists():
        return
    results = ProbeResult.objects.filter(provider_id=provider_id)
    ProbeResult.objects.create(
        provider_id=provider_id,
        at=at,
        is_healthy=outcome.is_healthy,
        status=outcome.status,
        latency_ms=outcome.latency_ms,
        error=outcome.error[:300],
    )
    if outcome.names:
        _keep_names(provider_id, list(outcome.names), at)
    health = _health_after(list(results.values_list("is_healthy", flat=True)[:FAILURES_TO_UNHEALTHY]))
    if outcome.is_healthy:
        alarms.clear_after_probe(provider_id=provider_id, at=at)
    if health:
        _change_health(provider_id, health, at)
    outlived = list(results.values_list("pk", flat=True)[PROBES_KEPT:])
    if outlived:
        results.filter(pk__in=outlived).delete()


def claim_due_probes(*, at: datetime, most: int) -> list[int]:
    """Ids that the caller alone is to probe now: the turn moves on in the statement that checks it.

    Those that have waited longest come first. None is claimed again while its probe can still run.
    """
    turn = at + timedelta(seconds=max(settings.PROBE_INTERVAL_S, TIMEOUT_S))
    due = Provider.objects.due(at).with_credential().order_by(F("next_probe_at").asc(nulls_first=True))
    usable = (provider.pk for provider in due if access_of(provider).is_usable)
    ours = (pk for pk in usable if Provider.objects.due(at).filter(pk=pk).update(next_probe_at=turn))
    return list(islice(ours, most))


def ensure_demo_providers(port: int, *, host: str = "127.0.0.1") -> None:
    """Point the two demo providers at the demo server there. Somebody's own row of that slug stays."""
    for slug in DEMO_SLUGS:
        _ensure_demo_provider(slug, f"http://{host}:{port}/{slug}/v1")


def demo_port() -> int | None:
    """The port at which the demo providers expect their server; None without demo providers."""
    url = Provider.objects.filter(is_demo=True).values_list("base_url", flat=True).first()
    return urlsplit(url).port if url else None


def _forget_secrets(credentials: QuerySet[Credential] | QuerySet[AdministratorCredential]) -> None:
    rows = list(credentials.select_related("provider"))
    credentials.update(ciphertext="")
    audit.record_changes(rows, {"ciphertext": audit.SECRET_FORGOTTEN})


@transaction.atomic
def _ensure_demo_provider(slug: str, base_url: str) -> None:
    provider = Provider.objects.filter(slug=slug).first()
    if provider and (not provider.is_demo or provider.base_url == base_url):
        return
    provider = provider or Provider(slug=slug, name=slug.replace("-", " ").title())
    provider.base_url, provider.is_demo = base_url, True
    # It follows its server to whichever port is free: that is nobody's act.
    with audit.unwatched():
        save_provider(provider=provider)
    Credential.objects.get_or_create(provider=provider, defaults={"kind": Credential.Kind.NONE})


@transaction.atomic
def _change_health(provider_id: int, health: str, at: datetime) -> None:
    changed = Provider.objects.filter(pk=provider_id).exclude(health=health)
    if changed.exists():
        take_revision(Part.PROVIDERS)
        changed.update(health=health, health_changed_at=at)
        follow_probes(provider_id, is_healthy=health == Provider.Health.HEALTHY, at=at)


def _keep_names(provider_id: int, names: list[str], at: datetime) -> None:
    """Written only where the list became another one: probes come once a minute."""
    known = UpstreamList.objects.filter(provider_id=provider_id).values_list("names", flat=True).first()
    if known != names:
        fields = {"names": names, "changed_at": at}
        UpstreamList.objects.update_or_create(provider_id=provider_id, defaults=fields)


def _health_after(newest: list[bool]) -> str:
    """Empty: too early to say. `newest` comes first."""
    if newest[0]:
        return Provider.Health.HEALTHY
    return Provider.Health.UNHEALTHY if len(newest) == FAILURES_TO_UNHEALTHY and not any(newest) else ""


def _probe_soon(provider_id: int) -> None:
    Provider.objects.filter(pk=provider_id).update(next_probe_at=None)

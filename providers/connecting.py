"""Connecting a provider: an address as people type it becomes a row, and what was tried with success is saved."""

from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from accounts.revision import Part, take_revision
from gateway.core.outbound import OutboundPolicy, is_this_machine
from providers import services, validators
from providers.facts import ProviderFacts
from providers.formats.registry import access_to
from providers.local_servers import PORTS
from providers.models import Credential, Provider
from providers.origins import address_of
from providers.probes import ProbeOutcome

# What people copy along with a base URL.
_TAILS = ("/chat/completions", "/completions", "/embeddings", "/messages", "/responses", "/models")


def complete_address(typed: str, wire_format: str) -> str:
    """A base URL, of what may lack its scheme or version, or name a call and not where calls are."""
    url = typed.strip().rstrip("/")
    if "://" not in url:
        host = urlsplit(f"//{url}").hostname or ""
        url = f"{'http' if is_this_machine(host) else 'https'}://{url}"
    for tail in _TAILS:
        url = url.removesuffix(tail)
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + access_to(wire_format).version


def own_server(base_url: str, wire_format: str, *, name: str = "") -> Provider:
    """The row of that address where there is one, else a new one that is not saved yet."""
    known = Provider.objects.filter(base_url=base_url, wire_format=wire_format, is_demo=False).first()
    if known is not None:
        known.is_enabled = True
        return known
    name = name or _name_of(base_url)
    return Provider(
        name=name[:100], slug=_free_slug(name), base_url=base_url, wire_format=wire_format, is_enabled=True
    )


def facts_with(provider: Provider, secret: str) -> ProviderFacts:
    """The provider as it would be called with that secret; empty is none."""
    return ProviderFacts(
        id=provider.pk or 0,
        slug=provider.slug,
        name=provider.name,
        wire_format=provider.wire_format,
        base_url=provider.base_url,
        is_enabled=True,
        is_usable=True,
        secret=secret or None,
        quirks=frozenset(provider.quirks),
        family=provider.family,
        patience_s=provider.patience_s,
    )


def policy_to(provider: Provider, *, is_allowed: bool) -> OutboundPolicy:
    """The way out as it would be. `is_allowed`: a superuser's word for this very address."""
    local = {*Provider.objects.local_addresses(), *([address_of(provider.base_url)] if is_allowed else [])}
    return validators.policy_for(Provider.objects.demo_addresses(), local)


@transaction.atomic
def connect(
    *, provider: Provider, secret: str, outcome: ProbeOutcome | None, is_allowed: bool = False
) -> None:
    """Save the provider, what opens it, and what was found. Raises SecretError.

    Without a secret, a provider that has a credential keeps it: some lists are open to everybody.
    """
    take_revision(Part.PROVIDERS)
    if provider.pk is None:
        # Whoever connected in the meantime may have taken it; nobody can now.
        provider.slug = _free_slug(provider.name)
    if is_allowed:
        provider.local_address = address_of(provider.base_url)
    services.save_provider(provider=provider)
    known = Credential.objects.filter(provider=provider).select_related("provider").first()
    if secret:
        credential = known or Credential(provider=provider)
        credential.is_enabled = True
        services.store_secret(credential=credential, secret=secret)
    elif known is None:
        services.save_credential(credential=Credential(provider=provider, kind=Credential.Kind.NONE))
    if outcome is not None:
        services.record_probe(provider_id=provider.pk, outcome=outcome, at=timezone.now())


def _name_of(base_url: str) -> str:
    parts = urlsplit(base_url)
    host = parts.hostname or "server"
    if is_this_machine(host):
        return PORTS.get(parts.port or 0, f"Server at port {parts.port}")
    return host


def _free_slug(name: str) -> str:
    """The name as a slug, with a number where it is taken."""
    slug = slugify(name.replace(".", "-"))[:50] or "server"
    taken = set(Provider.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    return next(
        each for each in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if each not in taken
    )

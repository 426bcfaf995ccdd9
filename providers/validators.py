"""What staff may enter for a provider: where it is, and what opens it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.conf import settings

from gateway.core.outbound import OutboundPolicy, is_this_machine, resolve_name
from providers.origins import host_of, origin_of

_RESOLVE_TIMEOUT_S = 2.0
_resolver = ThreadPoolExecutor(max_workers=2, thread_name_prefix="resolve")


def policy_for(demo_addresses: Iterable[str], local_addresses: Iterable[str] = ()) -> OutboundPolicy:
    """Where calls to any provider may go: settings' exceptions, the demo providers, and a superuser's word."""
    local = {each for each in local_addresses if is_this_machine(host_of(each))}
    if not settings.LOCAL_SERVERS_ALLOWED:
        local.clear()
    allowed = {*settings.PRIVATE_ADDRESSES_ALLOWED, *settings.DEMO_ADDRESSES, *demo_addresses, *local}
    return OutboundPolicy(allowed=frozenset(allowed))


def base_url_refusal(url: str, policy: OutboundPolicy) -> str | None:
    """Why calls must not go there, or None. A name without an address passes: the policy asks again."""
    refusal = policy.url_refusal(url)
    if refusal:
        return refusal
    parts = urlsplit(url)
    return _resolved_refusal(parts.hostname or "", parts.port or _default_port(parts.scheme), policy)


def allowed_variables() -> list[str]:
    """Names of the environment that a credential may read."""
    return list(settings.CREDENTIAL_VARIABLES)


def variable_refusal(name: str) -> str | None:
    if name in allowed_variables():
        return None
    allowed = ", ".join(allowed_variables()) or "none"
    return f"“{name}” may not be read. Allowed: {allowed}. GATEWAY_CREDENTIAL_VARIABLES can name more."


def origins_of(variable: str) -> frozenset[str]:
    """Where the settings let the variable be sent to."""
    return frozenset(settings.CREDENTIAL_ORIGINS.get(variable, ()))


def destination_refusal(variable: str, base_url: str, *, approval: str = "") -> str | None:
    """Why the variable may not be sent there, or None. `approval` is a superuser's word for one variable and origin."""
    origin = origin_of(base_url)
    if origin in origins_of(variable) or approval == approval_of(variable, base_url):
        return None
    allowed = ", ".join(sorted(origins_of(variable)))
    return f"{variable} may not be sent to {origin}" + (f", only to {allowed}" if allowed else "")


def approval_of(variable: str, base_url: str) -> str:
    """What a credential keeps of a superuser's word: it says nothing of another variable, nor of another origin."""
    return f"{variable} to {origin_of(base_url)}"


def quirks_refusal(quirks: object, known: Iterable[str]) -> str | None:
    if not isinstance(quirks, list):
        return "Give a list of names."
    unknown = [str(name) for name in quirks if name not in list(known)]
    if not unknown:
        return None
    return f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known)) or 'none'}."


def secret_refusal(secret: str) -> str | None:
    """A secret travels in a header: so one line of visible ASCII."""
    if secret.isascii() and secret.isprintable() and " " not in secret:
        return None
    return "A secret is one line of letters, digits and signs, without spaces."


def _default_port(scheme: str) -> int:
    return 80 if scheme == "http" else 443


def _resolved_refusal(host: str, port: int, policy: OutboundPolicy) -> str | None:
    for address in _addresses(host, port):
        refusal = policy.refusal(host, port, address)
        if refusal:
            return refusal
    return None


def _addresses(host: str, port: int) -> list[str]:
    # In a thread, because the system's resolver takes no timeout.
    try:
        return _resolver.submit(resolve_name, host, port).result(_RESOLVE_TIMEOUT_S)
    except (OSError, UnicodeError):
        return []

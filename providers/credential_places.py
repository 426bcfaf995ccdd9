"""Where calls by a further credential go, and in which region, as people say it: checked before it is kept."""

from accounts.regions import is_region
from gateway.core.outbound import OutboundPolicy
from gateway.core.refusals import InvalidField
from providers import services, validators
from providers.models import Provider, ProviderCredential
from providers.origins import origin_of

_LONGEST = 300


def checked_address(base_url: str, *, provider: Provider, is_own: bool) -> str:
    """As it is kept; empty: the provider's own. Asks a name server, so outside of transactions. Raises InvalidField.

    A team's own goes to public addresses alone, and to the origin of its provider: what the operator's exceptions let
    in is for providers that staff entered.
    """
    url = base_url.strip().rstrip("/")
    if url in {"", provider.base_url}:
        return ""
    if len(url) > _LONGEST:
        raise InvalidField("base_url", f"base_url has {len(url)} characters; it may have {_LONGEST}.")
    is_elsewhere = origin_of(url) != origin_of(provider.base_url)
    policy = OutboundPolicy() if is_own and is_elsewhere else services.outbound_policy()
    if refusal := validators.base_url_refusal(url, policy):
        raise InvalidField("base_url", refusal)
    return url


def check_same_address(credential: ProviderCredential, base_url: str) -> None:
    """Raises InvalidField: a secret goes only where it was typed for."""
    if base_url != credential.base_url:
        raise InvalidField("secret", "A new address asks for the secret again: it is tested there.")


def check_region(region: str) -> None:
    """Raises InvalidField."""
    if region and not is_region(region):
        message = f"region is {region[:40]!r}; it is written in lower case, such as eu, us or europe-west4."
        raise InvalidField("region", message)

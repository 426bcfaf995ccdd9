"""An address and a key, tried before they are saved: what is the matter, and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gateway.core.outbound import OutboundPolicy
from providers.facts import ProviderFacts
from providers.formats.registry import access_to
from providers.origins import address_of
from providers.probes import ProbeOutcome, Trouble, probe

_UNTESTED = frozenset({Trouble.NO_LIST, Trouble.LIMITED, Trouble.OTHER_FORMAT})


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """`outcome` is None where the wire format has nothing that could be asked for.

    `proves_key`: the list came with the key, and does not come without it.
    """

    outcome: ProbeOutcome | None
    error: str = ""
    """What is the matter and what to do, for people; empty where calls can get through."""
    proves_key: bool = False


def check_connection(provider: ProviderFacts, *, policy: OutboundPolicy, has_list: bool) -> ConnectionCheck:
    """In about 10 seconds at most. Without `has_list`, an answer without a list of models is no fault."""
    if access_to(provider.wire_format).models is None:
        return ConnectionCheck(None)
    outcome = probe(provider, policy=policy)
    trouble = outcome.trouble
    if trouble is not None and (has_list or trouble not in _UNTESTED):
        return ConnectionCheck(outcome, way_out(trouble, provider, outcome.status))
    return ConnectionCheck(outcome, proves_key=not trouble and _needs_key(provider, policy))


def way_out(trouble: Trouble, provider: ProviderFacts, status: int | None = None) -> str:
    """What happened, and what to do about it."""
    words = {
        "host": urlsplit(provider.base_url).hostname or "",
        "address": address_of(provider.base_url),
        "url": provider.base_url,
        "name": provider.name,
        "status": status,
    }
    asks_for_key = trouble is Trouble.CREDENTIAL_REFUSED and provider.secret is None
    return (_KEY_WANTED if asks_for_key else _WAYS_OUT[trouble]).format(**words)


def _needs_key(provider: ProviderFacts, policy: OutboundPolicy) -> bool:
    """Some lists are open to everybody, and so say nothing of a key."""
    if provider.secret is None:
        return False
    anonymous = probe(replace(provider, secret=None), policy=policy)
    return anonymous.trouble in {
        Trouble.CREDENTIAL_REFUSED,
        Trouble.PERMISSION_LACKING,
        Trouble.REQUEST_REFUSED,
    }


_KEY_WANTED = "{name} asks for a key ({status}): give the one that the server was started with."
_WAYS_OUT: Mapping[Trouble, str] = {
    Trouble.SECRET_UNSENDABLE: (
        "This key has characters that a header cannot carry. Copy it again, without anything around it."
    ),
    Trouble.NAME_UNKNOWN: (
        "No address is known under the name {host}. Check its spelling, and that this machine can look "
        "up names."
    ),
    Trouble.ADDRESS_FORBIDDEN: "{address} is a private address, which is not allowed here.",
    Trouble.CONNECTION_REFUSED: (
        "Nothing listens at {address}. Start the server, or check the port. From a container, 127.0.0.1 is "
        "the container itself."
    ),
    Trouble.UNREACHABLE: (
        "{address} cannot be reached from this machine. Check the network, and any firewall in between."
    ),
    Trouble.CERTIFICATE: (
        "The certificate of {host} cannot be verified. Use the name that it was made out for; an authority "
        "of your own has to be trusted by this machine (SSL_CERT_FILE)."
    ),
    Trouble.TLS: (
        "{address} does not speak TLS. Servers on this machine usually want http:// in place of https://; "
        "else check the port."
    ),
    Trouble.TIMEOUT: (
        "{address} did not answer within 5 seconds. A firewall may swallow what is sent, or the server may "
        "still be loading a model: try again."
    ),
    Trouble.BROKEN: (
        "{address} broke off, or does not speak HTTP. Check the port, and whether it wants https://."
    ),
    Trouble.REQUEST_REFUSED: (
        "{name} refuses the request ({status}). With some vendors that is a wrong key: copy it again."
    ),
    Trouble.CREDENTIAL_REFUSED: (
        "{name} refuses this key ({status}). Copy it again in full; check that it belongs to this provider"
        " and has not been revoked."
    ),
    Trouble.NO_CREDIT: (
        "{name} knows this key, but its account has no credit ({status}). Add some there, and try again."
    ),
    Trouble.PERMISSION_LACKING: (
        "{name} answers, but this key may not list its models ({status}). Give it that right there, or use "
        "another key; some vendors also refuse certain countries and networks this way."
    ),
    Trouble.REDIRECTED: (
        "{address} sends us elsewhere ({status}), and keys are never sent on. Give the address that it "
        "leads to."
    ),
    Trouble.SERVER_ERROR: (
        "{name} answers with an error of its own ({status}), which says nothing of the key. Try again later."
    ),
    Trouble.NOT_JSON: (
        "{url} answers, but with a page or text and not as an API does. The base URL ends with the version,"
        " as in https://api.openai.com/v1."
    ),
    Trouble.NO_LIST: (
        "{url} answers, but has no list of models there ({status}). The base URL ends with the version, "
        "such as /v1; or the server speaks another format."
    ),
    Trouble.LIMITED: "{name} says that it is asked too often ({status}). Wait for a minute, and try again.",
    Trouble.OTHER_FORMAT: (
        "{url} answers, but not in this format: its list of models has another form. Choose another format."
    ),
}

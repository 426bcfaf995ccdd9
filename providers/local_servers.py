"""Model servers on the machine itself, at the ports that they take by themselves; looked for only when asked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.core.outbound import OutboundPolicy
from providers.facts import ProviderFacts
from providers.origins import address_of
from providers.probes import ProbeOutcome, probe_together

PORTS = {11434: "Ollama", 8000: "vLLM", 1234: "LM Studio", 8080: "llama.cpp"}
ALL_OPEN = OutboundPolicy(frozenset(f"127.0.0.1:{port}" for port in PORTS))
"""For whoever may allow them."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """What answered there. `asks_for_key`: it listed nothing, because it wants one."""

    name: str
    base_url: str
    models: Sequence[str]
    asks_for_key: bool

    @property
    def address(self) -> str:
        return address_of(self.base_url)


def find_local_servers(policy: OutboundPolicy, *, own_ports: Collection[int] = ()) -> list[LocalServer]:
    """Ask the known ports of 127.0.0.1 for their lists, all at once; those of this gateway are left out."""
    known = [
        ProviderFacts(port, "", name, "openai", f"http://127.0.0.1:{port}/v1", True, True)
        for port, name in PORTS.items()
        if port not in own_ports
    ]
    asked = [each for each in known if policy.url_refusal(each.base_url) is None]
    answered = {facts.id: _server(facts, outcome) for facts, outcome in probe_together(asked, policy=policy)}
    found = (answered[facts.id] for facts in asked)
    return [server for server in found if server is not None]


def _server(facts: ProviderFacts, outcome: ProbeOutcome) -> LocalServer | None:
    asks_for_key = outcome.status in {401, 403}
    if not asks_for_key and (outcome.status != 200 or outcome.trouble):
        return None
    return LocalServer(facts.name, facts.base_url, outcome.names, asks_for_key)

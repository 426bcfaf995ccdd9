"""A gateway in front of a scriptable provider of each wire format: `acme/gemini` is answered by the one of Gemini.

`acme/gemini-refuse-429` is refused so by its provider, `acme/gemini-trip-503` every first of two times; see
tests.upstream.speaking. `acme/off` is offered by a provider that is switched off.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count

from catalogue.facts import ModelFacts
from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import Speaker, speaking

WIRE_FORMATS = tuple(FORMATS)
BEHAVIOURS = ("upstream", "refuse-400", "refuse-429", "refuse-503", "trip-429", "trip-503")
SWITCHED_OFF = 9


@dataclass
class House:
    edge: RunningEdge
    speakers: dict[str, Speaker] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.edge.url

    @property
    def key(self) -> str:
        return self.edge.key

    def forget(self) -> None:
        for speaker in self.speakers.values():
            speaker.seen.clear()

    def calls(self) -> int:
        """How many requests have reached the providers since then."""
        return sum(len(speaker.seen) for speaker in self.speakers.values())


@contextmanager
def running_house() -> Iterator[House]:
    with ExitStack() as stack:
        speakers = {name: stack.enter_context(speaking(name)) for name in WIRE_FORMATS}
        providers = [
            a_provider(number, base_url=speakers[name].base_url, wire_format=name, secret="s3cret")
            for number, name in enumerate(WIRE_FORMATS, 1)
        ]
        off = a_provider(SWITCHED_OFF, is_enabled=False)
        edge = stack.enter_context(running_edge(_models(), [*providers, off]))
        yield House(edge, speakers)


def _models() -> list[ModelFacts]:
    numbers = count(1)
    models = [
        a_model(
            f"acme/{name}" if behaviour == "upstream" else f"acme/{name}-{behaviour}",
            offerings=(an_offering(next(numbers), provider_id=provider_id, upstream_name=behaviour),),
            max_output_tokens=1000,
        )
        for provider_id, name in enumerate(WIRE_FORMATS, 1)
        for behaviour in BEHAVIOURS
    ]
    off = an_offering(next(numbers), provider_id=SWITCHED_OFF)
    return [*models, a_model("acme/off", offerings=(off,))]

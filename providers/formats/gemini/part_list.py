"""Puts the parts of a content together, and each signature on the part that it belongs to."""

from typing import Any

from providers.formats.gemini.signatures import write_signature
from providers.wire.conversation import Reasoning
from providers.wire.events import ReasoningSigned


class PartList:
    """Gemini signs texts and calls, not its thoughts.

    Other formats know signed thoughts only, so that with them the signature stands before the text or the call that it
    came with; what bears only a signature belongs to the text before it, if that is its neighbour. With `keeps_places`
    (a client of Gemini's own format) a signature stays on the thoughts that bear it.
    """

    def __init__(self, *, keeps_places: bool) -> None:
        self._keeps_places = keeps_places
        self._parts: list[dict[str, Any]] = []
        self._waiting: str | None = None

    def add_text(self, text: str) -> None:
        if text:
            self._parts.append(self._signed({"text": text}))

    def add_call(self, call: dict[str, Any]) -> None:
        if self._keeps_places or "thoughtSignature" in call:
            self.add(call)
        else:
            self._parts.append(self._signed(call))

    def add_reasoning(self, thoughts: Reasoning) -> None:
        signed = ReasoningSigned(thoughts.signature, thoughts.encrypted, thoughts.origin, thoughts.id)
        signature = write_signature(signed)
        if thoughts.text:
            self.add({"text": thoughts.text, "thought": True})
        if signature and (self._keeps_places if thoughts.text else self._follows_text()):
            self._parts[-1]["thoughtSignature"] = signature
        elif signature:
            self._release()
            self._waiting = signature

    def add(self, part: dict[str, Any]) -> None:
        self._release()
        self._parts.append(part)

    def finish(self) -> list[dict[str, Any]]:
        self._release()
        return self._parts

    def _follows_text(self) -> bool:
        return bool(self._parts) and self._waiting is None and self._parts[-1].keys() == {"text"}

    def _signed(self, part: dict[str, Any]) -> dict[str, Any]:
        signature, self._waiting = self._waiting, None
        return part | {"thoughtSignature": signature} if signature else part

    def _release(self) -> None:
        """A signature that nothing of its kind followed stands alone."""
        if self._waiting:
            self._parts.append({"text": "", "thoughtSignature": self._waiting})
            self._waiting = None

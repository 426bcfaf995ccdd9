"""Calls that ask in one turn of the loop to be let in: those that ask the same share a script.

To begin one, and to look how full limits and budgets are, costs Redis more than to let one more call in.
"""

import asyncio
from collections.abc import Sequence
from itertools import compress
from typing import Any

from gateway.core.store.connection import Connection, Refused
from gateway.core.store.interface import Ask
from gateway.core.store.packing import AdmissionForm

_MOST = 100
"""Calls of one script: Redis serves nobody else meanwhile."""
_Reply = asyncio.Future[Any]
_is_done = asyncio.Future.done


class Asking:
    """Of one connection, and of one turn after the other."""

    def __init__(self, commands: Connection) -> None:
        self._commands = commands
        self.crowds: dict[AdmissionForm, _Crowd] = {}
        """Whose wishes nobody has told Redis yet."""

    def ask(self, form: AdmissionForm, ask: Ask, born: str) -> _Reply:
        """What Redis answers, which must be awaited. `born`: since when it had its data. Raises as Connection.call."""
        crowd = self.crowds.get(form)
        if crowd is not None and len(crowd.replies) == _MOST:
            self.tell()
            crowd = None
        reply = asyncio.get_running_loop().create_future()
        if crowd is None:
            crowd = self.crowds[form] = _Crowd(form, self._commands)
        crowd.replies.append(reply)
        form.add_own(crowd.own, ask, born)
        self._commands.put_off()
        return reply

    def tell(self) -> None:
        """Redis what all of them wish."""
        crowds, self.crowds = self.crowds, {}
        for crowd in crowds.values():
            crowd.tell()


class _Crowd:
    """Those who ask the same, and wait; for a connection it is one that waits."""

    _is_told_again = False

    def __init__(self, form: AdmissionForm, commands: Connection) -> None:
        self._form, self._commands = form, commands
        self.replies: list[_Reply] = []
        self.own: list[int | str] = []
        """What is each one's own, one after the other."""

    def tell(self) -> None:
        if any(map(_is_done, self.replies)):
            self._send_away()
            if not self.replies:
                return
        self._commands.ask_written(self._form.fill(self.own), self)

    def _send_away(self) -> None:
        """Those who have given up: nobody would give back what they take."""
        stays = [not reply.done() for reply in self.replies]
        self.own = list(compress(self.own, [stay for stay in stays for _ in range(self._form.own_size)]))
        self.replies = list(compress(self.replies, stays))

    def done(self) -> bool:
        return False

    def set_result(self, answers: Sequence[Any]) -> None:
        for reply, answer in zip(self.replies, answers, strict=True):
            if not reply.done():
                reply.set_result(answer)

    def set_exception(self, error: BaseException) -> None:
        if isinstance(error, Refused) and error.code == "NOSCRIPT" and not self._is_told_again:
            self._is_told_again = True
            # In this order on one connection. What had been lost before is noticed and told by others.
            self._commands.send("SCRIPT", "LOAD", self._form.script.source)
            return self.tell()
        for reply in self.replies:
            if not reply.done():
                reply.set_exception(error)
        return None

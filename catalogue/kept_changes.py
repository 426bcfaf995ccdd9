"""Changes that were told, kept for as long as nothing else changes: whole editions are slow to compare."""

from collections.abc import Callable, Hashable, Sequence

from catalogue.changes import Change

_QUESTIONS_KEPT = 16


class KeptChanges:
    """By question, of one state of the catalogue. Safe from any thread: at worst two find the same."""

    def __init__(self) -> None:
        self._kept: tuple[str, dict[Hashable, Sequence[Change]]] = ("", {})

    def answer(
        self, state: str, question: Hashable, find: Callable[[], Sequence[Change]]
    ) -> Sequence[Change]:
        """What was found for that question in that state of a reading, or what is found now."""
        kept_state, answers = self._kept
        if kept_state != state or len(answers) >= _QUESTIONS_KEPT:
            answers = {}
            self._kept = (state, answers)
        if question not in answers:
            answers[question] = find()
        return answers[question]

    def forget(self) -> None:
        self._kept = ("", {})


kept_changes = KeptChanges()
"""Of this process."""

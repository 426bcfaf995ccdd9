"""Passwords, hashed as Django does, but only a few at once: guessers must not take the processors from calls."""

import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher

AT_ONCE = 2
_turns = threading.BoundedSemaphore(AT_ONCE)


class BoundedHasher(PBKDF2PasswordHasher):
    """Whoever hashes waits for a turn: signing in with any name, and setting passwords. Stored hashes stay good."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _turns:
            return super().encode(password, salt, iterations)

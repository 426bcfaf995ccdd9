"""Passwords whose hashes take no time."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own in form; it is slow on purpose, which no test is about."""

    iterations = 1

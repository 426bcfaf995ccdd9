"""The people who sign in."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models

from accounts.models.team import check_zone
from gateway.core.lines import OneLineTexts
from gateway.core.locales import LOCALES


def check_locale(tag: str) -> None:
    """Raises django.core.exceptions.ValidationError."""
    if tag not in LOCALES:
        raise ValidationError(
            "Numbers cannot be written as in '%(tag)s'; use one of %(known)s.",
            params={"tag": tag[:20], "known": ", ".join(LOCALES)},
        )


class User(OneLineTexts, AbstractUser):
    """Somebody who signs in: staff to the admin, members to the portal of their teams."""

    time_zone = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        validators=[check_zone],
        help_text="In which pages and mails tell them times, such as Europe/Berlin. Empty: their team's, else UTC.",
    )
    locale = models.CharField(
        "numbers and dates",
        max_length=16,
        blank=True,
        db_default="",
        validators=[check_locale],
        help_text="Where numbers, money and dates are written as on their pages: a tag such as de, fr-CH or en-US. "
        "Empty: as Gatehouse writes them.",
    )
    digest_week = models.DateField(
        null=True, editable=False, help_text="The Monday up to which the weekly digest told them all."
    )

    class Meta(AbstractUser.Meta):
        permissions = [("switch_user", "Can switch people off and on and end their sessions")]

"""The people who sign in."""

from django.contrib.auth.models import AbstractUser

from gateway.core.lines import OneLineTexts


class User(OneLineTexts, AbstractUser):
    """Somebody who signs in: staff to the admin, members to the portal of their teams."""

    class Meta(AbstractUser.Meta):
        permissions = [("switch_user", "Can switch people off and on and end their sessions")]

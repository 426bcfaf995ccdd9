"""People with second factors, and the codes that their apps show."""

import json

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from accounts.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(ahead: int = 0, secret: str = SECRET) -> str:
    """What the app shows now, or a step later."""
    now = list(yield_hotp_counters_from_time())[1]
    return format_hotp_value(hotp_value(secret, now + ahead))


def wrong_code() -> str:
    right = {code(step) for step in (-1, 0, 1, 2)}
    return next(guess for guess in (f"{number:06}" for number in range(10)) if guess not in right)


def give_app(person: User) -> Authenticator:
    factor: Authenticator = TOTP.activate(person, SECRET).instance
    RecoveryCodes.activate(person)
    return factor


def recovery_codes_of(person: User) -> list[str]:
    row = Authenticator.objects.get(user=person, type=Authenticator.Type.RECOVERY_CODES)
    codes: list[str] = row.wrap().get_unused_codes()
    return codes


def give_password(client: Client, name: str = "mary") -> str:
    """The first step of a sign-in: where it leads."""
    answer = client.post("/sign-in", {"username": name, "password": "password"})
    return str(answer.headers.get("Location", answer.status_code))


def is_in(client: Client) -> bool:
    return client.get("/notifications").status_code == 200


def stored() -> str:
    """All that the table of factors holds."""
    return json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

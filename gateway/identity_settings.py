"""How people sign in: what the environment says of it, and what Django and allauth read by name."""

import json
from typing import Any

from gateway import env

_NEEDED = {"slug", "name", "issuer", "client_id"}
_KNOWN = _NEEDED | {"client_secret", "scopes", "trusted_domains"}


def _read_providers(name: str) -> list[dict[str, Any]]:
    try:
        providers = json.loads(env.text(name) or "[]")
    except json.JSONDecodeError:
        providers = None
    if not isinstance(providers, list) or not all(isinstance(each, dict) for each in providers):
        raise env.BadEnvironment(f"{name} must be a JSON list of objects.")
    for each in providers:
        if not each.keys() >= _NEEDED or not each.keys() <= _KNOWN or not all(map(_is_text, each.values())):
            raise env.BadEnvironment(
                f"{name}: each identity provider has, as texts, {', '.join(sorted(_NEEDED))}, and may have "
                f"{', '.join(sorted(_KNOWN - _NEEDED))}."
            )
    return providers


def _is_text(value: object) -> bool:
    return isinstance(value, str)


AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["accounts.passwords.BoundedHasher"]
# Of an existing session, and of a new one.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:overview"
# Links of mails that set a password.
PASSWORD_RESET_TIMEOUT = 3600

ACCOUNT_ADAPTER = "gateway.identity.adapters.People"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Those who guess are counted by the same counter as at the keys, which all processes share.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False

MFA_ADAPTER = "gateway.identity.adapters.Factors"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Gatehouse"
# Clocks of phones are off by some seconds.
MFA_TOTP_TOLERANCE = 1

SOCIALACCOUNT_ADAPTER = "gateway.identity.adapters.Providers"
SOCIALACCOUNT_STORE_TOKENS = False

# Of whom a second factor is demanded; each includes those before it.
SECOND_FACTOR = env.choice("GATEWAY_SECOND_FACTOR", "none", ("none", "staff", "owners", "all"))
# Off: people sign in at their identity provider, and one login goes on to open by its password.
LOCAL_PASSWORDS = env.flag("GATEWAY_LOCAL_PASSWORDS", default=True)
BREAK_GLASS = env.text("GATEWAY_BREAK_GLASS")
# Rows of the admin beside, or in place of, those that are made there.
IDENTITY_PROVIDERS = _read_providers("GATEWAY_IDENTITY_PROVIDERS")
# Where they may be besides public addresses.
IDENTITY_PRIVATE_ADDRESSES_ALLOWED = env.words("GATEWAY_IDENTITY_ALLOW_PRIVATE")
# Who may make an account of their own: with an invitation only, or anybody who can read mail.
SIGN_UP = env.choice("GATEWAY_SIGN_UP", "invited", ("invited", "open"))

if not LOCAL_PASSWORDS and not BREAK_GLASS:
    raise env.BadEnvironment(
        "GATEWAY_LOCAL_PASSWORDS is off and GATEWAY_BREAK_GLASS is not set: name the login that opens when no "
        "identity provider does."
    )

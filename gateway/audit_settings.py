"""What the environment says of the audit: how long it is kept, and to whom it is sent on."""

from dataclasses import replace

from accounts.auditing.receivers import read_receivers, read_secrets
from gateway import env

# How long entries are kept. 0: for ever.
DAYS = env.whole("GATEWAY_AUDIT_DAYS", 0, most=36_500)
# To whom each entry is sent on: syslog by UDP, TCP or TLS, or a webhook.
_AUTHORITY = env.text("GATEWAY_AUDIT_PUSH_CA")
PUSH = tuple(replace(each, authority=_AUTHORITY) for each in env.parsed("GATEWAY_AUDIT_PUSH", read_receivers))
# What webhooks are signed with, newest first, as our other webhooks are.
PUSH_SECRETS = env.parsed("GATEWAY_AUDIT_PUSH_SECRET", read_secrets)
if not PUSH_SECRETS and any(receiver.is_webhook for receiver in PUSH):
    raise env.BadEnvironment(
        "GATEWAY_AUDIT_PUSH names a webhook: set GATEWAY_AUDIT_PUSH_SECRET, which signs what it gets."
    )

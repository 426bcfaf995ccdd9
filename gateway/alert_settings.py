"""What the environment says of alerts: who is told, and where they may go."""

from gateway import env

# Who is told of providers that refuse us; nobody: it is only logged and shown in the admin.
ALARM_EMAILS = env.words("GATEWAY_ALARM_EMAILS")
# Where teams' webhooks may go besides public addresses: other ones than providers', since other people name them.
PRIVATE_ADDRESSES_ALLOWED = env.words("GATEWAY_ALERT_ALLOW_PRIVATE")
# To which domains alert channels may mail; none named: to any.
MAIL_DOMAINS = [domain.lower() for domain in env.words("GATEWAY_ALERT_MAIL_DOMAINS")]
# So many alerts of a kind reach somebody in an hour one by one; what is more comes together. 0: all of them.
BEFORE_DIGEST = env.whole("GATEWAY_ALERTS_BEFORE_DIGEST", 5)
# So many times a usual day's spending is told as a leap; 0: none is.
SPEND_LEAP_FACTOR = env.number("GATEWAY_SPEND_LEAP_FACTOR", 3)
# What happens to a key that is reported as found in public, unless its team says otherwise.
LEAKED_KEYS = env.choice("GATEWAY_LEAKED_KEYS", "revoke", ("revoke", "tell"))

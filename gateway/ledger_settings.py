"""What the environment says of the ledger: how long it is kept, when months are closed, and where it is written to."""

from accounts.file_places import read_place
from gateway import env

# How long it is kept, for receipts, how calls were routed. 0: it is not.
ROUTING_DAYS = env.whole("GATEWAY_ROUTING_DAYS", 30, most=36_500)
# How many days after its end a team's month is closed. 0: by hand only.
STATEMENT_DAYS = env.whole("GATEWAY_STATEMENT_DAYS", 3, most=25)
# How long rows are kept. 0: for ever.
LEDGER_DAYS = env.whole("GATEWAY_LEDGER_DAYS", 0, most=36_500)
# A folder, or s3://bucket/prefix, to which each day's rows are written; none: they are not.
EXPORT = env.parsed("GATEWAY_LEDGER_EXPORT", lambda words: read_place(" ".join(words)))
EXPORT_FORM = env.choice("GATEWAY_LEDGER_EXPORT_FORM", "csv", ("csv", "jsonl"))

"""What the audit keeps of secrets: nothing; pure."""

import re
from typing import Any

HIDDEN = "•••"
_SECRETS = re.compile(
    r"((?:sk|scim)-gw-\w{12}-)\w{8,}|(whsec_)[\w+/=]{8,}|(eyJ)[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(Bearer )[\w.~+/=-]{8,}"
)
"""Keys, directories' and identity providers' tokens, and what webhooks sign with, wherever somebody pasted one."""


def mask(value: Any) -> Any:
    """Without what looks like a secret, however deep it lies."""
    if isinstance(value, str):
        return _SECRETS.sub(lambda found: f"{next(filter(None, found.groups()))}{HIDDEN}", value)
    if isinstance(value, dict):
        return {name: mask(each) for name, each in value.items()}
    return [mask(each) for each in value] if isinstance(value, list | tuple) else value

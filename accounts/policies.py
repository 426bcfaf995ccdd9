"""What a team wants done about models near the end of their lives. Pure; the data plane uses it too."""

from collections.abc import Mapping
from enum import StrEnum


class LifecyclePolicy(StrEnum):
    """What a call of a deprecated or retired model meets.

    A deprecated model's answers always carry its dates and successor in headers, a retired model is always
    refused; the policies differ in what comes on top.
    """

    ADVISE = "advise"
    """Nothing more."""
    WARN = "warn"
    """A sentence for people in a header, too."""
    REDIRECT = "redirect"
    """A retired model's calls go to its declared successor, if that can do what the request needs."""
    BLOCK = "block"
    """Deprecated models are refused as if they were retired."""


POLICIES: Mapping[str, LifecyclePolicy] = {policy.value: policy for policy in LifecyclePolicy}
"""By name. Each call looks one up, and an enum does so in Python."""
POLICY_CHOICES = [
    (LifecyclePolicy.ADVISE.value, "Advise: dates and successor in headers"),
    (LifecyclePolicy.WARN.value, "Warn: a sentence in a header, too"),
    (LifecyclePolicy.REDIRECT.value, "Redirect: retired models are answered by their successor"),
    (LifecyclePolicy.BLOCK.value, "Block: deprecated models are refused already"),
]

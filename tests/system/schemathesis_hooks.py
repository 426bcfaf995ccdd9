"""Each request that Schemathesis makes comes from somebody else: guessers of keys at one address have to wait."""

from itertools import count
from typing import Any

import schemathesis

_clients = count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    number = next(_clients)
    case.headers["x-forwarded-for"] = f"10.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250}"

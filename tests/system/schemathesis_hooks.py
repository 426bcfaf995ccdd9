"""What Schemathesis is told beyond its settings.

Each request that it makes comes from somebody else: guessers of keys at one address have to wait. And streams are of
any form: it holds each event to what describes the whole text.
"""

from itertools import count
from typing import Any

import schemathesis

_clients = count()


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    number = next(_clients)
    case.headers["x-forwarded-for"] = f"10.{number // 62_500 % 250}.{number // 250 % 250}.{number % 250}"


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    for item in raw_schema["paths"].values():
        for operation in item.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if "text/event-stream" in content:
                content["text/event-stream"]["schema"] = {}

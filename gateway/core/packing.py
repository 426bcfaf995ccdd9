"""Whether a client wants its answers packed. Source: RFC 9110, 12.5.3: `gzip;q=0` is a no."""

import re

_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q\s*=\s*0(\.0*)?\s*(,|$))", re.IGNORECASE)


def takes_gzip(accept_encoding: str) -> bool:
    return _GZIP.search(accept_encoding) is not None

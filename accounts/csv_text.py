"""Sheets as text: instants in full, in UTC; money with all digits; no formulas. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.measures import write_exactly
from gateway.core.formulas import quote_formula


def write_lines(lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in line] for line in lines)
    return text.getvalue()


def _cell(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return write_exactly(value)
    return quote_formula(value)

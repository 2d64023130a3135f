"""Values in a server's JSON, each None where it is not of its kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_LARGEST = 2**53


def count_of(value: Any) -> int | None:
    """A number that is not below 0, nor beyond what JSON of other programs can hold."""
    return value if type(value) is int and 0 <= value <= _LARGEST else None


def time_of(value: Any) -> datetime | None:
    """A time in ISO 8601; UTC where it names no zone."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)

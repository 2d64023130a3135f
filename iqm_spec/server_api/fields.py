"""Values of a server's answers, each None where it makes no sense: a server may say anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from iqm_spec.diagnostics import printable

LARGEST = 2**53 - 1
"""Of an integer: beyond it canonical JSON holds none."""

LONGEST = 100
"""Characters of a word: an alias, a status, an id."""

_YEARS = range(1971, 9000)
"""Of a time. Near the ends of the calendar no time zone can be converted to another."""


def count_of(value: Any) -> int | None:
    """A number of things."""
    return value if type(value) is int and 0 <= value <= LARGEST else None


def time_of(value: Any) -> datetime | None:
    """A time in ISO 8601 as UTC, which one without a zone is taken for."""
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if when.year not in _YEARS:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


def word_of(value: Any) -> str | None:
    """A short text that can be shown and stored as it is."""
    fits = isinstance(value, str) and value.isprintable() and 0 < len(value) <= LONGEST
    return value if fits else None


def shown(text: str, longest: int) -> str:
    """A text for a terminal: without commands, and cut where it is longer."""
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else f"{text[:longest]}..."

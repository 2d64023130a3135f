"""Figures of costs in words: the same in tables, sentences and papers."""

from __future__ import annotations

from iqm_spec.cost.ranges import Range


def amount(value: float, digits: int = 3) -> str:
    """So many digits, but all before the point: `0.534`, `12.3`, `1,234`."""
    if value == 0:
        return "0"  # and not `-0`
    # half a unit below the power of ten, as what rounds up to it would be written `1e+03`
    return f"{value:,.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"


def range_words(one: Range, unit: str = "") -> str:
    """`0.53 credits (0.31 to 1.2)`."""
    expected = f"{amount(one.expected)} {unit}".rstrip()
    if one.low == one.high:
        return expected
    return f"{expected} ({amount(one.low)} to {amount(one.high)})"


def span(low: int, high: int) -> str:
    """`2`, or `2 to 6`."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

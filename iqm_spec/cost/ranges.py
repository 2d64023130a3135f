"""Low, expected and high: estimates of QPU seconds and credits, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from attrs import asdict, frozen

from iqm_spec.json_types import Json


@frozen
class Range:
    """A quantity that is not known yet; `low <= expected <= high`."""

    low: float
    expected: float
    high: float

    def __attrs_post_init__(self) -> None:
        if not self.low <= self.expected <= self.high:
            raise ValueError(f"no range: {self.low}, {self.expected}, {self.high}")

    def times(self, factor: float) -> Range:
        """The range in another unit; `factor` is not negative."""
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    def plus(self, other: Range) -> Range:
        """The sum of two quantities: both low, both as expected, both high."""
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def to_json(self) -> dict[str, Json]:
        """As every answer in JSON gives it."""
        return dict(asdict(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Range:
        """The range that `to_json` wrote; KeyError, TypeError or ValueError on other data."""
        return cls(float(data["low"]), float(data["expected"]), float(data["high"]))


ZERO = Range(0.0, 0.0, 0.0)


def total(ranges: Iterable[Range]) -> Range:
    """The sum. Errors of one model go the same way, so lows add to lows, highs to highs."""
    return reduce(Range.plus, ranges, ZERO)


def amount(value: float, digits: int = 3) -> str:
    """A number to `digits` digits, but all of those before the point: `0.534`, `12.3`, `1,234`."""
    if value == 0:
        return "0"  # and not `-0`
    # half a unit below the power of ten, as what rounds up to it would be written `1e+03`
    return f"{value:,.0f}" if abs(value) >= 10**digits - 0.5 else f"{value:.{digits}g}"


def range_text(estimate: Range, unit: str = "") -> str:
    """`0.53 credits (0.31 to 1.2)`."""
    expected = f"{amount(estimate.expected)} {unit}".rstrip()
    if estimate.low == estimate.high:
        return expected
    return f"{expected} ({amount(estimate.low)} to {amount(estimate.high)})"


def span(low: int, high: int) -> str:
    """`2`, or `2 to 6`."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"

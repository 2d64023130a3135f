"""Low, expected and high: every figure that is not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

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
        """Of two things together: both low, both as expected, both high."""
        return Range(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def to_json(self) -> dict[str, Json]:
        """As every answer in JSON gives it."""
        return {"low": self.low, "expected": self.expected, "high": self.high}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Range:
        """The range that `to_json` wrote; KeyError, TypeError or ValueError on other data."""
        return cls(float(data["low"]), float(data["expected"]), float(data["high"]))


NOTHING = Range(0.0, 0.0, 0.0)


def total(ranges: Iterable[Range]) -> Range:
    """All together. Errors of one model go the same way, so lows add to lows, highs to highs."""
    found = NOTHING
    for one in ranges:
        found = found.plus(one)
    return found

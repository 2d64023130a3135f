"""Where values lie on an axis, and which ticks a reader wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10

from attrs import frozen


@frozen
class Scale:
    """Values from `low` to `high` on pixels from `start` to `end`; `log` by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        if self.log:
            part = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values within [low, high], 1, 2 or 5 times a power of ten apart."""
    step = _step((high - low) / max(1, about))
    first = ceil(low / step - 1e-9)
    last = floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten within [low, high], and 2 and 5 times them where these are few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    found = [10.0**p for p in powers if low <= 10.0**p <= high * 1.0000001]
    if len(found) < 3:
        found = [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]
    return found


def around(
    values: Sequence[float], within: tuple[float, float] | None = None
) -> tuple[float, float]:
    """A range that holds all values with some air, and stays `within` where they do."""
    known = [value for value in values if isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    air = 0.06 * (high - low) or max(abs(high) * 0.05, 0.05)
    bottom, top = low - air, high + air
    if within is not None and within[0] <= low and high <= within[1]:
        bottom, top = max(bottom, within[0]), min(top, within[1])
    return bottom, top


def is_log(values: Sequence[float]) -> bool:
    """Whether values are spread over powers of ten, as `logspace` and `geomspace` make them."""
    distinct = sorted(set(values))
    if len(distinct) < 3 or distinct[0] <= 0 or distinct[-1] / distinct[0] < 50:
        return False
    middle = distinct[len(distinct) // 2]
    return middle < distinct[0] + 0.25 * (distinct[-1] - distinct[0])


def figure(value: float) -> str:
    """A tick's text: no more digits than it needs."""
    told = f"{value:.4g}"
    return "0" if told in ("-0", "0") else told.replace("e+0", "e").replace("e-0", "e-")


def _step(rough: float) -> float:
    power: float = 10.0 ** floor(log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)

"""Which points stand for all of them where only some can be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.plan.readout import is_calibration
from iqm_spec.report.words import thinned
from iqm_spec.stages.rows import Row

MOST_SHOWN = 6
"""Points that are drawn at once."""


@frozen
class Measured:
    """A planned point with its rows: simulated, measured, one for each calibration set."""

    point: PlannedPoint
    rows: tuple[Row, ...]

    @property
    def known(self) -> tuple[Row, ...]:
        """The rows that have counts."""
        return tuple(row for row in self.rows if row.record is not None)

    def fidelity(self, stage: str = "") -> float | None:
        """Its Hellinger fidelity on a stage; of any, the machine's before the simulation's."""
        for row in reversed(self.known):
            if row.comparison is not None and stage in ("", row.stage):
                return float(row.comparison.hellinger_fidelity)
        return None


@frozen
class Picked:
    """A point that is drawn, and why this one."""

    measured: Measured
    why: str = ""


def by_point(points: Sequence[PlannedPoint], rows: Sequence[Row]) -> list[Measured]:
    """Rows by their points, in the order of the plan."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.point.index, []).append(row)
    return [Measured(point, tuple(found.get(point.index, ()))) for point in points]


def pick(measured: Sequence[Measured], most: int = MOST_SHOWN) -> list[Picked]:
    """All of a few points; of many some evenly, the best and the worst among them."""
    every = [one for one in measured if one.known]
    counted = [one for one in every if not is_calibration(one.point)] or every
    first = [one for one in counted if one.point.repeat == 0] or counted
    if len(first) <= most:
        return [Picked(one) for one in first]
    stage = "hardware" if any(one.fidelity("hardware") is not None for one in first) else "aer"
    judged = [(f, i) for i, one in enumerate(first) if (f := one.fidelity(stage)) is not None]
    why: dict[int, str] = dict.fromkeys(thinned(len(first), most - 2 if judged else most), "")
    if judged:
        why[min(judged)[1]] = f"lowest Hellinger fidelity on {stage}"
        why[max(judged)[1]] = f"highest Hellinger fidelity on {stage}"
    return [Picked(first[i], why[i]) for i in sorted(why)]

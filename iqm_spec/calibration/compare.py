"""What moved between two calibration sets, and whether beyond what the figures are uncertain by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot

from attrs import frozen

from iqm_spec.calibration.calibration_set import CalibrationSet, Figures

SIGNIFICANT = 2.0
"""Standard errors from which on a figure counts as moved."""


@frozen
class Change:
    """A figure that differs between two sets.

    `place` is a component or coupling, `quantity` the figure's name. `error` is the standard error
    of the difference, None where a server gives no uncertainties.
    """

    place: str
    quantity: str
    before: float
    after: float
    error: float | None

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before

    @property
    def standard_errors(self) -> float | None:
        """The difference in units of its standard error."""
        return abs(self.difference) / self.error if self.error else None

    @property
    def is_significant(self) -> bool:
        """Whether it exceeds the uncertainty; any difference does where that is unknown."""
        return self.standard_errors is None or self.standard_errors >= SIGNIFICANT

    @property
    def factor(self) -> float:
        """By what the time, or the error 1 - fidelity, was multiplied."""
        before, after = self.before, self.after
        if self.quantity.endswith("fidelity"):
            before, after = 1 - before, 1 - after
        return after / before if before > 0 else float("inf")


@frozen
class Comparison:
    """Two sets of one machine: figures that differ, and places that only one of them has."""

    changes: tuple[Change, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    num_compared: int
    """Figures that both sets have."""


def compare(before: CalibrationSet, after: CalibrationSet) -> Comparison:
    """The differences, those that move errors or times by the largest factor first."""
    names = {frozenset(locus): "-".join(locus) for locus in (*before.couplings, *after.couplings)}
    old, new = _places(before, names), _places(after, names)
    common = [place for place in new if place in old]
    changes = [change for place in common for change in _changes(place, old[place], new[place])]
    return Comparison(
        changes=tuple(sorted(changes, key=_extent, reverse=True)),
        gone=tuple(place for place in old if place not in new),
        new=tuple(place for place in new if place not in old),
        num_compared=sum(len(_common(old[place], new[place])) for place in common),
    )


def _places(
    calibration: CalibrationSet, names: Mapping[frozenset[str], str]
) -> Mapping[str, Figures]:
    """Figures by component and by the name of a coupling, which is in either order in a set."""
    couplings = {
        names[frozenset(locus)]: figures for locus, figures in calibration.couplings.items()
    }
    return {**calibration.qubits, **couplings}


def _common(before: Figures, after: Figures) -> list[str]:
    """Figures that both have; a readout's fidelity only where its errors by state are not known."""
    names = [name for name in after if name in before]
    if {"readout_error_0", "readout_error_1"} <= set(names):
        return [name for name in names if name != "readout_fidelity"]
    return names


def _changes(place: str, before: Figures, after: Figures) -> Iterator[Change]:
    for name in _common(before, after):
        old, new = before[name], after[name]
        if old.value == new.value:
            continue
        errors = (old.uncertainty, new.uncertainty)
        known = [error for error in errors if error is not None]
        yield Change(place, name, old.value, new.value, hypot(*known) if known else None)


def _extent(change: Change) -> float:
    """The larger of the factor and its inverse."""
    factor = change.factor
    return max(factor, 1 / factor) if factor > 0 else float("inf")

"""Readout errors taken off counts, on the outcomes that were counted.

P. Nation et al., "Scalable mitigation of measurement errors on quantum computers", PRX Quantum 2,
040326 (2021): qubits are read independently of each other, and the assignment matrix is cut to the
outcomes counted, its columns made to add up to 1 again. The solution is a quasi-probability: it
adds up to 1 and may be negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.analysis.groups import calibration_of, measured_components
from iqm_spec.model import NativeCircuit
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.readout import NAMES, ONES, ZEROS
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import Mean
from iqm_spec.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bits = NDArray[np.uint8]

MOST_OUTCOMES = 4096
"""Different outcomes of one circuit up to which the matrix is made."""

RESAMPLES = 200
"""Multinomial resamples that errors of mitigated distances are taken from."""

_ROWS = 64
"""Rows of the matrix that are made at once."""


@frozen
class Flip:
    """How often a bit is read as 1 in state 0, and as 0 in state 1, with standard errors."""

    up: float
    down: float
    up_error: float
    down_error: float


def flip_of(ones_in_zero: int, zero_shots: int, zeros_in_one: int, one_shots: int) -> Flip:
    """From the shots of the two calibration circuits."""
    up, down = ones_in_zero / zero_shots, zeros_in_one / one_shots
    return Flip(up, down, _error(ones_in_zero, zero_shots), _error(zeros_in_one, one_shots))


def _error(hits: int, shots: int) -> float:
    share = (hits + 0.5) / (shots + 1)
    return sqrt(share * (1 - share) / shots)


@frozen(eq=False)
class Mitigated:
    """Counts with what their readout errors made of them solved for."""

    outcomes: tuple[str, ...]
    shots: int
    drawn: Floats
    """Relative frequencies of the outcomes."""
    flips: tuple[Flip, ...]
    matrix: Floats

    def quasi(self) -> dict[str, float]:
        """Quasi-probabilities of the outcomes."""
        import numpy as np

        solved = np.linalg.solve(self.matrix, self.drawn)
        return dict(zip(self.outcomes, map(float, solved), strict=True))

    def mean(self, value: Callable[[str], float]) -> Mean:
        """Mean of what each outcome counts for; its error is of these shots and the calibration.

        Linear propagation: the mean is w . drawn with w the adjoint solution.
        """
        import numpy as np

        values = np.array([value(bits) for bits in self.outcomes])
        weights = np.linalg.solve(self.matrix.T, values)
        mean = float(weights @ self.drawn)
        variance = max(0.0, float(weights**2 @ self.drawn) - mean**2) / self.shots
        solution = np.linalg.solve(self.matrix, self.drawn)
        for place, flip in enumerate(self.flips):
            for up, error in ((True, flip.up_error), (False, flip.down_error)):
                variance += (self._slope(values, solution, place, up=up) * error) ** 2
        return Mean(mean, sqrt(variance))

    def _slope(
        self, values: Floats, solution: NDArray[np.floating[Any]], place: int, *, up: bool
    ) -> float:
        """How much the mean changes with one flip rate, from the `solution`."""
        import numpy as np

        step = 1e-4
        flip = self.flips[place]
        moved = Flip(flip.up + step * up, flip.down + step * (not up), 0.0, 0.0)
        flips = (*self.flips[:place], moved, *self.flips[place + 1 :])
        moved_solution = np.linalg.solve(_matrix(_bits(self.outcomes), flips), self.drawn)
        return float(values @ (moved_solution - solution)) / step

    def resampled(self, seed: int) -> Iterator[dict[str, float]]:
        """Nearest probabilities of `RESAMPLES` multinomial resamples of the shots, one by one."""
        import numpy as np

        draws = np.random.default_rng(seed).multinomial(self.shots, self.drawn, size=RESAMPLES)
        solved = np.linalg.solve(self.matrix, draws.T / self.shots).T
        for row in solved:
            yield nearest_probabilities(dict(zip(self.outcomes, row, strict=True)))


def mitigate(counts: Mapping[str, int], flips: Sequence[Flip]) -> Mitigated:
    """Counts and the flips of their bits, the leftmost first; ValueError for too many outcomes."""
    import numpy as np

    outcomes = tuple(bits for bits, count in counts.items() if count)
    if len(outcomes) > MOST_OUTCOMES:
        raise ValueError(
            f"{len(outcomes):,} different outcomes; readout is mitigated up to {MOST_OUTCOMES:,}"
        )
    shots = sum(counts.values())
    drawn = np.array([counts[bits] / shots for bits in outcomes])
    matrix = _matrix(_bits(outcomes), tuple(flips))
    return Mitigated(outcomes, shots, drawn, tuple(flips), matrix)


def nearest_probabilities(quasi: Mapping[str, float]) -> dict[str, float]:
    """The closest probabilities in Euclid's norm (J. Smolin et al., PRL 108, 070502, 2012)."""
    ascending = dict(sorted(quasi.items(), key=lambda item: item[1]))
    missing = 0.0
    nearest: dict[str, float] = {}
    for position, (bits, value) in enumerate(ascending.items()):
        share = missing / (len(ascending) - position)
        if value + share < 0:
            missing += value
            nearest[bits] = 0.0
        else:
            nearest[bits] = value + share
            missing -= share
    return {bits: float(nearest[bits]) for bits in quasi}


def _bits(outcomes: Sequence[str]) -> Bits:
    """Bits of outcomes, shape (outcomes, bits), the leftmost first."""
    import numpy as np

    plain = "".join(bits.replace(" ", "") for bits in outcomes)
    bits: Bits = np.frombuffer(plain.encode(), dtype=np.uint8) - ord("0")
    return bits.reshape(len(outcomes), -1)


def _matrix(bits: Bits, flips: Sequence[Flip]) -> Floats:
    """Probability to read outcome i where j is meant, columns normalized."""
    import numpy as np

    matrix: Floats = np.ones((len(bits), len(bits)))
    for column, flip in zip(bits.T, flips, strict=True):
        single = np.array([[1 - flip.up, flip.down], [flip.up, 1 - flip.down]])
        for start in range(0, len(bits), _ROWS):  # no second matrix beside this one
            rows = slice(start, start + _ROWS)
            matrix[rows] *= single[column[rows, None], column[None, :]]
    matrix /= matrix.sum(axis=0)
    return matrix


_Calibration = tuple[object, ...]
"""Stage, whether emulated, target and calibration set: what one pair of circuits calibrates."""


@frozen
class Readout:
    """Flip rates of the readout of a run; none for a run without calibration circuits."""

    _flips: Mapping[_Calibration, Mapping[str, Flip]] = field(factory=dict)
    _circuits: Mapping[str, NativeCircuit] = field(factory=dict)

    def mitigated(self, row: Row) -> Mitigated | str | None:
        """A row's counts mitigated, or why they cannot be; None where nothing is calibrated."""
        flips = self._flips.get(_calibration(row))
        if flips is None:
            return None
        qubits = measured_components(self._circuits[row.point.circuit_key])
        flips = {"": Flip(0.0, 0.0, 0.0, 0.0), **flips}
        if any(qubit not in flips for qubit in qubits):
            return "its qubits were not all calibrated"
        try:
            return mitigate(row.counts, [flips[qubit] for qubit in qubits])
        except ValueError as error:
            return str(error)


def readout_of(store: Store, plan: Plan, rows: Iterable[Row]) -> Readout:
    """The flip rates of every stage, machine and calibration set among the rows."""
    if not plan.header.readout_mitigation:
        return Readout()
    counted = list(rows)
    circuits = circuits_of(store, plan, [row.point for row in counted])
    calibrations: dict[_Calibration, dict[str, Row]] = {}
    for row in counted:
        if row.point.name in NAMES:
            calibrations.setdefault(_calibration(row), {})[row.point.name] = row
    flips = {
        calibration: _flips(pair[ZEROS], pair[ONES], circuits)
        for calibration, pair in calibrations.items()
        if len(pair) == len(NAMES)
    }
    return Readout(flips, circuits)


def _calibration(row: Row) -> _Calibration:
    return row.stage, row.emulated, row.point.target, calibration_of(row)


def _flips(zeros: Row, ones: Row, circuits: Mapping[str, NativeCircuit]) -> dict[str, Flip]:
    qubits = measured_components(circuits[zeros.point.circuit_key])
    up, down = _hits(zeros.counts, "1"), _hits(ones.counts, "0")
    shots = sum(zeros.counts.values()), sum(ones.counts.values())
    return {
        qubit: flip_of(up[place], shots[0], down[place], shots[1])
        for place, qubit in enumerate(qubits)
    }


def _hits(counts: Mapping[str, int], wrong: str) -> dict[int, int]:
    """How often each place of the bitstrings shows the wrong bit."""
    size = len(next(iter(counts)))
    return {
        place: sum(n for bits, n in counts.items() if bits[place] == wrong) for place in range(size)
    }

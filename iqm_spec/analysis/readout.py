"""Readout errors taken off counts, on the outcomes that were seen.

P. Nation et al., "Scalable mitigation of measurement errors on quantum computers", PRX Quantum 2,
040326 (2021): qubits are read independently of each other, and the assignment matrix is cut to the
outcomes seen, its columns made to add up to 1 again. The solution is a quasi-probability: it adds
up to 1 and may be negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.analysis.expectation import Expectation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_OUTCOMES = 4096
"""Different outcomes of one circuit up to which the matrix is made."""

RESAMPLES = 200

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
        """Quasi-probabilities of the outcomes seen."""
        import numpy as np

        solved = np.linalg.solve(self.matrix, self.drawn)
        return dict(zip(self.outcomes, map(float, solved), strict=True))

    def mean(self, value: Callable[[str], float]) -> Expectation:
        """Mean of what each outcome counts for; its error is of these shots and the calibration.

        Linear propagation: the mean is w . drawn with w the adjoint solution.
        """
        import numpy as np

        values = np.array([value(bits) for bits in self.outcomes])
        weights = np.linalg.solve(self.matrix.T, values)
        mean = float(weights @ self.drawn)
        variance = max(0.0, float(weights**2 @ self.drawn) - mean**2) / self.shots
        here = np.linalg.solve(self.matrix, self.drawn)
        for place, flip in enumerate(self.flips):
            for up, error in ((True, flip.up_error), (False, flip.down_error)):
                variance += (self._slope(values, here, place, up=up) * error) ** 2
        return Expectation(mean, sqrt(variance))

    def _slope(self, values: Floats, here: Any, place: int, *, up: bool) -> float:
        """How much the mean changes with one flip rate, from the solution `here`."""
        import numpy as np

        step = 1e-4
        flip = self.flips[place]
        moved = Flip(flip.up + step * up, flip.down + step * (not up), 0.0, 0.0)
        flips = (*self.flips[:place], moved, *self.flips[place + 1 :])
        other = np.linalg.solve(_matrix(_bits(self.outcomes), flips), self.drawn)
        return float(values @ (other - here)) / step

    def resampled(self, seed: int) -> Iterator[dict[str, float]]:
        """Nearest probabilities of so many multinomial resamples of the shots, one by one."""
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
    left = dict(sorted(quasi.items(), key=lambda item: item[1]))
    missing = 0.0
    found: dict[str, float] = {}
    for position, (bits, value) in enumerate(left.items()):
        share = missing / (len(left) - position)
        if value + share < 0:
            missing += value
            found[bits] = 0.0
        else:
            found[bits] = value + share
            missing -= share
    return {bits: float(found[bits]) for bits in quasi}


def _bits(outcomes: Sequence[str]) -> Any:
    import numpy as np

    plain = "".join(bits.replace(" ", "") for bits in outcomes)
    return (np.frombuffer(plain.encode(), dtype=np.uint8) - ord("0")).reshape(len(outcomes), -1)


def _matrix(bits: Any, flips: Sequence[Flip]) -> Floats:
    """Probability to read outcome i where j is meant, columns normalized."""
    import numpy as np

    found: Floats = np.ones((len(bits), len(bits)))
    for column, flip in zip(bits.T, flips, strict=True):
        single = np.array([[1 - flip.up, flip.down], [flip.up, 1 - flip.down]])
        for start in range(0, len(bits), _ROWS):  # no second matrix beside this one
            some = slice(start, start + _ROWS)
            found[some] *= single[column[some, None], column[None, :]]
    found /= found.sum(axis=0)
    return found


def _error(hits: int, shots: int) -> float:
    share = (hits + 0.5) / (shots + 1)
    return sqrt(share * (1 - share) / shots)

"""Laws of QPU time: which terms take part, and whether a job or circuit has a least time.

A term grows with the job or stays, none shrinks. A job starts (`job`, and more for more qubits),
loads each circuit, and executes each circuit so often: a wait for reset, the gates and the readout.
What a machine really spends on each is fitted as a coefficient that is not negative, so that no
prediction is negative or falls with more shots, circuits, qubits or layers.

A law is fitted to relative errors, robustly: rows that no law can explain lose their weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.cost.job_shape import JobShape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

TERMS: dict[str, str] = {
    "job": "per job",
    "job qubits": "per job and qubit",
    "circuit": "per circuit",
    "circuit qubits": "per circuit and qubit",
    "circuit depth": "per circuit and layer",
    "circuit volume": "per circuit, qubit and layer",
    "shot": "per shot, however many circuits",
    "batch": "per shot and square root of the circuits: what gets cheaper in large batches",
    "execution": "per execution of a circuit",
    "execution qubits": "per execution and qubit",
    "execution depth": "per execution and layer",
    "execution volume": "per execution, qubit and layer",
}
"""Name to what a coefficient, in seconds, is multiplied by."""

_ORDER = tuple(TERMS)

_JOB, _CIRCUIT = _ORDER.index("job"), _ORDER.index("circuit")

_START = ("job", "job qubits")
"""Terms of a job's start, which a least time per circuit does not hold."""

_L1_TURNS, _TURNS = 5, 12
"""Turns of reweighting: towards least absolute errors first, then with wild rows left out."""

_PIECE_TURNS = 8
"""Turns of finding the rows below a least time, and of reweighting in each."""

_WILD = 5.0
"""Standard deviations (of the middle half) beyond which a row has no weight."""

_LEAST_SPREAD = 1e-3
"""Relative errors below this are all the same to a fit: no clock of a server is better."""


def matrix(shapes: Sequence[JobShape]) -> NDArray[np.float64]:
    """The terms of jobs: shape (jobs, terms), columns in the order of `TERMS`."""
    import numpy as np

    sizes = np.array(
        [(s.circuits, s.shots, s.qubits, s.depth, s.volume) for s in shapes], dtype=float
    ).reshape(len(shapes), 5)
    circuits, shots, qubits, depth, volume = sizes.T
    columns = [
        np.ones_like(circuits),
        qubits / np.maximum(circuits, 1),
        circuits,
        qubits,
        depth,
        volume,
        shots,
        shots * np.sqrt(circuits),
        shots * circuits,
        shots * qubits,
        shots * depth,
        shots * volume,
    ]
    return np.column_stack(columns)


@frozen
class TimeLaw:
    """Terms that add up, by name; `floor` is `""`, `job` or `circuit`: whose least time it has.

    With a least time per circuit, a job's start comes on top of it.
    """

    terms: tuple[str, ...]
    floor: str = ""

    @property
    def places(self) -> list[int]:
        """Columns of the matrix of terms."""
        return [_ORDER.index(name) for name in self.terms]

    @property
    def outside(self) -> list[int]:
        """Columns that are added to the least time, which is none of theirs."""
        return [_ORDER.index(name) for name in _START] if self.floor == "circuit" else []

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.terms) + bool(self.floor)


@frozen(eq=False)
class FittedLaw:
    """A law with its coefficients (in seconds, by the order of `TERMS`) and least time."""

    law: TimeLaw
    coefficients: Numbers
    least: float = 0.0

    def seconds(self, terms: Numbers) -> Numbers:
        """QPU seconds of jobs given by their matrix of terms; always above 0."""
        import numpy as np

        inside = self.coefficients.copy()
        inside[self.law.outside] = 0
        start = terms @ (self.coefficients - inside)
        unit = terms[:, _CIRCUIT if self.law.floor == "circuit" else _JOB]
        return np.maximum(start + np.maximum(terms @ inside, self.least * unit), 1e-9)


def _without(*left_out: str) -> tuple[str, ...]:
    return tuple(name for name in _ORDER if name not in left_out)


_RUN = ("job", "execution")

LAWS: tuple[TimeLaw, ...] = (
    TimeLaw(("execution",)),
    TimeLaw(_RUN),
    TimeLaw(("execution",), "job"),
    TimeLaw(_RUN, "circuit"),
    *(
        TimeLaw((*_RUN, more))
        for more in ("execution volume", "execution qubits", "execution depth")
    ),
    *(TimeLaw((*_RUN, more)) for more in ("circuit", "shot", "batch")),
    *(TimeLaw(("execution", more), "job") for more in ("execution volume", "execution depth")),
    *(TimeLaw((*_RUN, more), "circuit") for more in ("execution volume", "execution depth")),
    *(TimeLaw((name,)) for name in ("shot", "circuit", "job")),
    *(TimeLaw(pair) for pair in (("job", "shot"), ("job", "circuit"), ("circuit", "execution"))),
    TimeLaw(("shot", "execution")),
    TimeLaw(_ORDER),
    TimeLaw(_without("job"), "job"),
    TimeLaw(_without("circuit"), "circuit"),
    *(TimeLaw(_without(name)) for name in _ORDER),
    # jobs that are all alike do not show what the time of an execution depends on
    *(TimeLaw(("job", f"execution {of}")) for of in ("volume", "depth", "qubits")),
)
"""From simple to rich; of equally good laws the first is taken. Laws that the measured jobs do not
distinguish widen the range of jobs that differ from them."""


def fit_law(law: TimeLaw, terms: Numbers, seconds: Numbers) -> FittedLaw:
    """The law's coefficients for jobs with these `terms` that took so many `seconds`."""
    import numpy as np

    used = terms[:, law.places]
    coefficients = np.zeros(len(_ORDER))
    if not law.floor:
        coefficients[law.places] = _coefficients(used, seconds, _TURNS)
        return FittedLaw(law, coefficients)
    unit = terms[:, _CIRCUIT if law.floor == "circuit" else _JOB]
    inside = ~np.isin(law.places, law.outside)
    # rows below the least time show that time, the others the terms inside it
    below = seconds / unit <= 1.15 * np.quantile(seconds / unit, 0.1)
    least = 0.0
    for _ in range(_PIECE_TURNS):
        pieces = np.column_stack([np.where(below[:, None] & inside, 0, used), unit * below])
        solved = _coefficients(pieces, seconds, _PIECE_TURNS)
        coefficients[law.places], least = solved[:-1], float(solved[-1])
        before, below = below, used[:, inside] @ solved[:-1][inside] < least * unit
        if (below == before).all():
            break
    return FittedLaw(law, coefficients, least)


def _coefficients(used: Numbers, seconds: Numbers, turns: int) -> Numbers:
    """Coefficients that are not negative, of each column, by iterated reweighting.

    Each turn solves for sums of terms, relative to each measured time, that come closest to 1.
    """
    import numpy as np
    from scipy.optimize import nnls

    weights = np.ones(len(seconds))
    for turn in range(turns):
        weighted = used / seconds[:, None] * weights[:, None]
        scale = np.maximum(weighted.max(axis=0), 1e-300)
        solved, _ = nnls(weighted / scale, weights, maxiter=50 * weighted.shape[1])
        coefficients: Numbers = np.asarray(solved / scale)
        errors = np.log(np.maximum(used @ coefficients, 1e-12 * seconds) / seconds)
        spread = max(1.4826 * float(np.median(np.abs(errors))), _LEAST_SPREAD)
        if turn < _L1_TURNS:
            weights = np.sqrt(1 / np.maximum(np.abs(errors) / spread, 1.0))
        else:
            weights = np.maximum(1 - (errors / (_WILD * spread)) ** 2, 1e-3)
    return coefficients

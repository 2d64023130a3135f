"""Laws of QPU time: which terms take part, and whether a job or circuit has a least time.

A law is fitted to relative errors, robustly: rows that no law can explain lose their weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.cost.terms import TERMS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_ORDER = tuple(TERMS)
_JOB, _CIRCUIT = _ORDER.index("job"), _ORDER.index("circuit")
_START = ("job", "job qubits")
"""Terms of a job's start, which a least time per circuit does not hold."""

_L1_TURNS, _TURNS = 5, 12
"""Turns of reweighting: towards least absolute errors first, then with wild rows left out."""

_PIECE_TURNS = 8
"""Turns of telling which rows are below a least time, and of reweighting in each."""

_WILD = 5.0
"""Standard deviations (of the middle half) beyond which a row has no weight."""

_LEAST_SPREAD = 1e-3
"""Relative errors below this are all the same to a fit: no clock of a server is better."""


@frozen
class Law:
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
        """Columns that are added to the least time instead of being held by it."""
        return [_ORDER.index(name) for name in _START] if self.floor == "circuit" else []

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return len(self.terms) + bool(self.floor)


@frozen(eq=False)
class Fitted:
    """A law with its coefficients (in seconds, by the order of `TERMS`) and least time."""

    law: Law
    coefficients: Numbers
    least: float = 0.0

    def seconds(self, terms: Numbers) -> Numbers:
        """QPU seconds of jobs given by their matrix of terms; always above 0."""
        import numpy as np

        held = self.coefficients.copy()
        held[self.law.outside] = 0
        start = terms @ (self.coefficients - held)
        unit = terms[:, _CIRCUIT if self.law.floor == "circuit" else _JOB]
        return np.maximum(start + np.maximum(terms @ held, self.least * unit), 1e-9)


def _without(*left_out: str) -> tuple[str, ...]:
    return tuple(name for name in _ORDER if name not in left_out)


_RUN = ("job", "execution")
LAWS: tuple[Law, ...] = (
    Law(("execution",)),
    Law(_RUN),
    Law(("execution",), "job"),
    Law(_RUN, "circuit"),
    *(Law((*_RUN, more)) for more in ("execution volume", "execution qubits", "execution depth")),
    *(Law((*_RUN, more)) for more in ("circuit", "shot", "batch")),
    *(Law(("execution", more), "job") for more in ("execution volume", "execution depth")),
    *(Law((*_RUN, more), "circuit") for more in ("execution volume", "execution depth")),
    *(Law((name,)) for name in ("shot", "circuit", "job")),
    *(Law(pair) for pair in (("job", "shot"), ("job", "circuit"), ("circuit", "execution"))),
    Law(("shot", "execution")),
    Law(_ORDER),
    Law(_without("job"), "job"),
    Law(_without("circuit"), "circuit"),
    *(Law(_without(name)) for name in _ORDER),
    # of jobs that are all alike nobody can tell what an execution's time goes with
    *(Law(("job", f"execution {of}")) for of in ("volume", "depth", "qubits")),
)
"""From simple to rich; of equally good ones the first is taken. Those that some jobs cannot tell
apart widen the range of jobs that differ from them."""


def fit_law(law: Law, terms: Numbers, seconds: Numbers) -> Fitted:
    """The law's coefficients for jobs with these `terms` that took so many `seconds`."""
    import numpy as np

    used = terms[:, law.places]
    found = np.zeros(len(_ORDER))
    if not law.floor:
        found[law.places] = _coefficients(used, seconds, _TURNS)
        return Fitted(law, found)
    unit = terms[:, _CIRCUIT if law.floor == "circuit" else _JOB]
    held = ~np.isin(law.places, law.outside)
    # rows below the least time tell of that, the others of the terms that it holds
    below = seconds / unit <= 1.15 * np.quantile(seconds / unit, 0.1)
    least = 0.0
    for _ in range(_PIECE_TURNS):
        pieces = np.column_stack([np.where(below[:, None] & held, 0, used), unit * below])
        solved = _coefficients(pieces, seconds, _PIECE_TURNS)
        found[law.places], least = solved[:-1], float(solved[-1])
        was, below = below, used[:, held] @ solved[:-1][held] < least * unit
        if (below == was).all():
            break
    return Fitted(law, found, least)


def _coefficients(used: Numbers, seconds: Numbers, turns: int) -> Numbers:
    """Coefficients that are not negative, of each column, by iterated reweighting."""
    import numpy as np

    weights = np.ones(len(seconds))
    for turn in range(turns):
        found = _least_squares(used / seconds[:, None], weights)
        errors = np.log(np.maximum(used @ found, 1e-12 * seconds) / seconds)
        spread = max(1.4826 * float(np.median(np.abs(errors))), _LEAST_SPREAD)
        if turn < _L1_TURNS:
            weights = np.sqrt(1 / np.maximum(np.abs(errors) / spread, 1.0))
        else:
            weights = np.maximum(1 - (errors / (_WILD * spread)) ** 2, 1e-3)
    return found


def _least_squares(relative: Numbers, weights: Numbers) -> Numbers:
    """Non-negative coefficients whose sum of terms, relative to each time, comes closest to 1."""
    import numpy as np
    from scipy.optimize import nnls

    weighted = relative * weights[:, None]
    scale = np.maximum(weighted.max(axis=0), 1e-300)
    solved, _ = nnls(weighted / scale, weights, maxiter=50 * weighted.shape[1])
    return np.asarray(solved / scale)

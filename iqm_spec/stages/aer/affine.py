"""Exact distributions of Clifford circuits: even over an affine space of bitstrings, any width.

Aer's stabilizer method gives the final tableau. Its products that consist of Z on measured qubits
only fix parities of the outcome; every outcome that keeps them is equally likely.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from iqm_spec.native import Native
from iqm_spec.stages.aer.bits import Bits, pack
from iqm_spec.stages.aer.clifford import clifford_circuit
from iqm_spec.stages.aer.dense import MOST_OUTCOMES
from iqm_spec.stages.aer.engine import run_aer
from iqm_spec.stages.aer.sample import draw_bits
from iqm_spec.stages.aer.shape import shape_of, unmeasured
from iqm_spec.stages.aer.tasks import Ideal
from iqm_spec.statistics.comparison import perfect_device

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Binary = NDArray[np.uint8]


@frozen(eq=False)
class Affine:
    """Outcomes `offset + r basis` (mod 2) with r even over all rows of bits.

    `offset` has one bit per measured bit, `basis` one independent row per dimension.
    """

    bits: Bits
    offset: Binary = field(repr=False)
    basis: Binary = field(repr=False)

    def sample(self, shots: int, seed: int) -> dict[str, int]:
        """Counts of `shots` draws."""
        import numpy as np

        rows = draw_bits(len(self.basis), shots, seed)
        rows, number = np.unique(rows, axis=0, return_counts=True)
        return dict(zip(self._strings(rows), number.tolist(), strict=True))

    def ideal(self, seen: Collection[str], shots: int) -> Ideal:
        """All outcomes where there are at most 4096, else those seen; all are equally likely."""
        import numpy as np

        dimension = len(self.basis)
        each = 2.0**-dimension
        perfect = perfect_device(np.array([each]), shots, np.array([2.0**dimension]))
        if 2**dimension > MOST_OUTCOMES:
            found: dict[str, float] = {}
            for some, table in self.bits.tables(seen):
                found.update(zip(some, np.where(self._has(table), each, 0.0).tolist(), strict=True))
            return Ideal(found, False, perfect)
        index = np.arange(2**dimension)[:, None] >> np.arange(dimension)
        every = self._strings((index & 1).astype(np.uint8))
        return Ideal(dict.fromkeys(every, each), True, perfect)

    def _strings(self, rows: Binary) -> list[str]:
        outcomes = (rows @ self.basis.astype(int) + self.offset) % 2
        return self.bits.strings(pack(outcomes.tolist()))

    def _has(self, outcomes: Binary) -> NDArray[np.bool_]:
        """Which rows lie in the space; the basis is in echelon form: reduce it away."""
        rest = self.offset ^ outcomes
        for row in self.basis:
            rest ^= rest[:, int(row.argmax()), None] * row
        outside: Any = rest.any(axis=1)
        return ~outside  # type: ignore[no-any-return]


def affine(native: Native, device: str, name: str = "") -> Affine:
    """The exact distribution of an ideal Clifford circuit whose measurements are final."""
    import numpy as np

    pairs = shape_of(native).measured
    circuit = native.circuit()
    built = clifford_circuit(unmeasured(circuit))
    built.save_stabilizer(label="s")
    result = run_aer([built], "stabilizer", device, names=[name], shots=1)
    tableau = result.data(0)["s"].clifford
    parities, values = _parities(
        tableau.stab_x.astype(np.uint8),
        tableau.stab_z.astype(np.uint8),
        tableau.stab_phase.astype(np.uint8),
        [qubit for _, qubit in pairs],
    )
    offset, basis = _solve(parities, values)
    return Affine(Bits(circuit.registers, tuple(clbit for clbit, _ in pairs)), offset, basis)


def _parities(x: Binary, z: Binary, sign: Binary, measured: list[int]) -> tuple[Binary, Binary]:
    """Independent parities (rows over measured qubits, value of each) that outcomes must keep.

    Rows of (x, z, sign) are Pauli operators; Y has both bits, so its factor i is implied. They are
    reduced until what is left beside the pivots has no X, and no Z on an unmeasured qubit.
    """
    import numpy as np

    others = [q for q in range(x.shape[1]) if q not in set(measured)]
    x, z = x.copy(), z.copy()
    power = (2 * sign.astype(int) + (x & z).sum(1)) % 4
    free = np.ones(len(x), dtype=bool)
    for table, columns in ((x, range(x.shape[1])), (z, others)):
        for column in columns:
            rows = np.flatnonzero(table[:, column].astype(bool) & free)
            if not rows.size:
                continue
            pivot, rest = rows[0], rows[1:]
            free[pivot] = False
            power[rest] = (power[rest] + power[pivot] + 2 * (z[rest] & x[pivot]).sum(1)) % 4
            x[rest] ^= x[pivot]
            z[rest] ^= z[pivot]
    return z[free][:, measured], (power[free] // 2).astype(np.uint8)


def _solve(parities: Binary, values: Binary) -> tuple[Binary, Binary]:
    """One solution of `parities . outcome = values`, and a basis (in echelon form) of the rest."""
    import numpy as np

    table = np.concatenate([parities, values[:, None]], axis=1)
    table, pivots = _echelon(table, parities.shape[1])
    size = parities.shape[1]
    offset = np.zeros(size, dtype=np.uint8)
    offset[pivots] = table[: len(pivots), -1]
    open_columns = [column for column in range(size) if column not in set(pivots)]
    basis = np.zeros((len(open_columns), size), dtype=np.uint8)
    for row, column in zip(basis, open_columns, strict=True):
        row[column] = 1
        row[pivots] = table[: len(pivots), column]
    return offset, _echelon(basis, size)[0]


def _echelon(table: Binary, columns: int) -> tuple[Binary, list[int]]:
    """Reduced row echelon form (mod 2) on the first `columns`, and the pivots' columns."""
    import numpy as np

    table = table.copy()
    pivots: list[int] = []
    for column in range(columns):
        here = len(pivots)
        rows = np.flatnonzero(table[here:, column]) + here
        if not rows.size:
            continue
        table[[here, rows[0]]] = table[[rows[0], here]]
        others = np.flatnonzero(table[:, column])
        table[others[others != here]] ^= table[here]
        pivots.append(column)
    return table, pivots

"""Draws outcomes by a seed alone.

The numbers are the raw output of PCG64, which numpy promises never to change, so that counts do not
move with numpy's version, and inverting the distribution leaves them where they are when
probabilities move in their last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.model import NativeCircuit
from iqm_spec.native import Native
from iqm_spec.stages.aer.engine import clifford_circuit, run_aer
from iqm_spec.stages.aer.method import BOND_BITS_EXACT, BOND_LIMIT, in_line, shape_of
from iqm_spec.stages.aer.noise import noise_model
from iqm_spec.stages.aer.tasks import AerTask, Setup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Binary = NDArray[np.uint8]


_DRAWS_AT_ONCE = 1 << 20
_DECIMALS = 12
"""Probabilities are rounded so before anything is drawn: the last bits depend on the processor."""


def draw_outcomes(probabilities: Floats, shots: int, seed: int) -> dict[int, int]:
    """How often each index is drawn in `shots` draws, by index, ascending."""
    import numpy as np

    cumulative = np.cumsum(np.clip(np.round(probabilities, _DECIMALS), 0, None))
    bits = np.random.PCG64(seed)
    found = np.empty(0, dtype=np.int64)
    number = np.empty(0, dtype=np.int64)
    for start in range(0, shots, _DRAWS_AT_ONCE):
        raw = bits.random_raw(min(_DRAWS_AT_ONCE, shots - start))
        uniform = (raw >> np.uint64(11)) * 2.0**-53
        index = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
        both = np.concatenate([found, np.minimum(index, cumulative.size - 1)])
        weight = np.concatenate([number, np.ones(index.size, dtype=np.int64)])
        found, place = np.unique(both, return_inverse=True)
        number = np.bincount(place, weights=weight).astype(np.int64)
    return dict(zip(found.tolist(), number.tolist(), strict=True))


def draw_bits(columns: int, shots: int, seed: int) -> NDArray[np.uint8]:
    """`shots` rows of `columns` fair bits, 0 or 1."""
    import numpy as np

    words = max(1, -(-columns // 64))
    raw = np.random.PCG64(seed).random_raw(shots * words).astype("<u8").reshape(shots, words)
    return np.unpackbits(raw.view(np.uint8), axis=1, bitorder="little")[:, :columns]


_STRINGS_AT_ONCE = 1 << 14
"""Bitstrings whose bits are in memory at once."""


@frozen
class Bits:
    """Writes outcomes of some classical bits among all; the others are 0.

    An outcome is an integer whose bit j is the value of classical bit `clbits[j]`.
    """

    registers: tuple[tuple[str, int], ...]
    clbits: tuple[int, ...]

    def strings(self, outcomes: Iterable[int]) -> list[str]:
        """Bitstrings of `outcomes`."""
        width = sum(size for _, size in self.registers)
        straight = self.clbits == tuple(range(len(self.clbits)))
        cuts = self._cuts(width)
        found = []
        for outcome in outcomes:
            value = outcome if straight else self._spread(outcome)
            text = format(value, f"0{width}b") if width else ""
            found.append(" ".join([text[a:b] for a, b in cuts]))
        return found

    def _spread(self, outcome: int) -> int:
        return sum((outcome >> j & 1) << clbit for j, clbit in enumerate(self.clbits))

    def _cuts(self, width: int) -> list[tuple[int, int]]:
        """Where each register stands in the string of all bits, in the order of printing."""
        ends: list[tuple[int, int]] = []
        low = 0
        for _, size in self.registers:
            ends.append((width - low - size, width - low))
            low += size
        return [cut for cut in reversed(ends) if cut[0] < cut[1]]

    def tables(self, bitstrings: Collection[str]) -> Iterator[tuple[list[str], Binary]]:
        """Bitstrings some at a time, and their bits: a row each, a column for each of `clbits`."""
        import numpy as np

        columns = [-1 - clbit for clbit in self.clbits]
        width = sum(size for _, size in self.registers)
        left = iter(bitstrings)
        while some := list(islice(left, _STRINGS_AT_ONCE)):
            plain = "".join(some).replace(" ", "").encode()
            bits = np.frombuffer(plain, dtype=np.uint8).reshape(len(some), width) & np.uint8(1)
            yield some, bits[:, columns]

    def outcome(self, bitstring: str) -> int:
        """The integer of a bitstring that `strings` wrote."""
        value = int(bitstring.replace(" ", "") or "0", 2)
        return sum((value >> clbit & 1) << j for j, clbit in enumerate(self.clbits))


def integers_of_bits(rows: Sequence[Sequence[int]]) -> list[int]:
    """Integers of rows of bits, the bit of column j having the weight 2^j."""
    return [sum(1 << j for j, bit in enumerate(row) if bit) for row in rows]


TRUNCATION = 1e-16
"""Aer drops Schmidt coefficients while the sum of their squares stays below this."""


def counts_by_aer(task: AerTask, setup: Setup, method: str) -> dict[str, int]:
    """Counts of one task, drawn by Aer from the task's seed. Readout errors are in the model."""
    from iqm_spec.transpile import to_qiskit

    native = in_line(task.circuit) if method == "matrix_product_state" else task.circuit
    circuit = native.circuit()
    if not shape_of(native).measured:
        return _nothing_measured(circuit, task.shots)
    noise = noise_model(setup.noise, [circuit]) if setup.noise else None
    built = clifford_circuit(circuit) if method == "stabilizer" else to_qiskit(circuit)
    result = run_aer(
        [built],
        method,
        setup.device,
        noise=noise,
        names=[task.key],
        shots=task.shots,
        seed_simulator=task.seed,
        **mps_options(native, method),
    )
    counts: dict[str, int] = result.get_counts(0)
    return dict(sorted(counts.items()))


def _nothing_measured(circuit: NativeCircuit, shots: int) -> dict[str, int]:
    """Counts of a circuit without measurements: every bit is 0."""
    return dict(zip(Bits(circuit.registers, ()).strings([0]), [shots], strict=True))


def mps_options(circuit: Native, method: str) -> dict[str, Any]:
    """Aer's options for a matrix product state; nothing for other methods."""
    if method != "matrix_product_state":
        return {}
    options: dict[str, Any] = {
        "matrix_product_state_truncation_threshold": TRUNCATION,
        "mps_omp_threads": 1,
    }
    if shape_of(circuit).bond_bits > BOND_BITS_EXACT:
        options["matrix_product_state_max_bond_dimension"] = BOND_LIMIT
    return options


def approximation_notes(circuit: Native, method: str) -> tuple[str, ...]:
    """What is approximate in counts of `circuit` by `method`."""
    if method != "matrix_product_state":
        return ()
    found = [f"matrix product state: truncated at a weight of {TRUNCATION:g}"]
    bits = shape_of(circuit).bond_bits
    if bits > BOND_BITS_EXACT:
        found.append(
            f"approximate: bond dimension limited to {BOND_LIMIT}, up to 2^{bits} may be needed"
        )
    return tuple(found)

"""Counts drawn by a seed alone, by this program or by Aer, and bitstrings as Qiskit prints them.

This program draws from the raw output of PCG64, which numpy promises never to change. It inverts
the cumulative distribution, so that a change in the last bit of a probability changes no count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.native import Native
from iqm_spec.stages.aer.engine import clifford_circuit, run_aer
from iqm_spec.stages.aer.method import BOND_BITS_EXACT, BOND_LIMIT, in_line, shape_of
from iqm_spec.stages.aer.noise import idling, noise_model, relaxing
from iqm_spec.stages.aer.tasks import AerTask, Setup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Binary = NDArray[np.uint8]

TRUNCATION = 1e-16
"""Aer drops Schmidt coefficients while the sum of their squares stays below this."""

_DRAWS_AT_ONCE = 1 << 20
_DECIMALS = 12
"""Probabilities are rounded so before drawing: their last bits depend on the processor."""
_STRINGS_AT_ONCE = 1 << 14
"""Bitstrings whose bits are in memory at once."""


def draw_outcomes(probabilities: Floats, shots: int, seed: int) -> dict[int, int]:
    """How often each index is drawn in `shots` draws, by index, ascending."""
    import numpy as np

    cumulative = np.cumsum(np.clip(np.round(probabilities, _DECIMALS), 0, None))
    generator = np.random.PCG64(seed)
    drawn = np.empty(0, dtype=np.int64)
    number = np.empty(0, dtype=np.int64)
    for start in range(0, shots, _DRAWS_AT_ONCE):
        raw = generator.random_raw(min(_DRAWS_AT_ONCE, shots - start))
        uniform = (raw >> np.uint64(11)) * 2.0**-53
        index = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
        both = np.concatenate([drawn, np.minimum(index, cumulative.size - 1)])
        weight = np.concatenate([number, np.ones(index.size, dtype=np.int64)])
        drawn, place = np.unique(both, return_inverse=True)
        number = np.bincount(place, weights=weight).astype(np.int64)
    return dict(zip(drawn.tolist(), number.tolist(), strict=True))


def draw_bits(columns: int, shots: int, seed: int) -> Binary:
    """`shots` rows of `columns` fair bits, 0 or 1."""
    import numpy as np

    words = max(1, -(-columns // 64))
    raw = np.random.PCG64(seed).random_raw(shots * words).astype("<u8").reshape(shots, words)
    return np.unpackbits(raw.view(np.uint8), axis=1, bitorder="little")[:, :columns]


# --- counts that Aer draws ------------------------------------------------------------------------


def counts_by_aer(task: AerTask, setup: Setup, method: str) -> dict[str, int]:
    """Counts of one task, drawn by Aer from the task's seed. Readout errors are in the model.

    For circuits too wide for exact probabilities, or measured midway. Each has a run of its own: in
    a batch Aer seeds circuit i with the batch's seed + 2113 i, which would make counts depend on
    what else is in the batch.
    """
    from iqm_spec.transpile import to_qiskit

    native = in_line(task.circuit) if method == "matrix_product_state" else task.circuit
    circuit = native.circuit()
    if not shape_of(native).measured:
        (zeros,) = Bits(circuit.registers, ()).strings([0])
        return {zeros: task.shots}
    noise = noise_model(setup.noise, [circuit]) if setup.noise else None
    if method == "stabilizer":
        built = clifford_circuit(circuit)
    else:
        played = idling(circuit, setup.noise)
        built = relaxing(to_qiskit(played), played.components, setup.noise)
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


def mps_options(circuit: Native, method: str) -> dict[str, Any]:
    """Aer's options for a matrix product state; none for other methods."""
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
    truncation = f"matrix product state: truncated at a weight of {TRUNCATION:g}"
    bits = shape_of(circuit).bond_bits
    if bits <= BOND_BITS_EXACT:
        return (truncation,)
    return (
        truncation,
        f"approximate: bond dimension limited to {BOND_LIMIT}, up to 2^{bits} may be needed",
    )


# --- bitstrings -----------------------------------------------------------------------------------


@frozen
class Bits:
    """Writes outcomes of some classical bits as bitstrings of all; the other bits are 0.

    The last register comes first, and the highest bit of each. An outcome is an integer whose bit j
    is the value of classical bit `clbits[j]`.
    """

    registers: tuple[tuple[str, int], ...]
    clbits: tuple[int, ...]

    def strings(self, outcomes: Iterable[int]) -> list[str]:
        """Bitstrings of `outcomes`."""
        width = sum(size for _, size in self.registers)
        in_order = self.clbits == tuple(range(len(self.clbits)))
        # where each register stands in the string of all bits, in the order of printing
        slices: list[tuple[int, int]] = []
        high = width
        for _, size in self.registers:
            if size:
                slices.insert(0, (high - size, high))
            high -= size
        bitstrings = []
        for outcome in outcomes:
            value = outcome
            if not in_order:
                value = sum((outcome >> j & 1) << clbit for j, clbit in enumerate(self.clbits))
            text = format(value, f"0{width}b") if width else ""
            bitstrings.append(" ".join([text[a:b] for a, b in slices]))
        return bitstrings

    def tables(self, bitstrings: Collection[str]) -> Iterator[tuple[list[str], Binary]]:
        """Bitstrings in batches, with their bits: a row each, a column for each of `clbits`."""
        import numpy as np

        columns = [-1 - clbit for clbit in self.clbits]
        width = sum(size for _, size in self.registers)
        left = iter(bitstrings)
        while batch := list(islice(left, _STRINGS_AT_ONCE)):
            plain = "".join(batch).replace(" ", "").encode()
            bits = np.frombuffer(plain, dtype=np.uint8).reshape(len(batch), width) & np.uint8(1)
            yield batch, bits[:, columns]

    def outcome(self, bitstring: str) -> int:
        """The integer of a bitstring that `strings` wrote."""
        value = int(bitstring.replace(" ", "") or "0", 2)
        return sum((value >> clbit & 1) << j for j, clbit in enumerate(self.clbits))


def integers_of_bits(rows: Sequence[Sequence[int]]) -> list[int]:
    """Integers of rows of bits, the bit of column j having the weight 2^j."""
    return [sum(1 << j for j, bit in enumerate(row) if bit) for row in rows]

"""Exact distributions of outcomes by state vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.crosscheck.program import Unitary, applied, played

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iqm_spec.crosscheck.program import Matrix

    Floats = NDArray[np.float64]

WIDEST_STATE = 18
"""Qubits, and measurements and resets on the way, of a state vector."""

MOST_WORK = 8_000_000
"""Amplitudes times gates of a state vector's evolution."""

_OVERHEAD = 10
"""A gate on a small state takes as long as one on so many qubits."""

_LARGE = 11
"""Qubits from which on it is quicker to touch single amplitudes than to multiply matrices."""


@frozen(eq=False)
class Distribution:
    """Probabilities of outcomes; bit i of an index is the classical bit `bits[i]`."""

    bits: tuple[int, ...]
    probabilities: Floats

    def over(self, bits: Sequence[int]) -> Floats:
        """Probabilities over `bits`, which include its own; the others are 0."""
        import numpy as np

        places = [bits.index(bit) for bit in self.bits]
        index = np.arange(len(self.probabilities))
        target = np.zeros_like(index)
        for own, place in enumerate(places):
            target |= (index >> own & 1) << place
        found = np.zeros(1 << len(bits))
        found[target] = self.probabilities
        return found


def work(gates: Sequence[Unitary]) -> tuple[int, int]:
    """Wires of `gates`, and amplitudes that are touched to evolve them."""
    wires = {wire for gate in gates for wire in gate.qubits}
    return len(wires), len(gates) << max(len(wires), _OVERHEAD)


def distribution(gates: Sequence[Unitary], reading: Mapping[int, int]) -> Distribution:
    """What is read of wires that begin at 0: `reading` has the wire of each bit."""
    import numpy as np

    wires = sorted({wire for gate in gates for wire in gate.qubits} | set(reading.values()))
    place = {wire: i for i, wire in enumerate(wires)}
    state = np.zeros(1 << len(wires), dtype=complex)
    state[0] = 1
    large = len(wires) >= _LARGE
    change = played if large else applied
    for matrix, on in _joined(gates, apart=large):
        state = change(state, matrix, [place[wire] for wire in on], len(wires))
    weights = (state.real**2 + state.imag**2).reshape((2,) * len(wires))
    read = sorted(set(reading.values()))
    lost = tuple(len(wires) - 1 - place[wire] for wire in wires if wire not in read)
    kept = weights.sum(axis=lost).reshape(-1)
    return _of_bits(kept, read, reading)


def _of_bits(kept: Floats, read: Sequence[int], reading: Mapping[int, int]) -> Distribution:
    """Probabilities of bits from those of wires; two bits may be read from one wire."""
    import numpy as np

    bits = tuple(sorted(reading))
    index = np.arange(len(kept))
    target = np.zeros_like(index)
    for place, bit in enumerate(bits):
        target |= (index >> read.index(reading[bit]) & 1) << place
    found = np.zeros(1 << len(bits))
    found[target] = kept
    return Distribution(bits, found)


def _joined(gates: Sequence[Unitary], *, apart: bool) -> Iterator[tuple[Matrix, tuple[int, ...]]]:
    """`gates` with those of one wire multiplied, and into the next of more wires if not `apart`."""
    import numpy as np

    nothing, idle = np.eye(1, dtype=complex), np.eye(2, dtype=complex)
    waiting: dict[int, Matrix] = {}
    for gate in gates:
        if len(gate.qubits) == 1:
            (wire,) = gate.qubits
            waiting[wire] = gate.matrix @ waiting[wire] if wire in waiting else gate.matrix
            continue
        matrix = gate.matrix
        if apart:
            yield from ((waiting.pop(wire), (wire,)) for wire in gate.qubits if wire in waiting)
        elif any(wire in waiting for wire in gate.qubits):
            before = nothing
            for wire in gate.qubits:  # the last one is the highest bit
                before = np.kron(waiting.pop(wire, idle), before)
            matrix = matrix @ before
        yield matrix, gate.qubits
    for wire, matrix in waiting.items():
        yield matrix, (wire,)

"""Exact distributions of outcomes, computed by state vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.crosscheck.program import Unitary, apply_in_place, apply_matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iqm_spec.crosscheck.program import Matrix

    Floats = NDArray[np.float64]


WIDEST_STATE = 18
"""Wires of a state vector: qubits, and mid-circuit measurements and resets."""

MOST_WORK = 8_000_000
"""Amplitudes times gates of an evolution."""

_OVERHEAD = 10
"""A gate on a small state takes as long as one on so many qubits."""

_LARGE = 11
"""Wires from which on it is faster to update amplitudes than to multiply matrices."""


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
        result = np.zeros(1 << len(bits))
        result[target] = self.probabilities
        return result


def work(gates: Sequence[Unitary]) -> tuple[int, int]:
    """Number of wires of `gates`, and amplitudes times gates of their evolution."""
    wires = {wire for gate in gates for wire in gate.qubits}
    return len(wires), len(gates) << max(len(wires), _OVERHEAD)


def distribution(gates: Sequence[Unitary], reading: Mapping[int, int]) -> Distribution:
    """Distribution of the bits of `reading` (bit to wire); wires begin at 0."""
    import numpy as np

    wires = sorted({wire for gate in gates for wire in gate.qubits} | set(reading.values()))
    place = {wire: i for i, wire in enumerate(wires)}
    state = np.zeros(1 << len(wires), dtype=complex)
    state[0] = 1
    large = len(wires) >= _LARGE
    change = apply_in_place if large else apply_matrix
    for matrix, on in _merged(gates, apart=large):
        state = change(state, matrix, [place[wire] for wire in on], len(wires))
    weights = (state.real**2 + state.imag**2).reshape((2,) * len(wires))
    read = sorted(set(reading.values()))
    unread = tuple(len(wires) - 1 - place[wire] for wire in wires if wire not in read)
    return _of_bits(weights.sum(axis=unread).reshape(-1), read, reading)


def _of_bits(of_wires: Floats, read: Sequence[int], reading: Mapping[int, int]) -> Distribution:
    """Probabilities of bits from those of wires; two bits may be read from one wire."""
    import numpy as np

    bits = tuple(sorted(reading))
    index = np.arange(len(of_wires))
    target = np.zeros_like(index)
    for place, bit in enumerate(bits):
        target |= (index >> read.index(reading[bit]) & 1) << place
    probabilities = np.zeros(1 << len(bits))
    probabilities[target] = of_wires
    return Distribution(bits, probabilities)


def _merged(gates: Sequence[Unitary], *, apart: bool) -> Iterator[tuple[Matrix, tuple[int, ...]]]:
    """`gates`, products of single-wire gates merged into the next wider gate unless `apart`."""
    import numpy as np

    scalar, identity = np.eye(1, dtype=complex), np.eye(2, dtype=complex)
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
            before = scalar
            for wire in gate.qubits:  # the last one is the highest bit
                before = _kron(waiting.pop(wire, identity), before)
            matrix = matrix @ before
        yield matrix, gate.qubits
    for wire, matrix in waiting.items():
        yield matrix, (wire,)


def _kron(high: Matrix, low: Matrix) -> Matrix:
    """The Kronecker product, for small matrices faster than `numpy.kron`."""
    size = len(high) * len(low)
    result: Matrix = (high[:, None, :, None] * low[None, :, None, :]).reshape(size, size)
    return result

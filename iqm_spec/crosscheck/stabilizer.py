"""Outcomes of Clifford circuits of any width: equally likely solutions of linear equations.

A row of the tableau is i^p X^x Z^z with x and z as numbers, one bit per wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.crosscheck.program import NotReadable, Unitary

if TYPE_CHECKING:
    from iqm_spec.crosscheck.program import Matrix

MOST_WORK = 400_000
"""Gates times wires of a tableau."""

_WIDEST = 3
_TOLERANCE = 1e-8

Images = tuple[tuple[int, int, int], ...]
"""Per Pauli product on a gate's wires (number of z and x bits): x, z and phase of its image."""


@frozen
class OutcomeEquations:
    """Solutions of `parity of (outcome & mask) == value`, reduced: leading bit -> (mask, value).

    Bits outside of all masks are free; `bits` are those that are written.
    """

    bits: frozenset[int]
    rows: Mapping[int, tuple[int, int]]

    @property
    def free(self) -> int:
        """Number of free bits; there are 2^free outcomes."""
        return len(self.bits) - len(self.rows)


def outcomes(gates: Sequence[Unitary], reading: Mapping[int, int]) -> OutcomeEquations:
    """Outcomes of `reading` (bit to wire); wires begin at 0. Raises `NotReadable`."""
    wires = sorted({wire for gate in gates for wire in gate.qubits} | set(reading.values()))
    place = {wire: i for i, wire in enumerate(wires)}
    if len(gates) * len(wires) > MOST_WORK:
        raise NotReadable("too large for stabilizers")
    rows = [(0, 1 << i, 0) for i in range(len(wires))]
    known: dict[bytes, Images] = {}
    for gate in gates:
        key = gate.matrix.tobytes()
        if key not in known:
            known[key] = _images(gate.matrix, len(gate.qubits))
        rows = _conjugated(rows, known[key], [place[wire] for wire in gate.qubits])
    read = {place[wire] for wire in reading.values()}
    return _equations(rows, len(wires), read, {bit: place[w] for bit, w in reading.items()})


def _images(matrix: Matrix, width: int) -> Images:
    """The image of each Pauli product under conjugation by `matrix`."""
    import numpy as np

    if width > _WIDEST:
        raise NotReadable("neither narrow nor made of Clifford gates")
    inverse = matrix.conj().T
    images = []
    for number in range(4**width):
        x, z = number & ((1 << width) - 1), number >> width
        image = matrix @ _pauli(x, z, width) @ inverse
        column = int(np.argmax(np.abs(image[:, 0])))
        signs = [image[column ^ (1 << i), 1 << i] * np.conj(image[column, 0]) for i in range(width)]
        new_x, new_z = column, sum((sign.real < 0) << i for i, sign in enumerate(signs))
        expected = _pauli(new_x, new_z, width)
        factor = image[column, 0] / expected[column, 0]
        phase = round(float(np.angle(factor)) / (np.pi / 2)) % 4
        if np.max(np.abs(image - 1j**phase * expected)) > _TOLERANCE:
            raise NotReadable("neither narrow nor made of Clifford gates")
        images.append((new_x, int(new_z), phase))
    return tuple(images)


def _pauli(x: int, z: int, width: int) -> Matrix:
    """The matrix of X^x Z^z."""
    import numpy as np

    index = np.arange(1 << width)
    signs = np.array([(-1) ** (int(i) & z).bit_count() for i in index])
    matrix = np.zeros((1 << width, 1 << width), dtype=complex)
    matrix[index ^ x, index] = signs
    return matrix


def _conjugated(
    rows: list[tuple[int, int, int]], images: Images, places: Sequence[int]
) -> list[tuple[int, int, int]]:
    width = len(places)
    mask = sum(1 << place for place in places)
    changed = []
    for x, z, phase in rows:
        if not (x | z) & mask:
            changed.append((x, z, phase))
            continue
        number = 0
        for i, place in enumerate(places):
            number |= (x >> place & 1) << i | (z >> place & 1) << (width + i)
        new_x, new_z, turn = images[number]
        x, z = x & ~mask, z & ~mask
        for i, place in enumerate(places):
            x |= (new_x >> i & 1) << place
            z |= (new_z >> i & 1) << place
        changed.append((x, z, (phase + turn) % 4))
    return changed


def _equations(
    rows: Sequence[tuple[int, int, int]], width: int, read: set[int], places: Mapping[int, int]
) -> OutcomeEquations:
    """The products of `rows` that are Z on read wires only, as equations of bits."""
    unread = sum(1 << wire for wire in range(width) if wire not in read)
    pivots: dict[int, tuple[int, int, int]] = {}
    z_products = []
    for row in rows:
        x, z, phase = row
        while key := x << width | z & unread:
            lead = key.bit_length()
            if lead not in pivots:
                pivots[lead] = (x, z, phase)
                break
            px, pz, pphase = pivots[lead]
            phase = (phase + pphase + 2 * (pz & x).bit_count()) % 4
            x, z = x ^ px, z ^ pz
        else:
            z_products.append((z, phase // 2))
    bit_of: dict[int, int] = {}
    equations = []
    for bit, wire in sorted(places.items()):
        if wire in bit_of:
            equations.append((1 << bit | 1 << bit_of[wire], 0))
        else:
            bit_of[wire] = bit
    for z, value in z_products:
        mask = sum(1 << bit for wire, bit in bit_of.items() if z >> wire & 1)
        equations.append((mask, value))
    solved = reduced(equations)
    assert solved is not None  # noqa: S101 - a state has outcomes
    return OutcomeEquations(frozenset(places), solved)


def reduced(equations: Sequence[tuple[int, int]]) -> dict[int, tuple[int, int]] | None:
    """The reduced row echelon form by leading bits; None where there is no solution."""
    rows: dict[int, tuple[int, int]] = {}
    for mask, value in equations:
        mask, value = _reduce_by(mask, value, rows)
        if not mask:
            if value:
                return None
            continue
        lead = mask.bit_length() - 1
        for other, (m, v) in rows.items():
            if m >> lead & 1:
                rows[other] = (m ^ mask, v ^ value)
        rows[lead] = (mask, value)
    return dict(sorted(rows.items()))


def _reduce_by(mask: int, value: int, rows: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    for lead, (m, v) in rows.items():
        if mask >> lead & 1:
            mask, value = mask ^ m, value ^ v
    return mask, value


def widened(affine: OutcomeEquations, bits: frozenset[int]) -> OutcomeEquations:
    """The same outcomes over more bits, which are 0."""
    more = {bit: (1 << bit, 0) for bit in bits - affine.bits}
    return OutcomeEquations(bits, dict(sorted({**affine.rows, **more}.items())))


def distance(first: OutcomeEquations, second: OutcomeEquations) -> float:
    """Total variation distance of two uniform distributions over the same bits."""
    both = reduced([*first.rows.values(), *second.rows.values()])
    if both is None:
        return 1.0
    shared: float = 0.5 ** (len(both) - min(len(first.rows), len(second.rows)))
    return 1 - shared


def example(first: OutcomeEquations, second: OutcomeEquations) -> int | None:
    """An outcome of `first` that is none of `second`; None where there is none."""
    for mask, value in second.rows.values():
        rest, differs = _reduce_by(mask, value, first.rows)
        if not rest and not differs:
            continue
        extra = [] if not rest else [(rest, differs ^ 1)]
        solved = reduced([*first.rows.values(), *extra])
        assert solved is not None  # noqa: S101 - `left` is independent of the rows
        return sum(v << lead for lead, (_, v) in solved.items())
    return None

"""Circuits of which transpiling leaves little: told, since they may not be what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from math import sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Gates = tuple[int, int]
"""Numbers of gates on several qubits and on one."""

_ABOUT_Z = frozenset({"rz", "p", "z", "s", "sdg", "t", "tdg", "u1", "id"})
"""Never played on these machines, so their loss is none."""
_CHANGES_OF_NAMES = frozenset({"swap", "permutation"})
_LOCAL_AT_HALF_TURNS = frozenset({"rxx", "ryy", "rzz", "rzx"})
"""At multiples of pi these are gates on one qubit each."""
_NO_GATES = frozenset({"barrier", "delay", "measure", "reset"})

_TOLERANCE = 1e-9
_MANY, _FEW = 16, 2
"""A loss counts where so many gates become less than half, or a short sequence nothing."""
_ONE_QUBIT = 8
"""One-qubit gates are fused as a matter of course: below an eighth of them is a loss."""


def gates_of(circuit: QuantumCircuit) -> Gates:
    """Gates of a circuit as it is written, less those that are no more than changes of names."""
    several = one = 0
    for item in circuit.data:
        name = item.operation.name
        if name in _NO_GATES or name in _CHANGES_OF_NAMES or hasattr(item.operation, "blocks"):
            continue
        part = 2.0 if name in _LOCAL_AT_HALF_TURNS else 1.0
        if item.params and all(_is_no_turn(angle, part) for angle in item.params):
            continue
        if len(item.qubits) > 1:
            several += 1
        else:
            one += name not in _ABOUT_Z
    return several, one


def collapses(written: Gates, native: Mapping[str, int]) -> bool:
    """Whether so little is left in the native circuit's gate counts that a person should know."""
    several, one = written
    cz, turns = native.get("cz", 0), native.get("r", 0)
    if several >= _FEW and cz == 0:
        return True
    return (several >= _MANY and 2 * cz < several) or (one >= _MANY and _ONE_QUBIT * turns < one)


def _is_no_turn(angle: object, part: float) -> bool:
    """Whether an angle is a multiple of 2 pi, or of that part of it."""
    return isinstance(angle, int | float) and abs(sin(part * angle / 2)) < _TOLERANCE

"""The ideal distribution of a circuit with conditions: every course it can take is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import Native
from iqm_spec.stages.aer.bits import Bits
from iqm_spec.stages.aer.dense import Dense
from iqm_spec.stages.aer.shape import shape_of_skeleton

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Amplitudes = NDArray[np.complex128]
    Integers = NDArray[np.int64]

MOST_NUMBERS = 2**20
"""Amplitudes of all branches together: 16 MiB, some ten milliseconds per instruction."""
_MOST_BITS = 20
_IMPOSSIBLE = 1e-24
TOO_MANY = "measured midway and conditional in too many ways for an ideal distribution"


@frozen
class _Branches:
    """Unnormalized states, axis 0 of which counts branches, and the bits of each as an integer."""

    states: Amplitudes
    bits: Integers


def follow(native: Native) -> Dense | str:
    """The distribution of the bits that are measured, or why there is none; MOVEs are undone."""
    import numpy as np

    circuit = native.circuit()
    pairs = shape_of_skeleton(native.template).measured
    width = len(circuit.components)
    if len(pairs) > _MOST_BITS or 2**width > MOST_NUMBERS or circuit.num_clbits > 62:
        return TOO_MANY
    states = np.zeros((1, *(2,) * width), dtype=complex)
    states[(0,) * (width + 1)] = 1
    branches = _Branches(states, np.zeros(1, dtype=np.int64))
    for op in circuit.ops:
        branches = _after(branches, op)
        if branches.states.size > MOST_NUMBERS:
            return TOO_MANY
    return _distribution(branches, circuit, tuple(bit for bit, _ in pairs))


def _distribution(branches: _Branches, circuit: NativeCircuit, clbits: tuple[int, ...]) -> Dense:
    import numpy as np

    outcomes = np.zeros(len(branches.bits), dtype=np.int64)
    for j, clbit in enumerate(clbits):
        outcomes |= (branches.bits >> clbit & 1) << j
    weights = _weights(branches.states)
    probabilities = np.bincount(outcomes, weights, minlength=2 ** len(clbits))
    return Dense(Bits(circuit.registers, clbits), probabilities / probabilities.sum())


def _after(branches: _Branches, op: Op) -> _Branches:
    match op.name:
        case "r":
            return _Branches(_turned(branches.states, op), branches.bits)
        case "cc_r":
            return _conditional(branches, op)
        case "cz":
            states = branches.states.copy()
            states[_where(states, dict.fromkeys(op.qubits, 1))] *= -1
            return _Branches(states, branches.bits)
        case "measure":
            return _split(branches, op.qubits[0], op.clbits[0])
        case "reset":
            return _split(branches, op.qubits[0], None)
        case "barrier" | "delay":
            return branches
    raise ValueError(f"{op.name} has no place in an ideal circuit without MOVEs")


def _where(states: Amplitudes, values: dict[int, int]) -> tuple[Any, ...]:
    """The index of the amplitudes in which these qubits have these values."""
    return tuple(values.get(axis - 1, slice(None)) for axis in range(states.ndim))


def _turned(states: Amplitudes, op: Op) -> Amplitudes:
    import numpy as np

    (qubit,), (theta, phi) = op.qubits, op.params
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    zero, one = (states[_where(states, {qubit: value})] for value in (0, 1))
    turn = np.exp(1j * phi)
    return np.stack([c * zero - 1j * s / turn * one, c * one - 1j * s * turn * zero], qubit + 1)


def _conditional(branches: _Branches, op: Op) -> _Branches:
    played = branches.bits >> op.clbits[0] & 1 == 1
    states = branches.states.copy()
    states[played] = _turned(states[played], op)
    return _Branches(states, branches.bits)


def _split(branches: _Branches, qubit: int, clbit: int | None) -> _Branches:
    """Each branch as its two outcomes, written to a bit; without one the qubit is reset."""
    import numpy as np

    found, bits = [], []
    for value in (0, 1):
        states = np.zeros_like(branches.states)
        to = value if clbit is not None else 0
        states[_where(states, {qubit: to})] = branches.states[_where(states, {qubit: value})]
        possible = _weights(states) > _IMPOSSIBLE
        found.append(states[possible])
        kept = branches.bits[possible]
        if clbit is not None:
            kept = kept & ~np.int64(1 << clbit) | np.int64(value << clbit)
        bits.append(kept)
    return _Branches(np.concatenate(found), np.concatenate(bits))


def _weights(states: Amplitudes) -> Any:
    import numpy as np

    flat = states.reshape(len(states), -1)
    return np.einsum("ij,ij->i", flat.real, flat.real) + np.einsum("ij,ij->i", flat.imag, flat.imag)

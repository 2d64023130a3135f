"""Exact outcomes of small dynamic circuits by following every branch: shares no code with ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from iqm_spec.model import NativeCircuit

State = NDArray[np.complex128]
Branch = tuple[State, tuple[int, ...]]
"""An unnormalized state, axis i of which is qubit i, with the classical bits."""
Outcomes = dict[tuple[int, ...], float]

_LEAST = 1e-13


def outcomes_of_circuit(circuit: QuantumCircuit) -> Outcomes:
    """Probabilities of a circuit's classical bits."""
    place = {bit: i for i, bit in enumerate(circuit.clbits)}
    qubits = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    start = _start(circuit.num_qubits, circuit.num_clbits)
    return _collected(_followed(circuit, [start], qubits, place))


def _followed(
    circuit: QuantumCircuit, branches: list[Branch], qubits: dict[Any, int], place: dict[Any, int]
) -> list[Branch]:
    for item in circuit.data:
        where = [qubits[qubit] for qubit in item.qubits]
        name = item.operation.name
        if name in ("barrier", "delay"):
            continue
        if name == "measure":
            bit = place[item.clbits[0]]
            branches = _each(branches, lambda b, w=where[0], c=bit: _measured(b, w, c))
        elif name == "reset":
            branches = _each(branches, lambda b, w=where[0]: _reset(b, w))
        elif name == "if_else":
            branches = _each(branches, lambda b, i=item: _chosen(b, i, qubits, place))
        else:
            matrix = Operator(item.operation).data
            branches = _each(branches, lambda b, m=matrix, w=where: [(_apply(b[0], m, w), b[1])])
    return branches


def _chosen(
    branch: Branch, item: Any, qubits: dict[Any, int], place: dict[Any, int]
) -> list[Branch]:
    what, wanted = item.operation.condition
    listed = list(what) if hasattr(what, "size") else [what]
    value = sum(branch[1][place[bit]] << i for i, bit in enumerate(listed))
    blocks = item.operation.blocks
    chosen = 0 if value == int(wanted) else 1
    if chosen >= len(blocks):
        return [branch]
    body = blocks[chosen]
    inner_qubits = {q: qubits[o] for q, o in zip(body.qubits, item.qubits, strict=True)}
    inner_bits = {c: place[o] for c, o in zip(body.clbits, item.clbits, strict=True)}
    return _followed(body, [branch], inner_qubits, inner_bits)


def outcomes_of_native(native: NativeCircuit) -> Outcomes:
    """Probabilities of a native circuit's classical bits; MOVEs swap."""
    swap = np.eye(4)[[0, 2, 1, 3]]
    cz = np.diag([1, 1, 1, -1])
    branches = [_start(len(native.components), native.num_clbits)]
    for op in native.ops:
        where = list(op.qubits)
        if op.name == "measure":
            branches = _each(branches, lambda b, o=op: _measured(b, o.qubits[0], o.clbits[0]))
        elif op.name == "reset":
            branches = _each(branches, lambda b, o=op: _reset(b, o.qubits[0]))
        elif op.name == "cc_r":
            turn = _rotation(*op.params)
            branches = _each(
                branches,
                lambda b, o=op, m=turn: (
                    [(_apply(b[0], m, list(o.qubits)), b[1])] if b[1][o.clbits[0]] else [b]
                ),
            )
        elif op.name in ("r", "cz", "move"):
            matrix = {"cz": cz, "move": swap}.get(op.name)
            matrix = _rotation(*op.params) if matrix is None else matrix
            branches = _each(branches, lambda b, m=matrix, w=where: [(_apply(b[0], m, w), b[1])])
    return _collected(branches)


def distance(one: Mapping[Any, float], other: Mapping[Any, float]) -> float:
    """Total variation distance."""
    return sum(abs(one.get(key, 0) - other.get(key, 0)) for key in {*one, *other}) / 2


def _start(qubits: int, bits: int) -> Branch:
    state = np.zeros((2,) * qubits, dtype=complex)
    state[(0,) * qubits] = 1
    return state, (0,) * bits


def _each(branches: list[Branch], step: Callable[[Branch], list[Branch]]) -> list[Branch]:
    return [after for branch in branches for after in step(branch)]


def _parts(state: State, qubit: int) -> Iterator[tuple[int, State]]:
    for value in (0, 1):
        part = np.zeros_like(state)
        index: list[Any] = [slice(None)] * state.ndim
        index[qubit] = value
        part[tuple(index)] = state[tuple(index)]
        if np.vdot(part, part).real > _LEAST:
            yield value, part


def _measured(branch: Branch, qubit: int, bit: int) -> list[Branch]:
    state, bits = branch
    return [(part, (*bits[:bit], v, *bits[bit + 1 :])) for v, part in _parts(state, qubit)]


def _reset(branch: Branch, qubit: int) -> list[Branch]:
    state, bits = branch
    return [(np.flip(part, qubit) if v else part, bits) for v, part in _parts(state, qubit)]


def _rotation(theta: float, phi: float) -> State:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[c, -1j * np.exp(-1j * phi) * s], [-1j * np.exp(1j * phi) * s, c]])


def _apply(state: State, matrix: Any, qubits: list[int]) -> State:
    """A matrix whose lowest index is the first of `qubits`, as in Qiskit."""
    n = len(qubits)
    axes = qubits[::-1]
    tensor = np.asarray(matrix, dtype=complex).reshape((2,) * (2 * n))
    moved = np.tensordot(tensor, state, axes=(range(n, 2 * n), axes))
    return np.moveaxis(moved, range(n), axes)


def _collected(branches: list[Branch]) -> Outcomes:
    found: Outcomes = {}
    for state, bits in branches:
        found[bits] = found.get(bits, 0.0) + np.vdot(state, state).real
    return found

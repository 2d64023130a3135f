"""The exact distribution of a circuit's classical bits, by a small simulator of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit import QuantumCircuit

Distribution = dict[str, float]


def distribution(circuit: QuantumCircuit) -> Distribution:
    """Probability of every outcome, highest classical bit first, bits unmeasured at 0.

    Branches on measurements in mid-circuit and on resets, reads the last ones off at the end.
    """
    qubits = {bit: i for i, bit in enumerate(circuit.qubits)}
    clbits = {bit: i for i, bit in enumerate(circuit.clbits)}
    state = np.zeros((2,) * circuit.num_qubits, complex)
    state[(0,) * circuit.num_qubits] = 1
    branches = [(state, "0" * circuit.num_clbits)]
    last = _last_measures(circuit)
    final: list[tuple[int, int]] = []
    for place, item in enumerate(circuit.data):
        wires = [qubits[bit] for bit in item.qubits]
        name = item.operation.name
        if name in ("barrier", "delay", "id"):
            continue
        if place in last:
            final.append((wires[0], clbits[item.clbits[0]]))
        elif name == "measure":
            branches = _measured(branches, wires[0], clbits[item.clbits[0]])
        elif name == "reset":
            branches = _reset(branches, wires[0])
        else:
            matrix = _matrix(item.operation)
            branches = [(_applied(state, matrix, wires), bits) for state, bits in branches]
    return _read(branches, final)


def distance(left: Distribution, right: Distribution) -> float:
    """Total variation distance."""
    return sum(abs(left.get(k, 0) - right.get(k, 0)) for k in {*left, *right}) / 2


def _matrix(operation: Any) -> Any:
    from qiskit.quantum_info import Operator

    return Operator(operation).data


def _last_measures(circuit: QuantumCircuit) -> set[int]:
    used: set[Any] = set()
    found = set()
    for place, item in reversed(list(enumerate(circuit.data))):
        if item.operation.name == "measure" and not used & {*item.qubits, *item.clbits}:
            found.add(place)
        if item.operation.name != "barrier":
            used |= {*item.qubits, *item.clbits}
    return found


def _applied(state: Any, matrix: Any, wires: list[int]) -> Any:
    """Qiskit's matrices count their first qubit as the lowest bit."""
    size = len(wires)
    tensor = matrix.reshape((2,) * (2 * size))
    axes = wires[::-1]
    moved = np.tensordot(tensor, state, axes=(range(size, 2 * size), axes))
    return np.moveaxis(moved, range(size), axes)


def _projected(state: Any, wire: int, value: int) -> Any:
    kept = np.zeros_like(state)
    place = (slice(None),) * wire + (value,)
    kept[place] = state[place]
    return kept


def _measured(branches: list[Any], wire: int, clbit: int) -> list[Any]:
    found = []
    for state, bits in branches:
        for value in (0, 1):
            kept = _projected(state, wire, value)
            if np.vdot(kept, kept).real > 1e-14:
                found.append((kept, _with(bits, clbit, value)))
    return found


def _reset(branches: list[Any], wire: int) -> list[Any]:
    flip = np.array([[0, 1], [1, 0]])
    found = []
    for state, bits in branches:
        for value in (0, 1):
            kept = _projected(state, wire, value)
            if np.vdot(kept, kept).real > 1e-14:
                found.append((_applied(kept, flip, [wire]) if value else kept, bits))
    return found


def _with(bits: str, clbit: int, value: int) -> str:
    place = len(bits) - 1 - clbit
    return bits[:place] + str(value) + bits[place + 1 :]


def _read(branches: list[Any], final: list[tuple[int, int]]) -> Distribution:
    found: Distribution = {}
    for state, bits in branches:
        chances = np.abs(state) ** 2
        kept = [wire for wire, _ in final]
        gone = tuple(set(range(state.ndim)) - set(kept))
        chances = chances.sum(axis=gone)
        order = sorted(kept)
        for place in zip(*np.nonzero(chances > 1e-15), strict=True) if final else [()]:
            outcome = bits
            for wire, clbit in final:
                outcome = _with(outcome, clbit, int(place[order.index(wire)]))
            found[outcome] = found.get(outcome, 0.0) + float(chances[place])
    return found

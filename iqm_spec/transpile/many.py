"""From circuits to native circuits: check, route, fuse, move, name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture
from iqm_spec.transpile.conditions import lower
from iqm_spec.transpile.fuse import fuse
from iqm_spec.transpile.moves import insert_moves
from iqm_spec.transpile.options import TranspileOptions, options_from
from iqm_spec.transpile.read import (
    check_circuit,
    measures_last,
    physical_layout,
    read_ops,
    registers_of,
)
from iqm_spec.transpile.route import route
from iqm_spec.transpile.verbatim import verbatim

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def transpile_many(
    circuits: Sequence[QuantumCircuit],
    architecture: Architecture,
    options: Mapping[str, Json],
    layouts: Sequence[tuple[str, ...] | None],
) -> list[NativeCircuit]:
    """Each circuit on the machine, with the physical names of its qubits in `layouts` or None.

    Every result depends on its own circuit, layout and the options alone, never on the others.
    `Refused` says what cannot be done: too many qubits, control flow or a reset the machine lacks.
    """
    chosen = options_from(options)
    return [
        _native(circuit, architecture, chosen, layout)
        for circuit, layout in zip(circuits, layouts, strict=True)
    ]


def transpile(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: Mapping[str, Json] | None = None,
    layout: tuple[str, ...] | None = None,
) -> NativeCircuit:
    """One circuit on the machine; see `transpile_many`."""
    return transpile_many([circuit], architecture, options or {}, [layout])[0]


def _native(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: TranspileOptions,
    layout: tuple[str, ...] | None,
) -> NativeCircuit:
    if options.verbatim:
        return verbatim(circuit, architecture, layout)
    layout = physical_layout(circuit, architecture, layout)
    check_circuit(circuit, architecture, layout)
    registers, places = registers_of(circuit)
    routed = route(lower(circuit), architecture, options, layout)
    ops = fuse(read_ops(routed, places))
    return named(measures_last(insert_moves(ops, architecture)), architecture, registers)


def named(
    ops: Sequence[Op], architecture: Architecture, registers: tuple[tuple[str, int], ...]
) -> NativeCircuit:
    """`ops` on the components in use, in the machine's order; a barrier alone uses nothing."""
    used = sorted({i for op in ops if op.name != "barrier" for i in op.qubits})
    place = {i: new for new, i in enumerate(used)}
    kept = []
    for op in ops:
        qubits = tuple(place[i] for i in op.qubits if i in place)
        if qubits:
            kept.append(Op(op.name, qubits, op.params, op.clbits))
    return NativeCircuit(tuple(architecture.components[i] for i in used), registers, tuple(kept))

"""Circuits to native circuits: check, route, fuse, insert MOVEs; and what gets lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sin
from typing import TYPE_CHECKING

from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture, ErrorProfile
from iqm_spec.transpile.conditional_pulses import lower_conditionals
from iqm_spec.transpile.fuse import fuse
from iqm_spec.transpile.moves import insert_moves
from iqm_spec.transpile.qiskit_circuits import (
    check_circuit,
    measures_last,
    physical_layout,
    read_ops,
    registers_of,
)
from iqm_spec.transpile.route import TranspileOptions, options_from, route
from iqm_spec.transpile.verbatim import verbatim

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def transpile_many(
    circuits: Sequence[QuantumCircuit],
    architecture: Architecture,
    options: Mapping[str, Json],
    layouts: Sequence[tuple[str, ...] | None],
    errors: ErrorProfile | None = None,
) -> list[NativeCircuit]:
    """The native circuit of each circuit; `layouts` holds physical names of its qubits, or None.

    With `errors` routing prefers good couplings. A result depends on its own circuit, layout, the
    options and errors only, never on other circuits.
    Raises `Refused`: too many qubits, control flow, or a reset that the target lacks.
    """
    parsed_options = options_from(options)
    return [
        _transpile(circuit, architecture, parsed_options, layout, errors)
        for circuit, layout in zip(circuits, layouts, strict=True)
    ]


def transpile(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: Mapping[str, Json] | None = None,
    layout: tuple[str, ...] | None = None,
    errors: ErrorProfile | None = None,
) -> NativeCircuit:
    """The native circuit of a single circuit; see `transpile_many`."""
    return transpile_many([circuit], architecture, options or {}, [layout], errors)[0]


def _transpile(
    circuit: QuantumCircuit,
    architecture: Architecture,
    options: TranspileOptions,
    layout: tuple[str, ...] | None,
    errors: ErrorProfile | None,
) -> NativeCircuit:
    if options.verbatim:
        return verbatim(circuit, architecture, layout)
    layout = physical_layout(circuit, architecture, layout)
    check_circuit(circuit, architecture, layout)
    registers, places = registers_of(circuit)
    routed = route(lower_conditionals(circuit), architecture, options, layout, errors)
    ops = fuse(read_ops(routed, places))
    return on_used_components(
        measures_last(insert_moves(ops, architecture)), architecture, registers
    )


def on_used_components(
    ops: Sequence[Op], architecture: Architecture, registers: tuple[tuple[str, int], ...]
) -> NativeCircuit:
    """`ops` on the components in use, in the target's order; a barrier alone uses none."""
    used = sorted({i for op in ops if op.name != "barrier" for i in op.qubits})
    place = {i: new for new, i in enumerate(used)}
    placed = []
    for op in ops:
        qubits = tuple(place[i] for i in op.qubits if i in place)
        if qubits:
            placed.append(Op(op.name, qubits, op.params, op.clbits))
    return NativeCircuit(tuple(architecture.components[i] for i in used), registers, tuple(placed))


GateNumbers = tuple[int, int]
"""Numbers of gates on several qubits and on one."""

_ABOUT_Z = frozenset({"rz", "p", "z", "s", "sdg", "t", "tdg", "u1", "id"})
"""Virtual gates: never played on IQM's quantum computers."""
_RENAMINGS = frozenset({"swap", "permutation"})
_LOCAL_AT_HALF_TURNS = frozenset({"rxx", "ryy", "rzz", "rzx"})
"""At multiples of pi these are single-qubit gates."""
_NO_GATES = frozenset({"barrier", "delay", "measure", "reset"})

_TOLERANCE = 1e-9
_MANY, _FEW = 16, 2
"""A loss counts where at least `_MANY` gates become less than half, or `_FEW` become none."""
_ONE_QUBIT = 8
"""Fusion always shortens single-qubit gates: a loss is less than an eighth of them."""


def gate_numbers(circuit: QuantumCircuit) -> GateNumbers:
    """Numbers of gates of a circuit before transpilation, without gates that only rename qubits."""
    num_wide = num_single = 0
    for item in circuit.data:
        name = item.operation.name
        if name in _NO_GATES or name in _RENAMINGS or hasattr(item.operation, "blocks"):
            continue
        part = 2.0 if name in _LOCAL_AT_HALF_TURNS else 1.0
        if item.params and all(_is_full_turn(angle, part) for angle in item.params):
            continue
        if len(item.qubits) > 1:
            num_wide += 1
        else:
            num_single += name not in _ABOUT_Z
    return num_wide, num_single


def collapses(written: GateNumbers, native: Mapping[str, int]) -> bool:
    """Whether transpilation removed so many gates that the user should know.

    The circuit may then not be what was meant. `native` holds native gate counts.
    """
    num_wide, num_single = written
    num_cz, num_r = native.get("cz", 0), native.get("r", 0)
    if num_wide >= _FEW and num_cz == 0:
        return True
    wide_lost = num_wide >= _MANY and 2 * num_cz < num_wide
    return wide_lost or (num_single >= _MANY and _ONE_QUBIT * num_r < num_single)


def _is_full_turn(angle: object, part: float) -> bool:
    """Whether an angle is a multiple of 2 pi / part."""
    return isinstance(angle, int | float) and abs(sin(part * angle / 2)) < _TOLERANCE

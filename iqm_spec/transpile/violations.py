"""Rules of a target that a native circuit breaks; none for circuits that are stored or sent."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture, features
from iqm_spec.transpile.measurement_order import lost_writes

_SHAPES = {
    "r": (1, 2, 0),
    "cz": (2, 0, 0),
    "move": (2, 0, 0),
    "cc_r": (1, 2, 1),
    "measure": (1, 0, 1),
    "reset": (1, 0, 0),
    "delay": (1, 1, 0),
}
"""Numbers of components, parameters and classical bits of each instruction."""


def violations(native: NativeCircuit, architecture: Architecture) -> list[str]:
    """Every rule that `native` breaks on the target, in circuit order; empty where it can run.

    Instructions are native and on calibrated loci (a CZ in either order). A state moved into a
    resonator returns to its qubit, and meanwhile nothing acts on that qubit. No outcome is
    overwritten by that of another qubit, which would depend on the order of simultaneous steps.
    """
    broken = [
        f"{name} is no component of {architecture.alias}"
        for name in native.components
        if name not in architecture.components
    ]
    if len(set(native.components)) < len(native.components):
        broken.append("a component is named twice")
    moved: dict[str, str] = {}
    written: set[int] = set()
    for i, op in enumerate(native.ops):
        if problem := _operand_problem(op, native) or _locus_problem(
            op, native, architecture, moved
        ):
            broken.append(f"instruction {i} ({op.name}): {problem}")
        elif op.name == "measure":
            written.update(op.clbits)
        elif op.name == "cc_r" and not written.issuperset(op.clbits):
            broken.append(f"instruction {i} ({op.name}): reads a bit that nothing has written")
    broken += [f"{qubit} is left in {resonator}" for resonator, qubit in moved.items()]
    return broken + list(_overwritten(native))


def _overwritten(native: NativeCircuit) -> Iterator[str]:
    """Measurements whose outcome is overwritten unread and whose qubit is not used again."""
    names = [  # `_operand_problem` reports malformed measurements
        "malformed" if op.name == "measure" and _counts(op) != _SHAPES["measure"] else op.name
        for op in native.ops
    ]
    steps = [(name, op.qubits, op.clbits) for name, op in zip(names, native.ops, strict=True)]
    for i, later in lost_writes(steps).items():
        yield f"instruction {i} (measure): instruction {later} writes the same bit"


def _counts(op: Op) -> tuple[int, int, int]:
    return len(op.qubits), len(op.params), len(op.clbits)


def _operand_problem(op: Op, native: NativeCircuit) -> str:
    if op.name != "barrier" and _counts(op) != _SHAPES.get(op.name):
        return "not an instruction with these operands" if op.name in _SHAPES else "not native"
    if not all(0 <= qubit < len(native.components) for qubit in op.qubits):
        return "acts on a component that is not there"
    if not all(0 <= bit < native.num_clbits for bit in op.clbits):
        return f"{'reads' if op.name == 'cc_r' else 'writes'} a classical bit that is not there"
    if not all(map(isfinite, op.params)) or (op.name == "delay" and op.params[0] < 0):
        return f"has the parameters {op.params}"
    return "" if len(set(op.qubits)) == len(op.qubits) else "acts on a component twice"


def _locus_problem(
    op: Op, native: NativeCircuit, architecture: Architecture, moved: dict[str, str]
) -> str:
    locus = tuple(native.components[qubit] for qubit in op.qubits)
    where = ", ".join(locus)
    if not is_calibrated(op.name, locus, architecture):
        return f"{architecture.alias} has none on {where}"
    if op.name == "move":
        # `moved` has the qubit whose state each resonator holds
        qubit = locus[0]
        resonator = locus[1]
        if moved.get(resonator) == qubit:
            del moved[resonator]
            return ""
        if resonator in moved:
            return f"{resonator} already holds the state of {moved[resonator]}"
        if qubit in moved.values():
            return f"the state of {qubit} is in another resonator"
        moved[resonator] = qubit
        return ""
    if op.name == "barrier":
        return ""
    if away := sorted(set(locus) & set(moved.values())):
        return f"acts on {where} while the state of {away[0]} is in a resonator"
    if empty := [name for name in locus if name in architecture.resonators and name not in moved]:
        return f"acts on {empty[0]}, which holds no state"
    return ""


def is_calibrated(name: str, locus: tuple[str, ...], architecture: Architecture) -> bool:
    """Whether the target can do the instruction `name` on these components."""
    if name == "barrier":
        return True
    if name == "delay":
        return locus[0] in architecture.qubits
    if name == "reset":
        return "reset" in features(architecture) and (
            architecture.has("reset", locus) or architecture.has("cc_prx", locus)
        )
    return architecture.has(name, locus)

"""What the machine could not do of a native circuit: nothing, for all that is stored or sent."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import Architecture, features
from iqm_spec.transpile.writes import lost_writes

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
    """Every rule that `native` breaks on the machine, in circuit order; empty where it can run.

    Instructions are native and on loci that exist (a CZ either way round); a state moved into a
    resonator comes back to its qubit, and meanwhile nothing is done to that qubit; no outcome is
    overwritten by that of another qubit, which would depend on the order of what can run at once.
    """
    found = [
        f"{name} is no component of {architecture.alias}"
        for name in native.components
        if name not in architecture.components
    ]
    if len(set(native.components)) < len(native.components):
        found.append("a component is named twice")
    held: dict[str, str] = {}
    written: set[int] = set()
    for i, op in enumerate(native.ops):
        if problem := _shape(op, native) or _place(op, native, architecture, held):
            found.append(f"instruction {i} ({op.name}): {problem}")
        elif op.name == "measure":
            written.update(op.clbits)
        elif op.name == "cc_r" and not written.issuperset(op.clbits):
            found.append(f"instruction {i} ({op.name}): reads a bit that nothing has written")
    found += [f"{qubit} is left in {resonator}" for resonator, qubit in held.items()]
    return found + list(_lost_writes(native))


def _lost_writes(native: NativeCircuit) -> Iterator[str]:
    """Measurements whose outcome is overwritten unread, their qubit being done with."""
    names = [  # a measurement that is none is told by its shape
        "malformed" if op.name == "measure" and _counts(op) != _SHAPES["measure"] else op.name
        for op in native.ops
    ]
    steps = [(name, op.qubits, op.clbits) for name, op in zip(names, native.ops, strict=True)]
    for i, later in lost_writes(steps).items():
        yield f"instruction {i} (measure): instruction {later} writes the same bit"


def _counts(op: Op) -> tuple[int, int, int]:
    return len(op.qubits), len(op.params), len(op.clbits)


def _shape(op: Op, native: NativeCircuit) -> str:
    if op.name != "barrier" and _counts(op) != _SHAPES.get(op.name):
        return "not an instruction with these operands" if op.name in _SHAPES else "not native"
    if not all(0 <= qubit < len(native.components) for qubit in op.qubits):
        return "acts on a component that is not there"
    if not all(0 <= bit < native.num_clbits for bit in op.clbits):
        return f"{'reads' if op.name == 'cc_r' else 'writes'} a classical bit that is not there"
    if not all(map(isfinite, op.params)) or (op.name == "delay" and op.params[0] < 0):
        return f"has the parameters {op.params}"
    return "" if len(set(op.qubits)) == len(op.qubits) else "acts on a component twice"


def _place(op: Op, native: NativeCircuit, architecture: Architecture, held: dict[str, str]) -> str:
    locus = tuple(native.components[qubit] for qubit in op.qubits)
    where = ", ".join(locus)
    if not _there(op.name, locus, architecture):
        return f"{architecture.alias} has none on {where}"
    if op.name == "move":
        return _move(locus[0], locus[1], held)
    if op.name == "barrier":
        return ""
    if away := sorted(set(locus) & set(held.values())):
        return f"acts on {where} while the state of {away[0]} is in a resonator"
    if empty := [name for name in locus if name in architecture.resonators and name not in held]:
        return f"acts on {empty[0]}, which holds no state"
    return ""


def _there(name: str, locus: tuple[str, ...], architecture: Architecture) -> bool:
    if name == "barrier":
        return True
    if name == "delay":
        return locus[0] in architecture.qubits
    if name == "reset":
        return "reset" in features(architecture) and (
            architecture.has("reset", locus) or architecture.has("cc_prx", locus)
        )
    return architecture.has(name, locus)


def _move(qubit: str, resonator: str, held: dict[str, str]) -> str:
    """Checks one MOVE and records it in `held` (resonator to the qubit whose state it holds)."""
    if held.get(resonator) == qubit:
        del held[resonator]
        return ""
    if resonator in held:
        return f"{resonator} already holds the state of {held[resonator]}"
    if qubit in held.values():
        return f"the state of {qubit} is in another resonator"
    held[resonator] = qubit
    return ""

"""Transpiled circuits in the results folder: templates, and angles with the template of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from iqm_spec.errors import StoreCorrupt
from iqm_spec.model import CIRCUIT_FORMAT, NativeCircuit, Op
from iqm_spec.native import Native, Template
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store import PackedRecord, Store
from iqm_spec.store.records import CIRCUITS, TEMPLATES, CircuitRecord, TemplateRecord

_READ_AT_ONCE = 5000


def keep_natives(store: Store, natives: Mapping[str, Native]) -> set[str]:
    """Stores circuits by their keys; returns the digests of their packs."""
    templates = {native.template.digest: native.template for native in natives.values()}
    return {
        store.put_pack(
            TEMPLATES,
            {},
            (
                {"key": digest, "circuit": template.to_json()}
                for digest, template in templates.items()
            ),
        ),
        store.put_pack(
            CIRCUITS,
            {},
            (
                CircuitRecord(key, native.template.digest, native.angles, native.written)
                for key, native in natives.items()
            ),
        ),
    }


def stored_natives(
    store: Store, keys: Iterable[str], within: Collection[str] | None = None
) -> Iterator[tuple[str, Native, set[str]]]:
    """Those of the circuits that the folder has, each with its key and the packs that hold it."""
    all_keys = list(keys)
    for start in range(0, len(all_keys), _READ_AT_ONCE):
        circuits = store.find(CIRCUITS, all_keys[start : start + _READ_AT_ONCE], within=within)
        named = {circuit.record.skeleton for circuit in circuits.values()}
        templates = store.find(TEMPLATES, named, within=within)
        known = {digest: _template(stored) for digest, stored in templates.items()}
        for key, circuit in circuits.items():
            digest = circuit.record.skeleton
            if digest in known:
                template, angles = known[digest], tuple(map(float, circuit.record.angles))
                if len(angles) != 2 * template.num_rotations:
                    turns = count(template.num_rotations, "turn")
                    raise _unreadable(circuit, f"{len(angles)} angles for {turns}")
                native = Native(template, angles, circuit.record.written)
                yield key, native, {circuit.digest, templates[digest].digest}


def natives_of(store: Store, plan: Plan, points: Iterable[PlannedPoint]) -> dict[str, Native]:
    """The transpiled circuits of `points` of a plan by their keys; StoreCorrupt where missing."""
    keys = {point.circuit_key for point in points}
    natives = {key: plan.unkept[key] for key in keys & plan.unkept.keys()}
    packs = frozenset(plan.header.circuits)
    stored = stored_natives(store, keys - natives.keys(), within=packs)
    natives |= {key: native for key, native, _ in stored}
    if missing := len(keys) - len(natives):
        raise StoreCorrupt(
            f"{count(missing, 'transpiled circuit')} of plan {plan.digest[:12]} cannot be found",
            hint="`iqm-spec run SPEC --replan` makes them again",
        )
    return natives


def circuits_of(
    store: Store, plan: Plan, points: Iterable[PlannedPoint]
) -> dict[str, NativeCircuit]:
    """As `natives_of`, with their angles filled in."""
    return {key: native.circuit() for key, native in natives_of(store, plan, points).items()}


def _template(stored: PackedRecord[TemplateRecord]) -> Template:
    """A stored template; StoreCorrupt where its instructions are not valid."""
    circuit = stored.record.circuit
    if circuit.format != CIRCUIT_FORMAT:
        raise _unreadable(stored, f"unknown circuit format {circuit.format!r}")
    qubits, bits = len(circuit.components), sum(size for _, size in circuit.registers)
    measured: set[int] = set()
    for op in circuit.ops:
        if op.name == "cc_r" and (len(op.params) != 2 or not measured.issuperset(op.clbits)):
            why = "`cc_r` has no two angles, or reads a bit that nothing has written"
            raise _unreadable(stored, why)
        if op.name == "measure":
            measured.update(op.clbits)
        if any(at >= qubits for at in op.qubits) or any(at >= bits for at in op.clbits):
            raise _unreadable(stored, f"`{op.name}` acts where the circuit has no qubit or bit")
        if len(op.qubits) != _QUBITS.get(op.name, len(op.qubits)):
            raise _unreadable(stored, f"`{op.name}` acts on {count(len(op.qubits), 'qubit')}")
    ops = (Op(op.name, op.qubits, tuple(map(float, op.params)), op.clbits) for op in circuit.ops)
    return Template(NativeCircuit(circuit.components, circuit.registers, tuple(ops)))


_QUBITS = {"r": 1, "cc_r": 1, "cz": 2, "move": 2, "measure": 1}
"""Number of qubits by instruction."""


def _unreadable(
    stored: PackedRecord[CircuitRecord] | PackedRecord[TemplateRecord], why: str
) -> StoreCorrupt:
    return StoreCorrupt(
        f"the circuit {stored.record.key} in the object {stored.digest} cannot be read: {why}",
        hint="`iqm-spec verify` reports what else is wrong",
    )

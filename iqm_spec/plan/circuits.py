"""Transpiled circuits in the folder: skeletons, and angles that name theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.model import CIRCUIT_FORMAT, NativeCircuit, Op
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.skeleton import Native, Skeleton
from iqm_spec.store import Found, Store
from iqm_spec.store.records import CIRCUITS, TEMPLATES, CircuitRecord, TemplateRecord

_READ_AT_ONCE = 5000


def keep_natives(store: Store, natives: Mapping[str, Native]) -> set[str]:
    """Stores circuits by their asks; returns the digests of the packs that hold them."""
    skeletons = {native.skeleton.digest: native.skeleton for native in natives.values()}
    return {
        store.put_pack(
            TEMPLATES, {}, ({"key": d, "circuit": s.to_json()} for d, s in skeletons.items())
        ),
        store.put_pack(CIRCUITS, {}, (_line(ask, native) for ask, native in natives.items())),
    }


def stored_natives(
    store: Store, asks: Iterable[str], within: Collection[str] | None = None
) -> Iterator[tuple[str, Native, set[str]]]:
    """Those of the circuits asked for that the folder has, each with the packs that hold it."""
    listed = list(asks)
    for start in range(0, len(listed), _READ_AT_ONCE):
        found = store.find(CIRCUITS, listed[start : start + _READ_AT_ONCE], within=within)
        wanted = {item.record.skeleton for item in found.values()}
        skeletons = store.find(TEMPLATES, wanted, within=within)
        known = {digest: _skeleton(item) for digest, item in skeletons.items()}
        for ask, item in found.items():
            name = item.record.skeleton
            if name in known:
                native = _native(known[name], item)
                yield ask, native, {item.digest, skeletons[name].digest}


def natives_of(store: Store, plan: Plan, points: Iterable[PlannedPoint]) -> dict[str, Native]:
    """The transpiled circuits of `points` of a plan, by their asks; StoreCorrupt where lost."""
    asks = {point.ask for point in points}
    found = {ask: plan.unkept[ask] for ask in asks & plan.unkept.keys()}
    packs = frozenset(plan.header.circuits)
    stored = stored_natives(store, asks - found.keys(), within=packs)
    found |= {ask: native for ask, native, _ in stored}
    if lost := len(asks) - len(found):
        raise StoreCorrupt(
            f"{count(lost, 'transpiled circuit')} of plan {plan.digest[:12]} cannot be found",
            hint="`iqm-spec run SPEC --replan` makes them again",
        )
    return found


def circuits_of(
    store: Store, plan: Plan, points: Iterable[PlannedPoint]
) -> dict[str, NativeCircuit]:
    """As `natives_of`, the circuits whole."""
    return {ask: native.circuit() for ask, native in natives_of(store, plan, points).items()}


def _line(ask: str, native: Native) -> Mapping[str, Json]:
    written: dict[str, Json] = {} if native.written is None else {"written": list(native.written)}
    angles = list(native.angles)
    return {"key": ask, "skeleton": native.skeleton.digest, "angles": angles, **written}


def _skeleton(found: Found[TemplateRecord]) -> Skeleton:
    stored = found.record.circuit
    if stored.format != CIRCUIT_FORMAT:
        raise _unreadable(found, f"unknown circuit format {stored.format!r}")
    bare = NativeCircuit(
        stored.components,
        stored.registers,
        tuple(Op(op.name, op.qubits, tuple(map(float, op.params)), op.clbits) for op in stored.ops),
    )
    qubits, bits = len(bare.components), sum(size for _, size in bare.registers)
    written: set[int] = set()
    for op in bare.ops:
        if op.name == "cc_r" and (len(op.params) != 2 or not written.issuperset(op.clbits)):
            raise _unreadable(found, "`cc_r` has no two angles, or reads what nothing has written")
        if op.name == "measure":
            written.update(op.clbits)
        if any(at >= qubits for at in op.qubits) or any(at >= bits for at in op.clbits):
            raise _unreadable(found, f"`{op.name}` acts where the circuit has no qubit or bit")
        if len(op.qubits) != _QUBITS.get(op.name, len(op.qubits)):
            raise _unreadable(found, f"`{op.name}` acts on {count(len(op.qubits), 'qubit')}")
    return Skeleton(bare)


_QUBITS = {"r": 1, "cc_r": 1, "cz": 2, "move": 2, "measure": 1}
"""Instructions that act on so many."""


def _native(skeleton: Skeleton, found: Found[CircuitRecord]) -> Native:
    angles = tuple(map(float, found.record.angles))
    if len(angles) != 2 * skeleton.turns:
        raise _unreadable(found, f"{len(angles)} angles for {count(skeleton.turns, 'turn')}")
    return Native(skeleton, angles, found.record.written)


def _unreadable(found: Found[CircuitRecord] | Found[TemplateRecord], why: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"the circuit {found.record.key} in the object {found.digest} cannot be read: {why}",
        hint="`iqm-spec verify` tells what else is wrong",
    )

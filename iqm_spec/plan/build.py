"""Makes a plan: every point, its transpiled circuit (stored ones are used again), in order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from iqm_spec.check import Checked
from iqm_spec.errors import StoreCorrupt
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Point
from iqm_spec.plan import plan as plans
from iqm_spec.plan.ask import circuit_ask, noise_digests, plan_ask
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store import Found, Store
from iqm_spec.sweep.expand import points as points_of
from iqm_spec.targets import Architecture

CIRCUITS = "circuits"
"""Kind of the packs that hold transpiled circuits, by the key of their ask."""

TRANSPILED_AT_ONCE = 100
"""Circuits between two reports of progress, and in one pack at least."""

Progress = tuple[int, int]


@frozen
class _Asked:
    """A point with the key of its circuit."""

    point: Point
    ask: str


@frozen
class _Native:
    """A transpiled circuit: its digest and what the plan tells of it."""

    digest: str
    summary: Mapping[str, Json]


def find_plan(checked: Checked, store: Store) -> Plan | None:
    """The stored plan that answers this question, or None."""
    digest = store.find_answer(plan_ask(checked))
    return None if digest is None else read_plan(store, digest)


def read_plan(store: Store, digest: str) -> Plan:
    """The plan stored under `digest`."""
    pack = store.read_pack(digest)
    return Plan(digest, pack.header, tuple(map(PlannedPoint.from_json, pack.records)))


def make_plan(
    checked: Checked, store: Store, *, replan: bool = False, keep: bool = True
) -> Iterator[Progress | Plan]:
    """Transpile what is not stored and put the plan together.

    Yields (done, total) circuits while it goes on, and the plan last.
    `keep=False` writes nothing into the folder (a dry run).
    """
    asked = [_asked(point, checked) for point in points_of(checked.spec)]
    first = {item.ask: item.point for item in reversed(asked)}
    known = {} if replan else _stored(store, first)
    missing = {ask: point for ask, point in first.items() if ask not in known}
    packs = {digest for digest, _ in known.values()}
    natives = {ask: native for ask, (_, native) in known.items()}
    made: dict[str, NativeCircuit] = {}
    if missing:
        made = yield from _transpile(checked, missing)
        natives |= {ask: _native(circuit) for ask, circuit in made.items()}
        if keep:
            packs.add(store.put_pack(CIRCUITS, {}, _lines(made)))
    planned = [_planned(i, item, natives[item.ask]) for i, item in enumerate(asked)]
    header = _header(checked, sorted(packs))
    if not keep:
        yield Plan("", header, tuple(planned), made)
        return
    digest = store.put_pack(plans.PACK, header, plans.lines(planned))
    store.link_answer(header["ask"], digest, replan=replan)
    yield read_plan(store, digest)


def circuits_of(
    store: Store, plan: Plan, points: Sequence[PlannedPoint]
) -> dict[str, NativeCircuit]:
    """The transpiled circuits of `points` of a plan, by their asks; StoreCorrupt where lost."""
    packs = frozenset(plan.header["circuits"])
    asks = {point.ask for point in points}
    found = store.find(CIRCUITS, asks, within=packs)
    lost = asks - found.keys() - plan.unkept.keys()
    if lost:
        raise StoreCorrupt(
            f"{count(len(lost), 'transpiled circuit')} of plan {plan.digest[:12]} cannot be found",
            hint="`iqm-spec run SPEC --replan` makes them again",
        )
    return {**plan.unkept, **{ask: _circuit(item) for ask, item in found.items()}}


def _circuit(found: Found) -> NativeCircuit:
    return NativeCircuit.from_json(cast("Mapping[str, Any]", found.record["circuit"]))


def _asked(point: Point, checked: Checked) -> _Asked:
    architecture = checked.architectures[point.target].digest
    return _Asked(point, circuit_ask(point, checked.identity(point), architecture))


def _stored(store: Store, asks: Mapping[str, Point]) -> dict[str, tuple[str, _Native]]:
    found = store.find(CIRCUITS, asks)
    return {ask: (item.digest, _native(_circuit(item))) for ask, item in found.items()}


def _transpile(
    checked: Checked, missing: Mapping[str, Point]
) -> Generator[Progress, None, dict[str, NativeCircuit]]:
    """Transpile circuits that share a machine and options together, some at a time."""
    from iqm_spec.transpile import transpile_many

    made: dict[str, NativeCircuit] = {}
    yield 0, len(missing)
    for group in _groups(missing):
        for start in range(0, len(group), TRANSPILED_AT_ONCE):
            part = group[start : start + TRANSPILED_AT_ONCE]
            sample = part[0][1]
            circuits = [checked.build(point) for _, point in part]
            natives = transpile_many(
                circuits,
                checked.architectures[sample.target],
                sample.transpile,
                [point.layout for _, point in part],
            )
            _require_native(natives, checked.architectures[sample.target])
            made.update(zip((ask for ask, _ in part), natives, strict=True))
            yield len(made), len(missing)
    return made


def _require_native(circuits: Sequence[NativeCircuit], machine: Architecture) -> None:
    """Nothing is stored that the machine could not run; raising here tells of a bug of ours."""
    from iqm_spec.transpile import violations

    for circuit in circuits:
        wrong = violations(circuit, machine)
        if wrong:
            raise AssertionError(f"transpiled for {machine.alias}: {'; '.join(wrong[:3])}")


def _groups(missing: Mapping[str, Point]) -> list[list[tuple[str, Point]]]:
    groups: dict[Any, list[tuple[str, Point]]] = {}
    for ask, point in missing.items():
        shared = (point.target, tuple(sorted(point.transpile.items())))
        groups.setdefault(shared, []).append((ask, point))
    return list(groups.values())


def _lines(made: Mapping[str, NativeCircuit]) -> list[Mapping[str, Json]]:
    return [{"key": ask, "circuit": circuit.to_json()} for ask, circuit in made.items()]


def _native(circuit: NativeCircuit) -> _Native:
    summary: dict[str, Json] = {
        "qubits": len(circuit.components),
        "depth": circuit.depth(),
        "gates": circuit.counts(),
    }
    return _Native(circuit.digest, summary)


def _planned(index: int, item: _Asked, native: _Native) -> PlannedPoint:
    point = item.point
    return PlannedPoint(
        index=index,
        id=point.id,
        name=point.name,
        values=point.values,
        repeat=point.repeat,
        shots=point.shots,
        target=point.target,
        options=point.options,
        ask=item.ask,
        circuit=native.digest,
        summary=native.summary,
        priority=point.priority,
    )


def _header(checked: Checked, packs: list[str]) -> dict[str, Any]:
    spec = checked.spec
    return {
        "ask": plan_ask(checked),
        "spec": {"name": spec.name, "digest": checked.digest},
        "stages": [stage.value for stage in spec.stages],
        "mode": spec.mode.value,
        "seed": spec.seed,
        "calibration": spec.calibration,
        "order": spec.order,
        "references": {c.name: c.every for c in spec.circuits if c.every is not None},
        "require": {stage: dict(rules) for stage, rules in spec.require.items()},
        "aer": {"method": spec.aer.method, "device": spec.aer.device},
        "noise": noise_digests(checked),
        "circuits": packs,
    }

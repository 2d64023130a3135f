"""Makes a plan: every point, its transpiled circuit (stored ones are used again), in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from iqm_spec.errors import WrongCircuit
from iqm_spec.model import LayoutChoice, SpecPoint
from iqm_spec.native import CircuitSummary, Native
from iqm_spec.plan.circuits import keep_natives, stored_natives
from iqm_spec.plan.keys import circuit_key, noise_digests, plan_key
from iqm_spec.plan.placing import machine_of, placement_errors, shared_regions
from iqm_spec.plan.plan import Plan, PlannedPoint, read_plan, records
from iqm_spec.plan.readout import measured_components, readout_points
from iqm_spec.plan.transpiling import Crosschecked, Progress, make_natives
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.sweep_points import all_points as points_of
from iqm_spec.store import Store
from iqm_spec.store.events import SpecName
from iqm_spec.store.objects import StoredProfile
from iqm_spec.store.records import PLAN, AerSettings, PlanHeader


@frozen
class _Transpiled:
    """What the plan says of a transpiled circuit, and the physical qubits that it measures."""

    digest: str
    summary: CircuitSummary
    measured: frozenset[str]


def find_plan(checked: CheckedSpec, store: Store) -> Plan | None:
    """The stored plan of a spec, or None."""
    digest = store.find_answer(plan_key(checked))
    return None if digest is None else read_plan(store, digest)


def make_plan(
    checked: CheckedSpec, store: Store, *, replan: bool = False, keep: bool = True
) -> Iterator[Progress | Crosschecked | Plan]:
    """Transpile what is not stored and put the plan together.

    Yields (done, total) circuits, then how many of the transpiled circuits were checked, and the
    plan last. `keep=False` writes nothing into the folder (a dry run).
    """
    points = [(point, _circuit_key(point, checked)) for point in _points(checked)]
    first = {key: point for point, key in reversed(points)}
    known: dict[str, _Transpiled] = {}
    packs: set[str] = set()
    for key, native, holders in () if replan else stored_natives(store, first):
        known[key] = _transpiled(native)
        packs |= holders
    missing = {key: point for key, point in first.items() if key not in known}
    made: dict[str, Native] = {}
    if missing:
        try:
            yield from make_natives(checked, missing, made)
        except WrongCircuit:
            raise
        except BaseException:  # Ctrl-C: the next plan continues from here
            if keep and made:
                keep_natives(store, made)
            raise
        known |= {key: _transpiled(native) for key, native in made.items()}
        if keep:
            packs |= keep_natives(store, made)
    planned = [_planned(index, point, key, known[key]) for index, (point, key) in enumerate(points)]
    if checked.spec.readout_mitigation:
        measured: dict[str, set[str]] = {}
        for point in planned:
            measured.setdefault(point.target, set()).update(known[point.circuit_key].measured)
        order = {alias: machine.components for alias, machine in checked.architectures.items()}
        extra = list(readout_points(planned, measured, order))
        planned += [point for point, _ in extra]
        made |= (natives := {point.circuit_key: native for point, native in extra})
        if keep:
            packs |= keep_natives(store, natives)
    targets = sorted({point.target for point in planned})
    known_errors = {target: checked.calibrated.get(target) for target in targets}
    profiles = {target: errors for target, errors in known_errors.items() if errors is not None}
    if not keep:
        yield Plan("", _header(checked, sorted(packs), {}), tuple(planned), made, profiles)
        return
    stored_profiles = {
        target: store.put(StoredProfile(target, profile.to_json()))
        for target, profile in profiles.items()
    }
    header = _header(checked, sorted(packs), stored_profiles)
    digest = store.put_pack(PLAN, header, records(planned))
    store.link_answer(header.ask, digest, replan=replan)
    yield read_plan(store, digest)


def _points(checked: CheckedSpec) -> Iterator[SpecPoint]:
    """The points of the spec; those that share qubits with others have them as their region."""

    def transpile(members: Mapping[str, SpecPoint]) -> Mapping[str, Native]:
        made: dict[str, Native] = {}
        for _ in make_natives(checked, members, made):
            pass
        return made

    if not any(isinstance(circuit.layout, dict) for circuit in checked.spec.circuits):
        yield from points_of(checked.spec)
        return
    points = list(points_of(checked.spec))
    regions = shared_regions(checked, points, transpile)
    for point in points:
        is_shared = point.layout_choice is LayoutChoice.SHARED
        region = regions.get((point.circuit, point.target), ()) if is_shared else ()
        yield evolve(point, region=region)


def _circuit_key(point: SpecPoint, checked: CheckedSpec) -> str:
    architecture = machine_of(checked, point).digest
    kind = checked.spec.circuits[point.circuit].kind
    profile = placement_errors(checked, point)
    placed_by = None if profile is None else profile.digest
    return circuit_key(kind, point, checked.identity(point), architecture, placed_by)


def _transpiled(native: Native) -> _Transpiled:
    return _Transpiled(native.digest, native.summary, measured_components(native.template))


def _planned(index: int, point: SpecPoint, key: str, native: _Transpiled) -> PlannedPoint:
    return PlannedPoint(
        index=index,
        id=point.id,
        name=point.name,
        values=point.values,
        repeat=point.repeat,
        shots=point.shots,
        target=point.target,
        options=point.options,
        circuit_key=key,
        circuit=native.digest,
        summary=native.summary,
        priority=point.priority,
        memory=point.memory,
    )


def _header(checked: CheckedSpec, packs: list[str], profiles: Mapping[str, str]) -> PlanHeader:
    spec = checked.spec
    return PlanHeader(
        ask=plan_key(checked),
        spec=SpecName(spec.name, checked.digest),
        stages=tuple(stage.value for stage in spec.stages),
        mode=spec.mode.value,
        seed=spec.seed,
        calibration=spec.calibration,
        order=spec.order,
        references={c.name: c.every for c in spec.circuits if c.every is not None},
        require=spec.require,
        aer=AerSettings(spec.aer.method, spec.aer.device),
        noise=noise_digests(checked),
        circuits=tuple(packs),
        readout_mitigation=spec.readout_mitigation,
        placement=profiles or None,
        avoid=spec.avoid,
        region=spec.region,
    )

"""What the papers say, as values: nothing that was not computed, and blanks that are blanks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from attrs import frozen

from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import Attempt, Phase, read_work
from iqm_spec.stages.server.budget import Counting, entry_of
from iqm_spec.store import Store
from iqm_spec.store.records import AER_RECORDS


@frozen
class CircuitRow:
    """Points of one circuit: ranges of what they are after transpiling."""

    name: str
    machine: str
    axes: str
    points: int
    qubits: tuple[int, int]
    depth: tuple[int, int]
    pairs: tuple[int, int]
    shots: tuple[int, int]


@frozen
class Fidelity:
    """Hellinger fidelities to the ideal distribution over the points of a circuit and stage."""

    circuit: str
    stage: str
    points: int
    known: int
    low: float
    median: float
    high: float


@frozen
class JobFacts:
    """One job at a server."""

    id: str
    computer: str
    emulated: bool
    status: str
    at: str
    circuits: int
    shots: int
    calibration: str
    predicted: str
    seconds: float | None
    credits: float | None


def circuit_rows(points: Sequence[PlannedPoint]) -> list[CircuitRow]:
    """Points by circuit and machine, in the order of the plan."""
    groups: dict[tuple[str, str], list[PlannedPoint]] = {}
    for point in points:
        groups.setdefault((point.name, point.target), []).append(point)
    return [_circuit(name, machine, some) for (name, machine), some in groups.items()]


def _circuit(name: str, machine: str, points: Sequence[PlannedPoint]) -> CircuitRow:
    summaries = [point.summary for point in points]
    values: dict[str, dict[str, None]] = {}
    for point in points:
        for axis, value in point.values:
            values.setdefault(axis, {})[_value(value)] = None
    return CircuitRow(
        name=name,
        machine=machine,
        axes="; ".join(f"{axis} = {_listed(list(seen))}" for axis, seen in values.items()),
        points=len(points),
        qubits=_span(summary.qubits for summary in summaries),
        depth=_span(summary.depth for summary in summaries),
        pairs=_span(one.gates.get("cz", 0) + one.gates.get("move", 0) for one in summaries),
        shots=_span(point.shots for point in points),
    )


def _span(values: Iterable[int]) -> tuple[int, int]:
    listed = list(values)
    return min(listed), max(listed)


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_value, value))})"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _listed(values: Sequence[str]) -> str:
    """All of a few values, the ends of many."""
    if len(values) <= 6:
        return ", ".join(values)
    return f"{values[0]}, {values[1]}, …, {values[-1]} ({len(values)} values)"


def fidelities(rows: Iterable[Row]) -> list[Fidelity]:
    """Fidelities by circuit and stage; stages that an emulator stood for are named so."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.record:
            stage = f"{row.stage} (emulated)" if row.emulated else row.stage
            groups.setdefault((row.point.name, stage), []).append(row)
    found = []
    for (name, stage), some in groups.items():
        values = [float(row.comparison.hellinger_fidelity) for row in some if row.comparison]
        told = (min(values), median(values), max(values)) if values else (0.0, 0.0, 0.0)
        found.append(Fidelity(name, stage, len(some), len(values), *told))
    return found


def latest_run(store: Store, plan: Plan) -> SavedRun | None:
    """The newest run of a plan."""
    for state in reversed(store.runs()):
        if state.fields.get("plan") == plan.digest:
            return SavedRun(state, plan)
    return None


def record_digests(store: Store, rows: Iterable[Row]) -> list[str]:
    """Sha256 of the packs that hold the simulated counts of some rows."""
    found = store.find(AER_RECORDS, {row.key for row in rows if row.stage == StageName.AER.value})
    return sorted({one.digest for one in found.values()})


def server_jobs(
    store: Store, plan: Plan, stage: StageName, realm: str, phases: Sequence[Phase]
) -> list[JobFacts]:
    """The jobs that stand for a plan's points at a server."""
    work = read_work(plan, stage, realm, store)
    return [_job(attempt) for attempt in work.attempts(*phases)]


def _job(attempt: Attempt) -> JobFacts:
    intent = attempt.intent
    entry = entry_of(attempt, Counting())
    told = entry.predicted
    calibration = attempt.calibration_set_id or intent.calibration_set_id
    return JobFacts(
        id=", ".join(attempt.ids) or attempt.job[:12],
        computer=entry.computer,
        emulated=entry.emulated,
        status=str(attempt.phase.value if attempt.status is None else attempt.status),
        at=intent.at,
        circuits=entry.circuits,
        shots=intent.shots,
        calibration=str(calibration or "not told"),
        predicted="" if told is None else f"{told.low:.3g} to {told.high:.3g}",
        seconds=entry.measured_seconds,
        credits=entry.measured_credits,
    )

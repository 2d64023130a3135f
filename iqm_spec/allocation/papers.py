"""Facts of the papers of an allocation: the request for credits, and the usage report.

The request says what is to be measured, what it costs, and what shows that it works; the report
what a run used of an allocation, and how well that was predicted. What the program does not know is
a blank in the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from attrs import frozen

from iqm_spec.cost.estimate import Assumption
from iqm_spec.cost.precision import standard_error
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.engine.run import RunPreview
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.plan.prediction import predicted_successes
from iqm_spec.results.accounts import Account, accounts, read_entries
from iqm_spec.stages.interface import StagePreview
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import Phase, read_work
from iqm_spec.stages.server.budget import Counting, entry_of
from iqm_spec.stages.server.server_info import EMULATOR
from iqm_spec.store import Store
from iqm_spec.store.records import AER_RECORDS
from iqm_spec.version import __version__


@frozen
class CircuitRow:
    """Points of one circuit: the smallest and largest of their sizes after transpiling.

    `pairs` are two-qubit gates: CZ and MOVE.
    """

    name: str
    machine: str
    axes: str
    points: int
    qubits: tuple[int, int]
    depth: tuple[int, int]
    pairs: tuple[int, int]
    shots: tuple[int, int]
    success: str = ""
    """Predicted, the lowest to the highest; empty where it is not known."""


@frozen
class ShotsRow:
    """Points with one number of shots, and the standard errors at these shots in the worst case.

    `probability` is that of an outcome's probability, `expectation` of a Pauli expectation value.
    """

    shots: int
    points: int
    probability: float
    expectation: float


@frozen
class Fidelity:
    """Hellinger fidelities to the ideal distribution over the points of a circuit and stage.

    `points` have counts, `known` of them an ideal distribution.
    """

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


@frozen
class RequestFacts:
    """What the template of a request for credits shows."""

    name: str
    description: str
    plan: Plan
    mode: str
    server_id: str
    machines: list[str]
    circuits: list[CircuitRow]
    shots: list[ShotsRow]
    machine: StagePreview
    """The hardware stage: its jobs with their costs."""
    costs: RunPreview
    price: list[Assumption]
    run: SavedRun | None
    """The newest run of the plan."""
    fidelities: list[Fidelity]
    simulated: bool
    """Whether the plan has an Aer stage."""
    records: list[str]
    """Sha256 of the packs with the simulated counts."""
    mock_jobs: list[JobFacts]
    spent: list[Account]
    version: str = __version__


@frozen
class UsageFacts:
    """What the template of a usage report shows."""

    name: str
    description: str
    plan: Plan
    run: SavedRun
    mode: str
    server_id: str | None
    stages: Sequence[object]
    """The verdicts of the run's stages."""
    circuits: list[CircuitRow]
    fidelities: list[Fidelity]
    jobs: list[JobFacts]
    seconds: float
    credits: float
    unmeasured: int
    """Jobs whose QPU time is not known."""
    spent: list[Account]
    version: str = __version__


def request_facts(
    plan: Plan, costs: RunPreview, store: Store, server_id: str, description: str
) -> RequestFacts:
    """The facts of a request for credits for a plan with a hardware stage."""
    states = [state for state in store.runs() if state.fields.get("plan") == plan.digest]
    run = SavedRun(states[-1], plan) if states else None
    rows = run.rows(store) if run is not None else []
    simulated = {row.key for row in rows if row.stage == StageName.AER.value}
    # a rehearsal uses nothing of an allocation, and counts in a rehearsed request only
    entries = [
        e for e in read_entries(store, Counting()) if not e.emulated or e.server_id == server_id
    ]
    mock_jobs: list[JobFacts] = []
    for server in dict.fromkeys((server_id, EMULATOR)):  # without a mock, those of a rehearsal
        if not mock_jobs:
            mock_jobs = server_jobs(store, plan, StageName.MOCK, server, [Phase.COMPLETED])
    points = Counter(point.shots for point in plan.points)
    return RequestFacts(
        name=plan.name,
        description=description,
        plan=plan,
        mode=plan.header.mode,
        server_id=server_id,
        machines=sorted({point.target for point in plan.points}),
        circuits=circuit_rows(plan.points, predicted_successes(store, plan)),
        shots=[
            ShotsRow(shots, number, standard_error(shots), standard_error(shots, "expectation"))
            for shots, number in sorted(points.items())
        ],
        machine=costs.paid_stages[0],
        costs=costs,
        price=[a for a in costs.assumptions if a.name.startswith("price per second")],
        run=run,
        fidelities=[row for row in fidelities(rows) if row.stage == StageName.AER.value],
        simulated=StageName.AER.value in plan.header.stages,
        records=sorted({record.digest for record in store.find(AER_RECORDS, simulated).values()}),
        mock_jobs=mock_jobs,
        spent=accounts(entries, ["experiment", "machine", "month", "server"]),
    )


def usage_facts(saved: SavedRun, store: Store, description: str) -> UsageFacts:
    """The facts of a usage report of a run."""
    server_id = saved.server_id
    jobs: list[JobFacts] = []
    if server_id is not None:
        jobs = server_jobs(store, saved.plan, StageName.HARDWARE, server_id, ())
    entries = [e for e in read_entries(store, Counting()) if e.experiment == saved.plan.name]
    measured = [job for job in jobs if job.seconds is not None]
    return UsageFacts(
        name=saved.plan.name,
        description=description,
        plan=saved.plan,
        run=saved,
        mode=saved.plan.header.mode,
        server_id=server_id,
        stages=saved.stages,
        circuits=circuit_rows(saved.plan.points),
        fidelities=fidelities(saved.rows(store)),
        jobs=jobs,
        seconds=sum(job.seconds or 0.0 for job in measured),
        credits=sum(job.credits or 0.0 for job in measured),
        unmeasured=len(jobs) - len(measured),
        spent=accounts(entries, ["machine", "mode", "month", "server"]),
    )


def circuit_rows(
    points: Sequence[PlannedPoint], successes: Mapping[str, float] | None = None
) -> list[CircuitRow]:
    """Points by circuit and machine, in the order of the plan.

    `successes` are predicted, by circuit key.
    """
    groups: dict[tuple[str, str], list[PlannedPoint]] = {}
    for point in points:
        groups.setdefault((point.name, point.target), []).append(point)
    rows = []
    for (name, machine), group in groups.items():
        summaries = [point.summary for point in group]
        values: dict[str, dict[str, None]] = {}
        for point in group:
            for axis, value in point.values:
                values.setdefault(axis, {})[_value(value)] = None
        row = CircuitRow(
            name=name,
            machine=machine,
            axes="; ".join(f"{axis} = {_listed(list(texts))}" for axis, texts in values.items()),
            points=len(group),
            qubits=_ends(summary.qubits for summary in summaries),
            depth=_ends(summary.depth for summary in summaries),
            pairs=_ends(s.gates.get("cz", 0) + s.gates.get("move", 0) for s in summaries),
            shots=_ends(point.shots for point in group),
            success=_success_text([(successes or {}).get(point.circuit_key) for point in group]),
        )
        rows.append(row)
    return rows


def _success_text(successes: Iterable[float | None]) -> str:
    """`0.82 to 0.94`; empty where nothing is predicted."""
    known = [value for value in successes if value is not None]
    if not known:
        return ""
    low, high = f"{min(known):.2g}", f"{max(known):.2g}"
    return low if low == high else f"{low} to {high}"


def _ends(values: Iterable[int]) -> tuple[int, int]:
    numbers = list(values)
    return min(numbers), max(numbers)


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
    """Fidelities by circuit and stage; the name of an emulated stage says so."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.record:
            stage = stage_label(row.stage, row.emulated)
            groups.setdefault((row.point.name, stage), []).append(row)
    result = []
    for (name, stage), group in groups.items():
        values = [float(row.comparison.hellinger_fidelity) for row in group if row.comparison]
        ends = (min(values), median(values), max(values)) if values else (0.0, 0.0, 0.0)
        result.append(Fidelity(name, stage, len(group), len(values), *ends))
    return result


def server_jobs(
    store: Store, plan: Plan, stage: StageName, server_id: str, phases: Sequence[Phase]
) -> list[JobFacts]:
    """The jobs that stand for a plan's points at a server."""
    jobs = []
    for attempt in read_work(plan, stage, server_id, store).attempts(*phases):
        intent = attempt.intent
        entry = entry_of(attempt, Counting())
        estimate = entry.predicted
        calibration = attempt.calibration_set_id or intent.calibration_set_id
        facts = JobFacts(
            id=", ".join(attempt.ids) or attempt.job[:12],
            computer=entry.computer,
            emulated=entry.emulated,
            status=str(attempt.phase.value if attempt.status is None else attempt.status),
            at=intent.at,
            circuits=entry.circuits,
            shots=intent.shots,
            calibration=str(calibration or "not known"),
            predicted="" if estimate is None else f"{estimate.low:.3g} to {estimate.high:.3g}",
            seconds=entry.measured_seconds,
            credits=entry.measured_credits,
        )
        jobs.append(facts)
    return jobs

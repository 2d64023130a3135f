"""The Aer stage of a run: simulate what is not stored, store it job by job, judge the whole."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from attrs import asdict, frozen

from iqm_spec.analysis import Comparison, judge
from iqm_spec.errors import ExitCode, UsageError
from iqm_spec.model import Stage
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.runs.derived import derived_record
from iqm_spec.runs.events import Event, JobDone, Note, StageDone, StageStarted
from iqm_spec.runs.keys import aer_key, installed_simulator, random_seed
from iqm_spec.runs.log import RunLog
from iqm_spec.runs.request import Request
from iqm_spec.runs.rows import Row, rows_of
from iqm_spec.runs.shots import keep_simulated, wanted_keys
from iqm_spec.skeleton import Native
from iqm_spec.spec.schema import defaults
from iqm_spec.stages.aer import (
    AerOutcome,
    AerTask,
    Job,
    Setup,
    expected_time,
    run_jobs,
    spread_jobs,
)
from iqm_spec.store import Store
from iqm_spec.store.records import AER_DERIVED, AER_RECORDS, SimulatedRecord
from iqm_spec.targets import ErrorProfile

MOST_CIRCUITS = 256
"""Circuits in one job: what a kill can lose, and what one pack holds at least."""

MOST_WORK = 2e8
"""Rough number of amplitudes touched in one job: a few seconds, so that progress is seen."""


@frozen
class AerJob:
    """Points of one target that are simulated and stored together, each under its key."""

    target: str
    points: tuple[tuple[str, PlannedPoint], ...]

    def __len__(self) -> int:
        return len(self.points)


@frozen
class AerWork:
    """The stage before it runs: every point's key, and the jobs that are not stored yet."""

    keys: tuple[str, ...]
    jobs: tuple[AerJob, ...]
    asked: tuple[Job, ...]
    started: StageStarted


def run_aer(
    plan: Plan, request: Request, store: Store, log: RunLog
) -> Generator[Event, None, StageDone]:
    """Carry the stage out; the verdict is judged from every point, stored ones included."""
    work = aer_work(plan, request, store)
    yield work.started
    if work.jobs:
        yield from _simulate(work, request, store, log)
    for pack in keep_simulated(store, wanted_keys(plan.points, work.keys)):
        log.memory(Stage.AER, pack)
    rows = rows_of(store, plan.points, work.keys)
    verdict = judge(
        plan.header.require.get("aer", {}),
        ((_label(row.point), comparison_of(row)) for row in rows),
    )
    return StageDone(
        stage=Stage.AER,
        status=verdict.status,
        reasons=(*verdict.reasons, *_not_simulated(plan)),
        jobs=len(work.jobs),
        cached=work.started.cached,
        points=len(plan.points),
        code=ExitCode.DONE if verdict.status == "passed" else ExitCode.REFUSED,
    )


def aer_work(plan: Plan, request: Request, store: Store) -> AerWork:
    """What is left to simulate of a plan; Refused where a circuit cannot be simulated as asked."""
    simulator = installed_simulator()
    keys = tuple(aer_key(plan, point, simulator) for point in plan.points)
    jobs = _missing_jobs(plan, keys, store, fresh=request.fresh)
    asked = asked_of(store, plan, jobs, _profiles(request)) if jobs else []
    left = {key for job in jobs for key, _ in job.points}
    expected = expected_time(asked)
    started = StageStarted(
        stage=Stage.AER,
        points=len(keys),
        cached=sum(1 for key in keys if key not in left),
        jobs=len(jobs),
        shared=len(keys) - len(set(keys)),
        seconds=expected.seconds,
        at_most=expected.at_most,
    )
    return AerWork(keys, tuple(jobs), tuple(asked), started)


def _not_simulated(plan: Plan) -> tuple[str, ...]:
    """What of IQM's options has no effect in simulation, in words; nothing where none is set."""
    usual = defaults("options")
    named = {
        name
        for options in {id(point.options): point.options for point in plan.points}.values()
        for name, value in options.items()
        if value != usual.get(name)
    }
    return (f"not simulated: {', '.join(sorted(named))}",) if named else ()


def _missing_jobs(plan: Plan, keys: Sequence[str], store: Store, *, fresh: bool) -> list[AerJob]:
    """Jobs of the points without stored results, in plan order; points with one key run once."""
    keyed: dict[str, PlannedPoint] = {}
    for point, key in zip(plan.points, keys, strict=True):
        keyed.setdefault(key, point)
    if not fresh:
        held = store.find(AER_RECORDS, keyed).keys() & store.find(AER_DERIVED, keyed).keys()
        keyed = {key: point for key, point in keyed.items() if key not in held}
    return jobs_of(keyed)


def jobs_of(keyed: Mapping[str, PlannedPoint]) -> list[AerJob]:
    """The jobs that points make, in their order."""
    by_target: dict[str, list[tuple[str, PlannedPoint]]] = {}
    for key, point in keyed.items():
        by_target.setdefault(point.target, []).append((key, point))
    return [AerJob(t, tuple(part)) for t, items in by_target.items() for part in _cut(items)]


def _cut(
    items: Sequence[tuple[str, PlannedPoint]],
) -> Iterator[list[tuple[str, PlannedPoint]]]:
    """Parts that are bounded in circuits and in work; they depend on the circuits alone."""
    part: list[tuple[str, PlannedPoint]] = []
    work = 0.0
    for item in items:
        heavy = _work(item[1])
        if part and (len(part) == MOST_CIRCUITS or work + heavy > MOST_WORK):
            yield part
            part, work = [], 0.0
        part.append(item)
        work += heavy
    if part:
        yield part


def _work(point: PlannedPoint) -> float:
    """Gates times amplitudes of a density matrix or of as many trajectories, the smaller one."""
    gates = point.summary.gates
    qubits = point.summary.qubits + ("move" in gates)
    states = min(2.0 ** min(qubits, 60), float(point.shots))
    return sum(gates.values()) * 2.0 ** min(qubits, 30) * states


def _simulate(work: AerWork, request: Request, store: Store, log: RunLog) -> Iterator[Event]:
    """Store each job's counts and what is derived from them as soon as it is done."""
    for number, outcomes in _outcomes(work.asked, request):
        records = store.put_pack(AER_RECORDS, {}, [simulated_record(o) for o in outcomes])
        lines = [derived_record(o.key, o.ideal, o.comparison, o.why_no_ideal) for o in outcomes]
        derived = store.put_pack(AER_DERIVED, {}, lines)
        log.job(Stage.AER, number, records, derived)
        yield JobDone(Stage.AER, number, len(outcomes))


def _outcomes(asked: Sequence[Job], request: Request) -> Iterator[tuple[int, list[AerOutcome]]]:
    if request.spread is None:
        return run_jobs(asked, workers=request.workers)
    return spread_jobs(
        asked, request.spread, request.workers, lambda text: request.tell(Note(Stage.AER, text))
    )


def asked_of(
    store: Store,
    plan: Plan,
    jobs: Sequence[AerJob],
    profiles: Mapping[str, ErrorProfile | None],
) -> list[Job]:
    """What simulates `jobs`: their circuits from the folder, `profiles` by target."""
    circuits = natives_of(store, plan, [point for job in jobs for _, point in job.points])
    aer = plan.header.aer
    return [
        (
            _tasks(job, plan, circuits),
            Setup(noise=profiles[job.target], method=aer.method, device=aer.device),
        )
        for job in jobs
    ]


def _tasks(job: AerJob, plan: Plan, circuits: Mapping[str, Native]) -> list[AerTask]:
    return [
        AerTask(key, circuits[point.circuit_key], point.shots, random_seed(plan, point))
        for key, point in job.points
    ]


def _profiles(request: Request) -> Mapping[str, ErrorProfile | None]:
    if request.profiles is None:
        raise UsageError(
            "the Aer stage of this run is not complete, and its folder does not hold its noise",
            hint="`iqm-spec run SPEC` goes on from what is stored",
        )
    return request.profiles


def simulated_record(outcome: AerOutcome) -> SimulatedRecord:
    """What was got, and nothing that is made of it."""
    return SimulatedRecord(
        key=outcome.key,
        counts=outcome.counts,
        shots_returned=outcome.shots_returned,
        method=outcome.method,
        notes=tuple(outcome.notes),
    )


def comparison_of(row: Row) -> Comparison | None:
    """The stored distances of a row as the class that verdicts are made of."""
    found = row.comparison
    return None if found is None else Comparison(**asdict(found))


def _label(point: PlannedPoint) -> str:
    return label(point.name, point.values, point.repeat)

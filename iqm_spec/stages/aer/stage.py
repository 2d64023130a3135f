"""The Aer stage of a run: simulates what is not stored, stores it job by job, judges all of it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

from iqm_spec.cost.ranges import ZERO
from iqm_spec.errors import ExitCode, UsageError
from iqm_spec.model import StageName
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.spec.schema import field_defaults
from iqm_spec.stages.aer import (
    AerOutcome,
    AerTask,
    Job,
    Setup,
    chosen_cluster,
    expected_time,
    run_jobs,
    run_jobs_on_dask,
)
from iqm_spec.stages.derived import derived_record
from iqm_spec.stages.events import Event, JobDone, Note, StageDone, StageStarted
from iqm_spec.stages.interface import (
    PreviewContext,
    RunInputs,
    Stage,
    StageContext,
    StagePreview,
    StageResults,
)
from iqm_spec.stages.keys import aer_key, installed_simulator, random_seed
from iqm_spec.stages.rows import Row, rows_of
from iqm_spec.stages.shots import keep_simulated, keys_with_memory
from iqm_spec.statistics.comparison import Comparison
from iqm_spec.statistics.requirements import RequirementVerdict, judge
from iqm_spec.store import Store
from iqm_spec.store.records import AER_DERIVED, AER_RECORDS, SimulatedRecord
from iqm_spec.targets import ErrorProfile

MOST_CIRCUITS = 256
"""Circuits in one job at most: what a kill can lose, and what one pack holds."""

MOST_WORK = 2e8
"""Amplitudes touched in one job, roughly: a few seconds of work, so that a run shows progress."""


@frozen
class AerJob:
    """Points of one target, with their keys, that are simulated and stored together."""

    target: str
    points: tuple[tuple[str, PlannedPoint], ...]

    def __len__(self) -> int:
        return len(self.points)


@frozen
class AerWork(StagePreview):
    """What the stage has left to do: keys of all points, jobs without results, their circuits."""

    stage = StageName.AER

    keys: tuple[str, ...]
    jobs: tuple[AerJob, ...]
    simulations: tuple[Job, ...]
    started: StageStarted

    @property
    def line(self) -> str:
        """`24 points: 20 in the results folder, 4 to simulate, about 3 s on one core`."""
        return _started_line(self.started)

    def to_json(self) -> dict[str, Any]:
        """As in `StagePreview`."""
        free = {"qpu_seconds": ZERO.to_json(), "credits": ZERO.to_json()}
        return {
            "stage": self.stage.value,
            "jobs": [
                {
                    "circuits": len(job),
                    "shots": sum(point.shots for _, point in job.points) // max(1, len(job)),
                    "executions": sum(point.shots for _, point in job.points),
                    **free,
                }
                for job in self.jobs
            ],
            "cached": self.started.cached,
            "shared": self.started.shared,
            "seconds": round(self.started.seconds, 3),
            "seconds_at_most": self.started.at_most,
            **free,
        }


class AerStage(Stage):
    """Simulates every point with Qiskit Aer, on this machine or on a Dask cluster."""

    name = StageName.AER

    def run(self, context: StageContext) -> Generator[Event, None, StageDone]:
        """As in `Stage`; the verdict is judged from every point, cached ones included."""
        plan, store, journal = context.plan, context.store, context.journal
        work = aer_work(plan, context.inputs, store, fresh=context.options.fresh)
        yield work.started
        if work.jobs:
            yield from _simulate(work, context)
        for pack in keep_simulated(store, keys_with_memory(plan.points, work.keys)):
            journal.memory(self.name, pack)
        verdict = _judged(plan, rows_of(store, plan.points, work.keys))
        return StageDone(
            stage=self.name,
            status=verdict.status,
            reasons=(*verdict.reasons, *_not_simulated(plan)),
            jobs=len(work.jobs),
            cached=work.started.cached,
            points=len(plan.points),
            code=ExitCode.DONE if verdict.status == "passed" else ExitCode.REFUSED,
        )

    def preview(self, context: PreviewContext) -> AerWork:
        """As in `Stage`."""
        return aer_work(context.plan, context.inputs, context.store, fresh=context.options.fresh)

    def rows(self, store: Store, plan: Plan, results: StageResults) -> Iterator[Row]:
        """As in `Stage`."""
        if results.requested:
            keys = [aer_key(plan, point, results.simulator) for point in plan.points]
            yield from rows_of(store, plan.points, keys)

    def wrong_verdict(self, plan: Plan, rows: Iterable[Row], status: str) -> str:
        """As in `Stage`."""
        verdict = _judged(plan, rows)
        if verdict.status == status:
            return ""
        return f"the journal says {status}, but the verdict is {verdict.status}"

    def started_line(self, started: StageStarted) -> str:
        """As `AerWork.line`."""
        return _started_line(started)


def _judged(plan: Plan, rows: Iterable[Row]) -> RequirementVerdict:
    return judge(
        plan.header.require.get(StageName.AER.value, {}),
        (
            (label(row.point.name, row.point.values, row.point.repeat), comparison_of(row))
            for row in rows
        ),
    )


def aer_work(plan: Plan, inputs: RunInputs, store: Store, *, fresh: bool) -> AerWork:
    """What is left to simulate of a plan; Refused if a circuit cannot be simulated as asked."""
    simulator = installed_simulator()
    keys = tuple(aer_key(plan, point, simulator) for point in plan.points)
    points: dict[str, PlannedPoint] = {}
    for point, key in zip(plan.points, keys, strict=True):
        points.setdefault(key, point)
    if not fresh:
        stored = store.find(AER_RECORDS, points).keys() & store.find(AER_DERIVED, points).keys()
        points = {key: point for key, point in points.items() if key not in stored}
    jobs = jobs_of(points)
    profiles = inputs.error_profiles
    if jobs and profiles is None:
        raise UsageError(
            "the Aer stage of this run is not complete, and its folder does not hold its noise",
            hint="`iqm-spec run SPEC` goes on from what is stored",
        )
    simulations = simulations_of(store, plan, jobs, profiles or {}) if jobs else []
    left = {key for job in jobs for key, _ in job.points}
    expected = expected_time(simulations)
    started = StageStarted(
        stage=StageName.AER,
        points=len(keys),
        cached=sum(1 for key in keys if key not in left),
        jobs=len(jobs),
        shared=len(keys) - len(set(keys)),
        seconds=expected.seconds,
        at_most=expected.at_most,
    )
    return AerWork(keys, tuple(jobs), tuple(simulations), started)


def _started_line(started: StageStarted) -> str:
    left = started.points - started.cached
    parts = [f"{started.cached:,} in the results folder"] if started.cached else []
    if left:
        takes = duration(started.seconds)
        if started.at_most:
            takes = takes.replace("about", "at most")
        parts.append(f"{left:,} to simulate, {takes} on one core")
    if started.shared:
        parts.append(f"{started.shared:,} with the key of another point, sharing its counts")
    return f"{count(started.points, 'point')}: {'; '.join(parts)}"


def duration(seconds: float) -> str:
    """A rough time: `about 3 s`, `about 2 min`."""
    for most, unit, name in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < most:
            return "below 1 s" if seconds < 1 else f"about {seconds / unit:.0f} {name}"
    return f"about {seconds / 86_400:,.0f} days"


def _not_simulated(plan: Plan) -> tuple[str, ...]:
    """The reason that names options that are set and change nothing in a simulation, if any are."""
    defaults = field_defaults("options")
    changed = {
        name
        for options in {id(point.options): point.options for point in plan.points}.values()
        for name, value in options.items()
        if value != defaults.get(name)
    }
    return (f"not simulated: {', '.join(sorted(changed))}",) if changed else ()


def jobs_of(points: Mapping[str, PlannedPoint]) -> list[AerJob]:
    """The jobs that points, by their keys, make, in the order of the points."""
    by_target: dict[str, list[tuple[str, PlannedPoint]]] = {}
    for key, point in points.items():
        by_target.setdefault(point.target, []).append((key, point))
    return [AerJob(t, tuple(part)) for t, items in by_target.items() for part in _parts(items)]


def _parts(
    items: Sequence[tuple[str, PlannedPoint]],
) -> Iterator[list[tuple[str, PlannedPoint]]]:
    """Parts of bounded circuits and work; where they end depends on the circuits alone."""
    part: list[tuple[str, PlannedPoint]] = []
    work = 0.0
    for item in items:
        # gates times amplitudes of a density matrix or of as many trajectories, the smaller one
        _, point = item
        gates = point.summary.gates
        qubits = point.summary.qubits + ("move" in gates)
        states = min(2.0 ** min(qubits, 60), float(point.shots))
        more = sum(gates.values()) * 2.0 ** min(qubits, 30) * states
        if part and (len(part) == MOST_CIRCUITS or work + more > MOST_WORK):
            yield part
            part, work = [], 0.0
        part.append(item)
        work += more
    if part:
        yield part


def _simulate(work: AerWork, context: StageContext) -> Iterator[Event]:
    """Simulate the jobs; store the counts of each and what is derived from them when it is done."""
    store, options = context.store, context.options
    cluster = chosen_cluster(options.executor, options.scheduler, context.inputs.executor)
    done: Iterable[tuple[int, list[AerOutcome]]]
    if cluster is None:
        done = run_jobs(work.simulations, workers=options.workers)
    else:
        done = run_jobs_on_dask(
            work.simulations,
            cluster,
            options.workers,
            lambda text: options.report(Note(StageName.AER, text)),
        )
    for number, outcomes in done:
        records = store.put_pack(AER_RECORDS, {}, [simulated_record(o) for o in outcomes])
        lines = [derived_record(o.key, o.ideal, o.comparison, o.why_no_ideal) for o in outcomes]
        derived = store.put_pack(AER_DERIVED, {}, lines)
        context.journal.job(StageName.AER, number, records, derived)
        yield JobDone(StageName.AER, number, len(outcomes))


def simulations_of(
    store: Store,
    plan: Plan,
    jobs: Sequence[AerJob],
    profiles: Mapping[str, ErrorProfile | None],
) -> list[Job]:
    """`jobs` as simulations: their circuits from the folder, error profiles by target."""
    circuits = natives_of(store, plan, [point for job in jobs for _, point in job.points])
    aer = plan.header.aer
    return [
        (
            [
                AerTask(key, circuits[point.circuit_key], point.shots, random_seed(plan, point))
                for key, point in job.points
            ],
            Setup(noise=profiles[job.target], method=aer.method, device=aer.device),
        )
        for job in jobs
    ]


def simulated_record(outcome: AerOutcome) -> SimulatedRecord:
    """An outcome as it is stored: the counts, and nothing that is derived from them."""
    return SimulatedRecord(
        key=outcome.key,
        counts=outcome.counts,
        shots_returned=outcome.shots_returned,
        method=outcome.method,
        notes=tuple(outcome.notes),
    )


def comparison_of(row: Row) -> Comparison | None:
    """The stored distances of a row as the class that `judge` takes."""
    stored = row.comparison
    return None if stored is None else Comparison(**asdict(stored))

"""Events in journals: of a run (`runs/`) and of a server's job (`jobs/`).

Times are UTC, `2026-11-23T10:57:55Z`. A field with a default is left out of the JSON where it has
it, unless it is `nullable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.store.structure import (
    Digest,
    JsonObject,
    Natural,
    Number,
    checked_object,
    nullable,
    structure,
)

RUNS, JOBS = "runs", "jobs"
"""Folders of journals."""


# --- declared analyses ---------------------------------------------------------------------------


@frozen
class AnalysisOptions:
    """Options of an analysis of circuits: their names, and the axes of the analysis."""

    circuits: tuple[str, ...] | None = None
    over: tuple[str, ...] | None = None
    against: str | None = None
    populations: str | None = None
    parity: str | None = None
    phase: str | None = None


@frozen
class ExpectationOptions:
    """Observables by their names: a Pauli string, or coefficients of several."""

    observables: Mapping[str, str | Mapping[str, Number]]
    circuits: tuple[str, ...] | None = None
    basis: str | None = None


@frozen
class CoherenceOptions:
    """The axis of delays, and circuits by the kind of their experiment."""

    delay: str | None = None
    t1: tuple[str, ...] | None = None
    ramsey: tuple[str, ...] | None = None
    echo: tuple[str, ...] | None = None


@frozen
class LogicalErrorOptions:
    """Options of a decoder; `noise` is the strength that it assumes."""

    circuits: tuple[str, ...] | None = None
    noise: Number | None = None


@frozen
class KnownAnalyses:
    """The analyses whose options this version knows."""

    coherence: CoherenceOptions | None = None
    distances: AnalysisOptions | None = None
    ghz_fidelity: AnalysisOptions | None = None
    mirror_polarization: AnalysisOptions | None = None
    quantum_volume: AnalysisOptions | None = None
    expectation: ExpectationOptions | None = None
    logical_error: LogicalErrorOptions | None = None
    plugins: Mapping[str, JsonObject] | None = None


def _check_analyses(value: dict[str, Any]) -> None:
    structure(value, KnownAnalyses)
    if None in value.values():
        raise ValueError("has null in place of an analysis' options")


if TYPE_CHECKING:
    DeclaredAnalyses = Mapping[str, Mapping[str, Json]]
    """Options by the names of analyses, as the spec declares them."""
else:
    DeclaredAnalyses = checked_object(_check_analyses)


# --- events of a run -----------------------------------------------------------------------------


@frozen
class SpecName:
    """The spec that a plan was made of: its name, and the digest of its meaning."""

    name: str
    digest: Digest


@frozen
class SimulatorVersion:
    """The version of Aer, and `way`: the version of how this program simulates with it."""

    aer: str
    way: str


@frozen
class RunStarted:
    """A run begins.

    `plan`, `text` (the spec as it was written), `inputs` and `environment` are digests of objects;
    `wanted` are the names of the run's stages, `server` the server id or None, `budget` the
    spec's, `analysis` the declared analyses with their options, `set` what `--set` overrode.
    """

    plan: Digest
    text: Digest
    spec: SpecName
    simulator: SimulatorVersion
    wanted: tuple[str, ...]
    inputs: Digest | None = nullable()
    environment: Digest | None = nullable()
    server: str | None = nullable()
    budget: JsonObject | None = nullable()
    analysis: DeclaredAnalyses | None = None
    set: JsonObject | None = None


@frozen
class RunJob:
    """Job number `job` of the Aer stage is done: its packs of counts and of distances."""

    stage: str | None = None
    job: Natural | None = None
    records: Digest | None = None
    derived: Digest | None = None


@frozen
class RunMemory:
    """A pack with the shots of some points is stored."""

    stage: str
    memory: Digest


UsedAttempt = tuple[str, Natural, str | None]
"""Job key, number of the attempt, and the server's id of the job whose results a run has."""


@frozen
class StageUsed:
    """These attempts stand for the points of a server stage.

    `realm` is the server id, `derived` are packs, `calibrations` objects.
    """

    stage: str
    realm: str
    attempts: tuple[UsedAttempt, ...]
    derived: tuple[Digest, ...] = ()
    calibrations: tuple[Digest, ...] = ()

    @property
    def jobs(self) -> list[str]:
        """The keys of the jobs, in order."""
        return [job for job, _, _ in self.attempts]


@frozen
class StoredVerdict:
    """How a stage ended, with the reasons in `verdict`, as text for people.

    `cached` of its `points` had results before, `submitted` of its `jobs` were sent by this run.
    """

    stage: str
    status: str
    jobs: Natural
    cached: Natural
    points: Natural
    emulated: bool
    submitted: Natural
    verdict: tuple[str, ...]


@frozen
class RunError:
    """The error that ended a run."""

    code: str
    message: str


@frozen
class RunEnded:
    """A run is over: with the verdicts of its stages, or broken off by an error."""

    exit: Natural | None = None
    at: str | None = None
    stages: tuple[StoredVerdict, ...] | None = None
    error: RunError | None = None


@frozen
class RunAnalysed:
    """Analyses of the run are stored in a pack."""

    analyses: Digest


# --- events of a job -----------------------------------------------------------------------------


@frozen
class EstimateRange:
    """The range of an estimate; `low <= expected <= high`."""

    low: Number
    expected: Number
    high: Number

    def __attrs_post_init__(self) -> None:
        if not self.low <= self.expected <= self.high:
            raise ValueError(f"is not a range: {self.low}, {self.expected}, {self.high}")


@frozen
class Estimate:
    """The expected time and cost of a job when it was submitted.

    `qpu_seconds` and `credits` are ranges, `price_per_second` is in credits; `price_from` and
    `basis` say where the price and the time model came from.
    """

    qpu_seconds: EstimateRange | None = nullable()
    credits: EstimateRange | None = nullable()
    price_per_second: Number | None = nullable()
    price_from: str | None = nullable()
    basis: str | None = nullable()


@frozen
class JobIntent:
    """What is about to be submitted, written before it is.

    `run` is the run that submits, `plan` the digest of its plan, `realm` the server id. `computer`
    is the quantum computer's alias at the server, `target` the spec's name of it. `shots` are those
    of every circuit, `parts` the point key and part number of each, `body` is the digest of the
    payload. `fresh`: submitted in spite of cached results. `shape` and `conditions` are what prices
    depend on (`cost/job_shape.py`).
    """

    attempt: Natural
    stage: str
    realm: str
    computer: str
    shots: Natural
    parts: tuple[tuple[str, Natural], ...]
    at: str
    run: str | None = nullable()
    plan: Digest | None = nullable()
    body: Digest | None = nullable()
    target: str | None = nullable()
    queue: str | None = nullable()
    emulated: bool = nullable(False)
    fresh: bool | None = None
    imported: bool = False
    calibration_set_id: str | None = nullable()
    shape: Mapping[str, Number] | None = nullable()
    conditions: str = nullable("plain")
    estimate: Estimate | None = None


@frozen
class JobClaimed:
    """A process has claimed an attempt; the event's number is the attempt's."""


@frozen
class JobRejected:
    """The server does not have the job; `status` is that of its HTTP response."""

    attempt: Natural
    code: str | None = None
    message: str | None = None
    hint: str | None = None
    status: str | int | None = None
    at: str | None = None


@frozen
class JobUnknown:
    """It is unknown whether the server has the job."""

    attempt: Natural
    why: str | None = None
    at: str | None = None


@frozen
class JobSubmitted:
    """The server has the job under an id."""

    attempt: Natural
    id: str
    at: str | None = None


@frozen
class JobAdopted:
    """A person says under which id the server has the job."""

    attempt: Natural
    id: str
    at: str | None = None


@frozen
class JobReleased:
    """A person releases the attempt: its circuits may be submitted again."""

    attempt: Natural
    at: str | None = None


@frozen
class JobFailure:
    """The server ended the job without results.

    `status` is the server's word, `report` the digest of its report. `qpu_seconds` are measured,
    `server_estimate_seconds` what the server had expected; both are seconds.
    """

    attempt: Natural
    id: str | None = nullable()
    status: str | int | None = nullable()
    message: str | None = None
    report: Digest | None = nullable()
    calibration_set_id: str | None = nullable()
    qpu_seconds: Number | None = nullable()
    server_estimate_seconds: Number | None = None
    at: str | None = None


@frozen
class JobCompleted:
    """The results of the job are stored: the packs `records` of its counts, `memory` of its shots.

    Other fields as in `JobFailed`.
    """

    attempt: Natural
    id: str
    records: Digest
    at: str
    memory: Digest | None = None
    status: str | int | None = nullable()
    report: Digest | None = nullable()
    calibration_set_id: str | None = nullable()
    qpu_seconds: Number | None = nullable()
    server_estimate_seconds: Number | None = None


@frozen
class JobMemory:
    """The shots of a completed job were fetched later; `memory` is their pack."""

    attempt: Natural
    id: str
    memory: Digest


JobEnd = JobFailure | JobCompleted
"""Events by which the server ends a job."""

JobOutcome = (
    JobClaimed | JobIntent | JobRejected | JobUnknown | JobSubmitted | JobAdopted | JobReleased
) | JobEnd
"""Events that decide how far an attempt has come."""

RunEvent = RunStarted | RunJob | RunMemory | StageUsed | RunEnded | RunAnalysed
JobEvent = JobOutcome | JobMemory

EVENTS: Mapping[tuple[str, str], type[Any]] = {
    (RUNS, "started"): RunStarted,
    (RUNS, "job"): RunJob,
    (RUNS, "memory"): RunMemory,
    (RUNS, "used"): StageUsed,
    (RUNS, "ended"): RunEnded,
    (RUNS, "analysed"): RunAnalysed,
    (JOBS, "claimed"): JobClaimed,
    (JOBS, "intent"): JobIntent,
    (JOBS, "rejected"): JobRejected,
    (JOBS, "unknown"): JobUnknown,
    (JOBS, "submitted"): JobSubmitted,
    (JOBS, "adopted"): JobAdopted,
    (JOBS, "released"): JobReleased,
    (JOBS, "failed"): JobFailure,
    (JOBS, "completed"): JobCompleted,
    (JOBS, "memory"): JobMemory,
}
"""Folder and kind of an event to the class of its fields."""

KINDS: Mapping[type[Any], str] = {of: kind for (_, kind), of in EVENTS.items()}
"""Class of an event's fields to its kind."""

"""What happens while a plan is made and carried out, as values: the command line shows them."""

from __future__ import annotations

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.plan.transpiling import Crosschecked
from iqm_spec.stages.server.attempts import Attempt
from iqm_spec.store.events import StoredVerdict


@frozen
class Transpiling:
    """So many of all circuits that were not stored yet are transpiled."""

    done: int
    total: int


@frozen
class Planned:
    """The plan stands; `stored`: it was in the results folder already."""

    plan: Plan
    stored: bool


@frozen
class StageStarted:
    """A stage begins: `points` in all, of which `cached` are in the folder already.

    `shared` points have the key of an earlier one and share its record. What is missing takes
    about `seconds` on one core; with `at_most`, `seconds` at most.
    """

    stage: StageName
    points: int
    cached: int
    jobs: int
    shared: int = 0
    seconds: float = 0.0
    at_most: bool = False
    emulated: bool = False


@frozen
class JobDone:
    """A job's results are in the folder."""

    stage: StageName
    job: int
    points: int


@frozen
class Note:
    """A message for people while a stage goes on."""

    stage: StageName
    text: str


@frozen
class Submitted:
    """A job was sent to a quantum computer; `attempt` holds the outcome."""

    stage: StageName
    computer: str
    circuits: int
    attempt: Attempt


@frozen
class JobPolled:
    """A job's status at the server, with the number of jobs before it while it waits."""

    stage: StageName
    attempt: Attempt
    status: str
    queue_position: int | None


@frozen
class Paused:
    """The server cannot be reached or asks to wait; the request is repeated after `seconds`.

    `stage` is None before a stage has begun.
    """

    stage: StageName | None
    why: str
    seconds: float


@frozen
class StageDone:
    """A stage's verdict: passed, failed, refused, waived, skipped, waiting or unknown.

    `submitted` is the number of jobs that this run sent; `code` its exit code.
    """

    stage: StageName
    status: str
    reasons: tuple[str, ...]
    jobs: int
    cached: int
    points: int
    emulated: bool = False
    submitted: int = 0
    code: int = 0

    @property
    def verdict(self) -> StoredVerdict:
        """As a run's journal keeps it."""
        return StoredVerdict(
            stage=self.stage.value,
            emulated=self.emulated,
            status=self.status,
            jobs=self.jobs,
            cached=self.cached,
            submitted=self.submitted,
            points=self.points,
            verdict=self.reasons,
        )

    def to_json(self) -> dict[str, Json]:
        """The stage's entry in the answer of `run --json`."""
        return {
            "stage": self.stage.value,
            "emulated": self.emulated,
            "status": self.status,
            "jobs": self.jobs,
            "cached": self.cached,
            "submitted": self.submitted,
            "points": self.points,
            "verdict": list(self.reasons),
        }


@frozen
class RunDone:
    """The run is over; `again`: `run` is an earlier run of the same plan with the same results."""

    run: str
    again: bool
    exit_code: int


Event = (
    Transpiling
    | Crosschecked
    | Planned
    | StageStarted
    | JobDone
    | Note
    | Submitted
    | JobPolled
    | Paused
    | StageDone
    | RunDone
)

"""What a stage is: what it needs, what is left to do, running and judging it, its stored rows.

The engine, previews, exports, reports and analyses use stages through this interface alone. To add
a stage, implement `Stage` in a module of this package, list it in `registry.py`, and let the spec's
schema name it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from iqm_spec.cost.ranges import ZERO, Range
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.events import Event, StageDone, StageStarted
from iqm_spec.stages.rows import Row
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.stages.server.budget import Bill
    from iqm_spec.stages.server.preview import CostPreview, ServerLimits
    from iqm_spec.stages.server.server_info import ServerInfo, Session
    from iqm_spec.stages.server.tariff import CostOptions
    from iqm_spec.store.events import SimulatorVersion, UsedAttempt
    from iqm_spec.targets import ErrorProfile


def decline(_: Bill) -> bool:
    """Agrees to nothing."""
    return False


def _no_costs() -> CostOptions:
    from iqm_spec.stages.server.tariff import CostOptions

    return CostOptions()


@frozen
class RunOptions:
    """How a run is carried out, as the command line or a notebook says. No key depends on it.

    Args:
        fresh: ignore cached results.
        replan: transpile again instead of using the stored plan.
        workers: processes of a stage that computes on this machine.
        executor: `local` or `dask`; None for the default.
        scheduler: address of a Dask scheduler.
        deadline: when to stop waiting for jobs, in seconds of `time.monotonic`.
        detach: do not wait for the jobs of the last stage.
        costs: prices and limits in place of the server's and the spec's.
        agree: called with the costs before anything is submitted that can cost credits.
        report: receives events that happen inside a step: pauses and notes.
    """

    fresh: bool = False
    replan: bool = False
    workers: int = 1
    executor: str | None = None
    scheduler: str | None = None
    deadline: float | None = None
    detach: bool = False
    costs: CostOptions = field(factory=_no_costs)
    agree: Callable[[Bill], bool] = decline
    report: Callable[[Event], None] = lambda _: None


@frozen
class RunInputs:
    """What stages need beside the plan: from the spec, or from the stored run that is resumed.

    Args:
        budget: the spec's `budget`.
        error_profiles: by target, None for ideal simulation; None where they are not known.
        calibration_sets: by target, the set that the plan's architecture was read under.
        executor: the spec's `executor`.
        fail_fast: whether the first failed job ends its stage.
    """

    budget: Mapping[str, Any] = field(factory=dict)
    error_profiles: Mapping[str, ErrorProfile | None] | None = None
    calibration_sets: Mapping[str, str | None] = field(factory=dict)
    executor: Mapping[str, Any] = field(factory=dict)
    fail_fast: bool = False


class StageJournal(Protocol):
    """What a stage notes in the journal of its run. The first note starts the run."""

    def run_id(self) -> str:
        """The run's id."""

    def job(self, stage: StageName, job: int, records: str, derived: str) -> None:
        """Notes the packs of a job: its counts, and what is derived from them."""

    def memory(self, stage: StageName, pack: str) -> None:
        """Notes a pack with the shots of some points."""

    def used(
        self,
        stage: StageName,
        server_id: str,
        attempts: Sequence[UsedAttempt],
        derived: Sequence[str] = (),
        calibrations: Sequence[str] = (),
    ) -> None:
        """Notes the attempts that stand for the points of the stage; starts no run by itself."""


@frozen
class StageContext:
    """What a stage is run with.

    Args:
        before: verdicts of the run's earlier stages.
        is_last: whether no stage of the run comes after this one.
        server: the server that the run uses; None without credentials (`why_no_server` says more).
    """

    plan: Plan
    inputs: RunInputs
    options: RunOptions
    store: Store
    journal: StageJournal
    before: tuple[StageDone, ...] = ()
    is_last: bool = True
    server: ServerInfo | None = None
    why_no_server: str = ""


@frozen
class PreviewContext:
    """What a stage is previewed with; `server_id`: of the server that a run would use."""

    plan: Plan
    inputs: RunInputs
    options: RunOptions
    store: Store
    server_id: str
    limits: ServerLimits
    session: Session | None = None


@frozen
class StageResults:
    """Where the results of one stage of a stored run are, from its journal.

    Args:
        requested: whether the run includes the stage.
        simulator: what simulated.
        server_id: the server that the run used.
        attempts: those that stand for the points; None while the stage goes on.
        emulated: whether the run's verdict calls the stage emulated.
    """

    requested: bool
    simulator: SimulatorVersion
    server_id: str | None = None
    attempts: Sequence[UsedAttempt] | None = None
    emulated: bool = False


class StagePreview(ABC):
    """What is left to do of a stage, and what it would cost."""

    stage: StageName
    costs: CostPreview | None = None
    """What the costs rest on, of a stage that spends credits."""

    @property
    def seconds(self) -> Range:
        """QPU seconds."""
        return ZERO

    @property
    def credits(self) -> Range:
        """Credits."""
        return ZERO

    @property
    @abstractmethod
    def line(self) -> str:
        """What is cached and what is left, for people."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The stage's entry in the answer of `run --dry-run --json`."""


class Stage(ABC):
    """One kind of stage. An instance holds no state of a run."""

    name: StageName
    needs_server: bool = False
    spends_credits: bool = False
    counts_are_random: bool = False
    """Whether counts mean nothing, or there are none: analyses and reports never read them then."""

    @abstractmethod
    def run(self, context: StageContext) -> Generator[Event, None, StageDone]:
        """Do what is left to do, then judge all of it, cached results included."""

    @abstractmethod
    def preview(self, context: PreviewContext) -> StagePreview:
        """What `run` would do now. Writes and submits nothing."""

    @abstractmethod
    def rows(self, store: Store, plan: Plan, results: StageResults) -> Iterator[Row]:
        """The stored rows of a run, in plan order, some of them in memory at a time."""

    def has_begun(self, results: StageResults) -> bool:
        """Whether the stage has rows of the run."""
        return results.requested

    def wrong_verdict(self, plan: Plan, rows: Iterable[Row], status: str) -> str:
        """Why a stored verdict contradicts the stage's stored rows; empty where it does not."""
        return ""

    def started_line(self, started: StageStarted) -> str:
        """What a run says when the stage begins."""
        raise NotImplementedError

    def news(self, store: Store, plan: Plan, server_id: str) -> Sequence[str]:
        """Messages about the stage's jobs that a verdict should have, from the folder."""
        return ()

    def is_settled(self, store: Store, plan: Plan, server_id: str) -> bool:
        """Whether it is known of every job whether it was submitted."""
        return True

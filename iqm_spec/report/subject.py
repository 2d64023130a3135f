"""A stored run with all that its report looks at, read from the folder alone."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from iqm_spec.analysis.merit import Analysed
from iqm_spec.analysis.run_analyses import DEFAULT_ANALYSES, analyze_run, declared
from iqm_spec.engine.inputs import Inputs, read_inputs
from iqm_spec.engine.respec import source_of_run
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import JobFailed, UsageError
from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.results.gaps import Gaps, gaps
from iqm_spec.source import Source
from iqm_spec.spec.schema import PLUGINS
from iqm_spec.stages.registry import SERVER_STAGES
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import Attempt, read_work
from iqm_spec.store import Store
from iqm_spec.store.objects import Environment, StoredText


@frozen
class Subject:
    """One run. `rows` hold simulated and measured counts, never the mock's."""

    store: Store
    saved: SavedRun
    rows: tuple[Row, ...] = field(repr=False)
    analysed: tuple[Analysed, ...] = field(repr=False)
    gaps: Gaps
    text: str = field(repr=False)
    source: Source | None = field(repr=False)
    inputs: Inputs | None = field(repr=False)
    environment: Environment | None
    jobs: Mapping[StageName, tuple[Attempt, ...]] = field(repr=False)
    """The jobs at a server that stand for the run's points."""
    not_analysed: str = ""
    """Why an analysis that the spec declared could not be done here."""

    @property
    def id(self) -> str:
        """The run's id."""
        return self.saved.state.id

    @property
    def description(self) -> str:
        """The spec's own description, empty where it has none."""
        text = self.overridden.get("description")
        if text is None and self.source is not None:
            text = self.source.tree.get("description")
        return str(text or "")

    @property
    def overridden(self) -> Mapping[str, Json]:
        """Values that came from `--set`, by their paths."""
        return self.saved.state.start.set or {}

    @property
    def emulated(self) -> tuple[str, ...]:
        """The stages that an emulator answered."""
        stages = {row.stage for row in self.rows if row.emulated}
        stages |= {state.stage for state in self.saved.stages if state.emulated}
        stages |= {s.value for s, jobs in self.jobs.items() if any(j.intent.emulated for j in jobs)}
        return tuple(stage.name for stage in SERVER_STAGES if stage.name in stages)

    def noisy(self, target: str) -> bool:
        """Whether the Aer stage simulated noise on this target."""
        return self.saved.plan.header.noise.get(target) is not None

    @property
    def simulates_noise(self) -> bool:
        """Whether the Aer stage simulated noise on any target of the run."""
        return any(self.noisy(point.target) for point in self.saved.plan.points)


def subject_of(store: Store, saved: SavedRun) -> Subject:
    """Everything a report needs of a run; StoreCorrupt where what it names is not in the folder."""
    rows = tuple(saved.each_row(store))
    start = saved.state.start
    why = ""
    try:
        analysed = analyze_run(store, saved, rows)
    except (UsageError, JobFailed) as error:
        # without plugins, one of which is missing here or fails
        rest = {name: analysis for name, analysis in declared(saved).items() if name != PLUGINS}
        analysed = analyze_run(store, saved, rows, rest or DEFAULT_ANALYSES)
        why = error.message
    return Subject(
        store=store,
        saved=saved,
        rows=rows,
        analysed=analysed,
        gaps=gaps(saved, rows, store),
        text=store.get(start.text, StoredText).text,
        source=source_of_run(store, saved),
        inputs=None if start.inputs is None else read_inputs(store, start.inputs),
        environment=saved.environment(store),
        jobs=_jobs(store, saved),
        not_analysed=why,
    )


def _jobs(store: Store, saved: SavedRun) -> dict[StageName, tuple[Attempt, ...]]:
    if saved.server_id is None:
        return {}
    attempts = {}
    for stage in [stage.name for stage in SERVER_STAGES]:
        if stage.value not in saved.state.start.wanted:
            continue
        named = {(job, number): job_id for job, number, job_id in saved.used(stage) or ()}
        work = read_work(saved.plan, stage, saved.server_id, store)
        attempts[stage] = tuple(a.as_of(named.get((a.job, a.number))) for a in work.attempts())
    return attempts

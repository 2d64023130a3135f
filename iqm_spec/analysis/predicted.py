"""Predicted against measured: figures of the noisy simulation beside those of the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import hypot, sqrt

from attrs import asdict, frozen

from iqm_spec.analysis.merit import Analysed, qubit_of
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.errors import JobFailed, StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.spec.schema import DeclaredAnalyses
from iqm_spec.store import Store
from iqm_spec.store.events import RunAnalysed
from iqm_spec.store.records import ANALYSES, AnalysisRecord


@frozen
class Prediction:
    """A figure as the simulation predicted it, and as it was measured.

    `predicted_error` and `measured_error` are standard errors of the shots, None where unknown.
    """

    analysis: str
    circuit: str
    values: Mapping[str, Json]
    points: tuple[str, ...]
    figure: str
    predicted: float
    predicted_error: float | None
    measured: float
    measured_error: float | None
    emulated: bool = False

    @property
    def deviation(self) -> float | None:
        """Measured less predicted, in units of the standard error of the difference."""
        if self.predicted_error is None or self.measured_error is None:
            return None
        error = hypot(self.predicted_error, self.measured_error)
        return (self.measured - self.predicted) / error if error > 0 else None

    def to_json(self) -> dict[str, Json]:
        """The fields by name, with the deviation."""
        return {
            "analysis": self.analysis,
            "circuit": self.circuit,
            "values": dict(self.values),
            "points": list(self.points),
            "figure": self.figure,
            "predicted": self.predicted,
            "predicted_error": self.predicted_error,
            "measured": self.measured,
            "measured_error": self.measured_error,
            "deviation": self.deviation,
            "emulated": self.emulated,
        }


def predictions(results: Iterable[Analysed | AnalysisRecord]) -> list[Prediction]:
    """Figures that the Aer stage and the hardware stage have both, in the order of the latter.

    They are predictions where the Aer stage simulated noise. Raises nothing: figures that one of
    the stages lacks are left out.
    """
    listed = list(results)
    simulated = {
        (item.analysis, item.circuit, item.points, qubit_of(item), merit.name): merit
        for item in listed
        if item.stage == StageName.AER
        for merit in item.merits
    }
    found = []
    for item in listed:
        for merit in item.merits if item.stage == StageName.HARDWARE else ():
            same = (item.analysis, item.circuit, item.points, qubit_of(item), merit.name)
            before = simulated.get(same)
            if before is not None:
                found.append(
                    Prediction(
                        item.analysis,
                        item.circuit,
                        item.values,
                        item.points,
                        merit.name,
                        before.value,
                        before.error,
                        merit.value,
                        merit.error,
                        item.emulated,
                    )
                )
    return found


MOST_POINTS_PREVIEWED = 500
"""Points of a plan whose figures are computed before it runs; more of them take seconds."""


def simulated_figures(store: Store, plan: Plan, analyses: DeclaredAnalyses) -> list[Analysed]:
    """The figures that the newest run of a stored plan has from its noisy simulation.

    What the declared analyses of measured counts are predicted to give; empty where the plan has
    not been simulated, or is very large.
    """
    from iqm_spec.analysis.run_analyses import DEFAULT_ANALYSES, analyze_run

    states = [state for state in store.runs() if state.fields.get("plan") == plan.digest]
    is_noisy = any(noise is not None for noise in plan.header.noise.values())
    if not states or not is_noisy or len(plan.points) > MOST_POINTS_PREVIEWED:
        return []
    saved = SavedRun(states[-1], plan)
    rows = [row for row in saved.rows(store) if row.stage == StageName.AER and row.record]
    try:
        return list(analyze_run(store, saved, rows, analyses or DEFAULT_ANALYSES))
    except (JobFailed, StoreCorrupt, UsageError):  # a plugin that is not here, a damaged object
        return []


@frozen
class Agreement:
    """How well predictions of one figure held: their number, mean difference, and deviations.

    `typical_deviation` is the root mean square of the deviations, 1 where the machine does what the
    simulation says; None where errors are unknown.
    """

    figure: str
    number: int
    mean_difference: float
    typical_deviation: float | None
    beyond_two: int
    """Predictions that are off by more than two standard errors."""


def agreements(found: Iterable[Prediction]) -> list[Agreement]:
    """The agreement of each figure, in the order in which figures first occur."""
    by_figure: dict[str, list[Prediction]] = {}
    for item in found:
        by_figure.setdefault(item.figure, []).append(item)
    summed = []
    for figure, items in by_figure.items():
        deviations = [item.deviation for item in items if item.deviation is not None]
        typical = None
        if deviations:
            typical = sqrt(sum(value * value for value in deviations) / len(deviations))
        difference = sum(item.measured - item.predicted for item in items) / len(items)
        beyond = sum(abs(value) > 2 for value in deviations)
        summed.append(Agreement(figure, len(items), difference, typical, beyond))
    return summed


@frozen
class MachineAgreement:
    """How well predictions of a figure held on a machine, over the runs of a folder."""

    machine: str
    emulated: bool
    agreement: Agreement

    def to_json(self) -> dict[str, Json]:
        """As `ledger --json` gives it."""
        return {"machine": self.machine, "emulated": self.emulated, **asdict(self.agreement)}


def agreements_by_machine(store: Store) -> list[MachineAgreement]:
    """The agreement of each figure by machine, from the analyses that `analyze` stored.

    Of several analyses of a run the last one counts; runs whose plan cannot be read are left out.
    """
    found: dict[tuple[str, bool], list[Prediction]] = {}
    packs: set[str] = set()
    for state in store.runs():
        events = [event.analyses for event in state.each(RunAnalysed)]
        if not events or events[-1] in packs:
            continue
        packs.add(events[-1])
        try:
            saved = load_run(store, state.id)
            records = store.read_pack(events[-1], ANALYSES).records
        except (StoreCorrupt, UsageError):
            continue
        noise, targets = saved.plan.header.noise, {p.id: p.target for p in saved.plan.points}
        for item in predictions(records):
            machines = {targets.get(point, "") for point in item.points}
            if len(machines) == 1 and noise.get(machine := machines.pop()) is not None:
                found.setdefault((machine, item.emulated), []).append(item)
    return [
        MachineAgreement(machine, emulated, agreement)
        for (machine, emulated), items in sorted(found.items())
        for agreement in agreements(items)
    ]

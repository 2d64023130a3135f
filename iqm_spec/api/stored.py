"""A stored run as an object: its spec, verdicts, points and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from html import escape
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.api.point import Point
from iqm_spec.diagnostics import printable
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.plan.label import count, short
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredText, content_json

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from iqm_spec.analysis.merit import Analysed
    from iqm_spec.report import Subject


@frozen
class SpecText:
    """The spec's name, its text as written, its language (`yaml` or `toml`) and its digest."""

    name: str
    text: str
    language: str
    digest: str


@frozen
class StageVerdict:
    """How a stage ended: `passed`, `failed`, `refused`, `waived`, `skipped`, `waiting`, `unknown`.

    `emulated` is True if an emulator took the place of the server.
    """

    stage: str
    status: str
    emulated: bool
    reasons: tuple[str, ...]


@frozen(slots=False, repr=False)
class Run:
    """A run of a results folder. Reads the folder, and runs nothing."""

    store: Store
    saved: SavedRun

    @property
    def id(self) -> str:
        """The run's id."""
        return self.saved.state.id

    @property
    def status(self) -> str:
        """`done`, `unfinished`, `interrupted`, or the status of the stage that did not pass."""
        return self.saved.status

    @cached_property
    def spec(self) -> SpecText:
        """The spec of the run, without values of `--set` (see `overridden`)."""
        with self._readable("its spec"):
            source = self.store.get(self.saved.state.start.text, StoredText)
            spec = self.saved.state.start.spec
            return SpecText(spec.name, source.text, source.language or "yaml", spec.digest)

    @property
    def overridden(self) -> Mapping[str, Json]:
        """Values of `--set`, by their paths."""
        return dict(self.saved.state.start.set or {})

    @property
    def verdicts(self) -> tuple[StageVerdict, ...]:
        """The verdict of each stage that ended, in order."""
        with self._readable("its verdicts"):
            return tuple(
                StageVerdict(stage.stage, stage.status, stage.emulated, stage.verdict)
                for stage in self.saved.stages
            )

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of the run, in order."""
        return self.saved.state.start.wanted

    @property
    def environment(self) -> Mapping[str, Any]:
        """`versions` and `platform` of the run."""
        with self._readable("its environment"):
            environment = self.saved.environment(self.store)
            return {} if environment is None else content_json(environment)

    def each_point(self) -> Iterator[Point]:
        """Iterate over the points, few in memory at a time: simulated ones first, then measured.

        A mock's random bits are never included.
        """
        for row in self.saved.each_row(self.store):
            yield Point(row, self.store, self.saved, lambda: self.subject)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """All points of `each_point`."""
        return tuple(self.each_point())

    def analyses(self) -> tuple[Analysed, ...]:
        """Results of the spec's `analysis`; by default distances."""
        from iqm_spec.analysis.run_analyses import analyze_run

        return analyze_run(self.store, self.saved)

    def to_dataframe(self) -> pd.DataFrame:
        """A pandas table, one row per point and stage (docs/python.md has the columns)."""
        from iqm_spec.api.tables import dataframe

        return dataframe(self.each_point(), self._axes)

    def to_xarray(self) -> xr.Dataset:
        """An xarray dataset over `circuit`, `stage`, `repeat` and the axes (docs/python.md).

        Missing points are NaN. Raises UsageError for points that are too scattered for an array.
        """
        from iqm_spec.api.tables import dataset

        attributes = {"run": self.id, "spec": self.spec.name, "spec_digest": self.spec.digest}
        return dataset(self.to_dataframe(), self._axes, attributes)

    @property
    def _axes(self) -> list[str]:
        points = self.saved.plan.points
        return list(dict.fromkeys(name for point in points for name, _ in point.values))

    @cached_property
    def subject(self) -> Subject:
        """The data of a report."""
        from iqm_spec.report import subject_of

        return subject_of(self.store, self.saved)

    def report(self) -> str:
        """The report as one HTML page, as `iqm-spec report` writes it."""
        from iqm_spec.report import report_of, to_html

        return to_html(report_of(self.subject))

    @contextmanager
    def _readable(self, what: str) -> Iterator[None]:
        """Raises StoreCorrupt if the run's journal, perhaps a stranger's, has invalid fields."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreCorrupt(
                f"run {self.id}: cannot read {what}", hint="`iqm-spec verify` reports all problems"
            ) from error

    def __repr__(self) -> str:
        number = len(self.saved.plan.points)
        return f"<Run {self.id}: {self.saved.about}, {count(number, 'point')}, {self.status}>"

    def _repr_html_(self) -> str:
        verdicts = ", ".join(
            f"{stage_label(verdict.stage, verdict.emulated)} {verdict.status}"
            for verdict in self.verdicts
        )
        return html(self.id, f"{self.saved.about}: {verdicts or self.status}", self.each_point())


def load(results: str | PathLike[str] = "results", run: str = "latest") -> Run:
    """Load a run of a results folder: by its id, a unique prefix, its spec's name, or `latest`.

    Raises `UsageError` if the folder or run does not exist, `StoreCorrupt` if its files are
    damaged.
    """
    try:
        root = Path(results)
    except TypeError as error:
        raise UsageError(
            f"a results folder is a path, not {results!r}",
            hint="iqm_spec.load('results', 'latest')",
        ) from error
    if not root.is_dir():
        raise UsageError(
            f"no results folder at {printable(root.as_posix())}",
            hint="`iqm_spec.run(spec)` creates it",
        )
    store = Store(root)
    return Run(store, load_run(store, str(run)))


MOST_ROWS = 20
_TOP = 3


def html(title: str, about: str, points: Iterable[Point]) -> str:
    """A run and its first points as an HTML table."""
    shown = list(islice(points, MOST_ROWS + 1))
    rows = ""
    for point in shown[:MOST_ROWS]:
        at = ", ".join(f"{axis}={short(value)}" for axis, value in point.values.items())
        at += f" #{point.repeat}" if point.repeat > 1 else ""
        top = sorted(point.outcomes.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
        total = max(1, sum(point.outcomes.values()))
        outcomes = ", ".join(f"{bits} {count / total:.0%}" for bits, count in top)
        fidelity = ""
        if (comparison := point.comparison) is not None:
            value, error = comparison["hellinger_fidelity"], comparison["hellinger_fidelity_error"]
            fidelity = f"{value:.3f} ± {error:.3f}"
        stage = "emulated" if point.emulated else point.stage
        shots = f"{point.shots_returned or 0:,}"
        cells = (point.circuit_name, at, stage, shots, outcomes, fidelity)
        rows += f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
    more = "<p>... and more: <code>.to_dataframe()</code> lists all</p>" * (len(shown) > MOST_ROWS)
    heads = ("circuit", "at", "stage", "shots", "most frequent", "fidelity")
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return (
        f"<div><strong>{escape(title)}</strong> {escape(about)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"
    )

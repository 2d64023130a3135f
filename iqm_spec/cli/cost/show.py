"""`iqm-spec cost show [MODEL.json]`: a model in words, and predicted against measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import frozen

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel

SUFFIXES = (".svg", ".html", ".png")
"""Of the files that a picture is written to."""

_SMALLEST = 1e-9
"""Seconds that stand for 0 on a logarithmic axis."""


@click.command()
@click.argument("model", metavar="[MODEL.json]", required=False, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "target", metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the picture to a .svg, .html or .png file.",
)  # fmt: skip
@json_option
def command(model: Path | None, target: Path | None, as_json: bool) -> int:
    """Show a time model: its law, data and errors, and predicted against measured as a picture.

    Without MODEL.json: models of the published timing tables of three IQM machines. A predicted
    time is that of a fit which the job took no part in.
    """
    from iqm_spec.cli.cost.model_text import model_json
    from iqm_spec.cli.files import write_bytes
    from iqm_spec.cli.options import read_model
    from iqm_spec.cost.timing_tables import measured_machines

    models = {} if model is None else {printable(model.name): read_model(model)}
    models = models or measured_machines()
    if target is not None:
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            raise UsageError(
                f"{target.name!r} is no name of a picture", hint=f"it ends in {', '.join(SUFFIXES)}"
            )
        write_bytes(target, _picture(models, suffix))
    if as_json:
        bodies = {title: model_json(shown) for title, shown in models.items()}
        return output.answer({"models": bodies})
    for number, (title, shown) in enumerate(models.items()):
        _print(title, shown, gap=number > 0)
    if target is not None:
        click.echo(f"wrote {printable(target.as_posix())}")
    return int(ExitCode.DONE)


def _picture(models: Mapping[str, TimeModel], suffix: str) -> bytes:
    """The bytes of a file with one plot per model, by title."""
    from iqm_spec.cli.cost.model_text import measured_rows
    from iqm_spec.plots.style import styled
    from iqm_spec.plots.svg import page_of
    from iqm_spec.plots.times import TimedJob, predicted_against_measured

    jobs = {
        title: [
            TimedJob(
                row["measured"],
                row["predicted"],
                wild,
                ", ".join(f"{name} {value:.4g}" for name, value in row.items()),
            )
            for row, wild in zip(measured_rows(model), model.wild, strict=True)
        ]
        for title, model in models.items()
    }
    figure = predicted_against_measured(jobs)
    if suffix == ".html":
        title = f"Predicted against measured QPU times: {', '.join(models)}"
        return page_of(figure, title).encode("utf-8")
    file = BytesIO()
    with styled():
        if suffix == ".svg":
            none = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(file, format="svg", metadata=none)
        else:
            figure.savefig(file, format="png", dpi=144, metadata={"Software": None})
    return file.getvalue()


def _print(title: str, model: TimeModel, *, gap: bool) -> None:
    from iqm_spec.cli.cost.model_text import lines_of, measured_rows, plain_stdout, source_words

    console = output.console()
    if gap:
        click.echo()
    source = source_words(model)
    for line in [title + (f" ({source})" if source else ""), *lines_of(model)]:
        click.echo(output.fitted(line, console))
    rows = zip(measured_rows(model), model.wild, strict=True)
    points = [(row["measured"], row["predicted"], wild) for row, wild in rows]
    click.echo()
    for line in scatter(points, console.width, plain=plain_stdout()):
        click.echo(line)


@frozen
class Characters:
    """What a plot in a terminal is drawn with; `marks` are for one job, for a few and for many."""

    marks: tuple[str, str, str]
    wild: str
    equal: str
    vertical: str
    horizontal: str
    corner: str
    tick: str


UNICODE = Characters(("·", "○", "●"), "\u00d7", "\u2571", "│", "─", "└", "┤")
"""With a multiplication sign and a box drawing's diagonal."""

ASCII = Characters((".", "o", "@"), "x", "/", "|", "-", "+", "+")

LEAST_COLUMNS, MOST_COLUMNS = 40, 96

_MARGIN = 8
"""Columns for the figures of the upright axis."""

_FEW = 3
_STEPS = (1.0, 2.0, 5.0)


@frozen
class _Axis:
    """A logarithmic axis that both directions share, in log10 of seconds."""

    low: float
    high: float

    def cell(self, seconds: float, cells: int) -> int:
        at = (math.log10(seconds) - self.low) / (self.high - self.low)
        return min(max(round(at * (cells - 1)), 0), cells - 1)

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten in the axis; powers of ten where those are many."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        steps = [step * 10.0**power for power in powers for step in _STEPS]
        inside = [step for step in steps if self.low <= math.log10(step) <= self.high]
        tens = [step for step in inside if math.isclose(math.log10(step) % 1, 0, abs_tol=1e-9)]
        return tens if len(inside) > 9 and len(tens) > 1 else inside


def scatter(
    points: Sequence[tuple[float, float, bool]], width: int, *, plain: bool = False
) -> list[str]:
    """Lines of a plot of (measured, predicted, wild) in seconds, at most `width` columns wide.

    The diagonal is where predicted equals measured; `plain` keeps to ASCII.
    """
    characters = ASCII if plain else UNICODE
    columns = min(max(width, LEAST_COLUMNS), MOST_COLUMNS) - _MARGIN
    rows = max(10, round(columns / 3.2))
    # from a little below the smallest time to a little above the largest
    logs = [math.log10(max(seconds, _SMALLEST)) for x, y, _ in points for seconds in (x, y)]
    margin = max(0.04 * (max(logs) - min(logs)), 0.05)
    axis = _Axis(min(logs) - margin, max(logs) + margin)
    # rows from below, with the line of equal times
    grid = [[" "] * columns for _ in range(rows)]
    for row in range(rows):
        grid[row][round(row * (columns - 1) / (rows - 1))] = characters.equal
    jobs: Counter[tuple[int, int]] = Counter()
    wild_places = set()
    for measured, predicted, wild in points:
        place = (
            axis.cell(max(predicted, _SMALLEST), rows),
            axis.cell(max(measured, _SMALLEST), columns),
        )
        jobs[place] += 1
        if wild:
            wild_places.add(place)
    single, few, many = characters.marks
    for (row, column), number in jobs.items():
        grid[row][column] = single if number == 1 else few if number <= _FEW else many
    for row, column in wild_places:
        grid[row][column] = characters.wild
    marks = f"{single} 1 job  {few} 2-{_FEW}  {many} more"
    return [
        "predicted (s)",
        *_framed(grid, axis, characters),
        *_below(axis, columns, characters),
        f"{marks}  {characters.wild} wild  {characters.equal} equal",
    ]


def _framed(grid: Sequence[Sequence[str]], axis: _Axis, characters: Characters) -> list[str]:
    """The grid with its upright axis, highest row first."""
    labels = {axis.cell(tick, len(grid)): tick for tick in axis.ticks()}
    lines = []
    for row in range(len(grid) - 1, -1, -1):
        label = f"{labels[row]:g}" if row in labels else ""
        side = characters.tick if row in labels else characters.vertical
        lines.append(f"{label:>{_MARGIN - 2}} {side}{''.join(grid[row])}".rstrip())
    return lines


def _below(axis: _Axis, columns: int, characters: Characters) -> list[str]:
    """The flat axis, its figures where they do not touch, and its name."""
    figures = [" "] * (columns + _MARGIN)
    last = -1
    for tick in axis.ticks():
        text = f"{tick:g}"
        start = _MARGIN + axis.cell(tick, columns) - len(text) // 2
        if start > last and start + len(text) <= len(figures):
            figures[start : start + len(text)] = text
            last = start + len(text)
    name = "measured (s)"
    return [
        " " * (_MARGIN - 1) + characters.corner + characters.horizontal * columns,
        "".join(figures).rstrip(),
        " " * max(_MARGIN + columns - len(name), 0) + name,
    ]

"""`iqm-spec cost show [MODEL.json]`: a model in words, and predicted against measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode

if TYPE_CHECKING:
    from iqm_spec.cost.time_model import TimeModel


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
    from iqm_spec.cli.cost.words import model_json

    models = _models(model)
    if target is not None:
        _write(target, models)
    if as_json:
        told = {title: model_json(one) for title, one in models.items()}
        output.answer({"models": told, "exit": int(ExitCode.DONE)})
        return int(ExitCode.DONE)
    for number, (title, one) in enumerate(models.items()):
        _tell(title, one, gap=number > 0)
    if target is not None:
        click.echo(f"wrote {printable(target.as_posix())}")
    return int(ExitCode.DONE)


def _models(path: Path | None) -> Mapping[str, TimeModel]:
    from iqm_spec.cli.options import read_model
    from iqm_spec.cost.timing_tables import measured_machines

    if path is None:
        return measured_machines()
    return {printable(path.name): read_model(path)}


def _write(target: Path, models: Mapping[str, TimeModel]) -> None:
    from iqm_spec.cli.cost.chart import picture, require_ending
    from iqm_spec.cli.files import write_bytes

    require_ending(target)
    write_bytes(target, picture(models, target.suffix.lower()))


def _tell(title: str, model: TimeModel, *, gap: bool) -> None:
    from iqm_spec.cli.cost.picture import scatter
    from iqm_spec.cli.cost.words import lines_of, measured_rows, plain_stdout, source_words

    console = output.console()
    if gap:
        click.echo()
    source = source_words(model)
    for line in [title + (f" ({source})" if source else ""), *lines_of(model, more=True)]:
        click.echo(output.fitted(line, console))
    rows = zip(measured_rows(model), model.wild, strict=True)
    points = [(row["measured"], row["predicted"], wild) for row, wild in rows]
    click.echo()
    for line in scatter(points, console.width, plain=plain_stdout()):
        click.echo(line)

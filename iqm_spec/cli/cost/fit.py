"""`iqm-spec cost fit TIMINGS.csv|RESULTS_DIR -o MODEL.json`: from measured jobs to a time model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import json_option
from iqm_spec.diagnostics import printable
from iqm_spec.errors import Refused, UsageError
from iqm_spec.plan.label import count

if TYPE_CHECKING:
    from iqm_spec.cost.job_shape import Timing
    from iqm_spec.json_types import Json
    from iqm_spec.stages.server.tariff import Measured


MANY_JOBS = 5_000
"""Jobs from which on a fit takes so long that it is announced."""


@click.command()
@click.argument("source", metavar="TIMINGS.csv|RESULTS_DIR", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "target", required=True, metavar="MODEL.json",
    type=click.Path(path_type=Path, dir_okay=False), help="The file to write the model to.",
)  # fmt: skip
@click.option("--computer", metavar="ALIAS", help="Of a results folder: jobs of this computer.")
@click.option(
    "--server", "server_id", metavar="SERVER", help="Of a results folder: this server's jobs."
)
@click.option(
    "--conditions", metavar="TEXT",
    help="Of a results folder: jobs with these options, as `fit` names them. Default: plain.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@json_option
def command(
    source: Path,
    target: Path,
    computer: str | None,
    server_id: str | None,
    conditions: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Fit a time model to the measured jobs of a table or a results folder.

    The table has the columns num_qubits, depth, circuits, shots and qpu_seconds, one row per job.
    A results folder has measured each job of the hardware stage that was executed.
    """
    from iqm_spec.cli.cost.model_text import lines_of, model_json
    from iqm_spec.cli.files import write_text
    from iqm_spec.cost.accuracy import checked_fit
    from iqm_spec.cost.timing_tables import read_timings

    if target.is_file() and not force:
        raise Refused(
            f"{printable(target.as_posix())} exists and is left alone",
            hint="name another file, or write over it with --force",
        )
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{printable(source.as_posix())} cannot be the table and the model")
    if source.is_dir():
        timings, origin, notes = _of_folder(source, computer, server_id, conditions)
    elif computer or server_id or conditions:
        raise UsageError("--computer, --server and --conditions are for a results folder")
    else:
        table = read_timings(source)
        timings, origin, notes = table.timings, {"source": source.name}, list(table.notes)
    if len(timings) > MANY_JOBS:
        output.say(f"fitting {count(len(timings), 'job')}: 20,000 take more than a minute")
    model = checked_fit(timings, origin)
    write_text(target, json.dumps(model.to_json(), allow_nan=False) + "\n")
    name = printable(target.as_posix())
    if as_json:
        return output.answer({"model": name, **model_json(model), "notes": notes})
    console = output.console()
    for line in [*lines_of(model), *(f"note: {note}" for note in notes)]:
        click.echo(output.fitted(line, console))
    click.echo(f"wrote {name}; now: iqm-spec cost predict {name} JOBS.csv")
    return 0


def _of_folder(
    path: Path, computer: str | None, server_id: str | None, conditions: str | None
) -> tuple[Sequence[Timing], dict[str, Json], list[str]]:
    from iqm_spec.stages.server.tariff import timings_of
    from iqm_spec.store import Store, is_results_folder

    name = printable(path.as_posix())
    if not is_results_folder(path):
        raise UsageError(
            f"{name} is no results folder", hint="name a timing table, or what `run` wrote"
        )
    groups = timings_of(Store(path), computer=computer, server_id=server_id)
    chosen = the_group(groups, conditions, name)
    origin: dict[str, Json] = {
        "source": path.name or name,
        "computer": chosen.computer,
        "realm": chosen.server_id,
        "emulated": chosen.emulated,
        "conditions": chosen.conditions,
    }
    notes = [f"not used: {_named(group)}" for group in groups if group is not chosen]
    if chosen.emulated:
        notes.append("an emulator took these times: they say nothing of a quantum computer")
    return chosen.timings, origin, notes


def the_group(groups: Sequence[Measured], conditions: str | None, folder: str) -> Measured:
    """The group that is meant; UsageError where that is none, or more than one."""
    if not groups:
        raise UsageError(
            f"{folder} has no measured job of that kind",
            hint="jobs of the hardware stage are measured; a timing table can be fitted too",
        )
    machines = {(group.computer, group.server_id, group.emulated) for group in groups}
    matching = [group for group in groups if group.conditions == (conditions or "plain")]
    if len(machines) == 1 and len(groups) == 1 and conditions is None:
        matching = list(groups)
    if len(machines) == 1 and len(matching) == 1:
        return matching[0]
    names = "; ".join(_named(group) for group in groups)
    if len({machine[0] for machine in machines}) > 1:
        hint = "choose one with --computer ALIAS"
    elif len(machines) > 1:
        hint = "choose one with --server SERVER"
    else:
        hint = "choose one with --conditions"
    raise UsageError(
        f"a model is of one machine and one kind of job; {folder} has {names}", hint=hint
    )


def _named(group: Measured) -> str:
    jobs = count(len(group.timings), "job")
    emulated = ", emulated" if group.emulated else ""
    return printable(
        f"{group.computer} at {group.server_id} ({group.conditions}{emulated}): {jobs}"
    )

"""`iqm-spec archive RUN`: write a run as a zip file for publication, an RO-Crate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.archive.archive import added_files, prepare
from iqm_spec.archive.citation import Citation, date_of, given_citation, person_of, read_citation
from iqm_spec.archive.contents import contents_of
from iqm_spec.archive.texts import about
from iqm_spec.cli import output
from iqm_spec.cli.files import write_with
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.diagnostics import printable
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import ExitCode, UsageError
from iqm_spec.store import Store


@click.command()
@click.argument("run", default="latest")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip", help="Default: the run's id with .zip.",
)  # fmt: skip
@click.option(
    "--license", "license", metavar="SPDX|URL", help="License of the results, e.g. CC-BY-4.0."
)
@click.option(
    "--author", "authors", multiple=True, metavar="PERSON",
    help='"Family, Given <https://orcid.org/...>"; repeatable.',
)  # fmt: skip
@click.option("--anonymous", is_flag=True, help="Name no author.")
@click.option(
    "--citation", type=click.Path(path_type=Path, dir_okay=False), metavar="CITATION.cff",
    help="Read authors, title and license from this file, and include it.",
)  # fmt: skip
@click.option(
    "--agent", "agents", multiple=True, metavar="PERSON",
    help="Who carried the run out; repeatable. Default: nobody is named.",
)  # fmt: skip
@click.option("--title", help="Default: the citation file's title, else the spec's name.")
@click.option(
    "--date", metavar="YYYY-MM-DD", help="Date of publication. Default: the day the run ended."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@stored_results_option
@json_option
def command(
    run: str,
    target: Path | None,
    license: str | None,
    authors: Sequence[str],
    anonymous: bool,
    citation: Path | None,
    agents: Sequence[str],
    title: str | None,
    date: str | None,
    force: bool,
    results: Path,
    as_json: bool,
) -> int:
    """Write RUN and its dependencies as a zip file for publication: a Workflow Run RO-Crate.

    The archive unpacks to a results folder for `verify`, `status`, `export` and `reproduce`, with
    the spec, a README.md, a CITATION.cff and ro-crate-metadata.json. A license and authors (or
    --anonymous) are required: exit code 2 without them. The same run and the same options give the
    same bytes.
    """
    cited = _citation(license, authors, anonymous=anonymous, path=citation)
    people = tuple(map(person_of, agents))
    day = None if date is None else date_of(date)
    store = Store(results)
    saved = load_run(store, run)
    path = target or Path(f"{saved.state.id}.zip")
    if path.exists() and not (force and path.is_file()):
        raise UsageError(
            f"{printable(path.as_posix())} exists already", hint="--force overwrites a file"
        )
    contents = contents_of(store, saved)
    words = about(contents, cited, title, day, people)
    archive = prepare(store, contents, words, added_files(store, saved))
    size, digest = write_with(path, archive.write)
    if saved.status != "done":
        output.say(f"note: run {saved.state.id} is {saved.status}; its archive is incomplete, too")
    for left_out in contents.left_out:
        output.say(
            printable(
                f"note: the path of the circuit file {left_out} may lead out of the spec's folder: "
                "the archive has this file in objects/ only, and its copy of the spec cannot read "
                "it"
            )
        )
    if as_json:
        return output.answer(
            {
                "run": saved.state.id,
                "archive": path.as_posix(),
                "sha256": digest,
                "bytes": size,
                "files": len(archive.entries),
            }
        )
    click.echo(f"{printable(path.as_posix())}: {len(archive.entries):,} files, {size:,} bytes")
    click.echo(f"sha256 {digest}")
    return int(ExitCode.DONE)


def _citation(
    license: str | None, authors: Sequence[str], *, anonymous: bool, path: Path | None
) -> Citation:
    if path is None:
        return given_citation(license, authors, anonymous=anonymous)
    if authors or anonymous:
        raise UsageError(
            f"{printable(path.name)} names the authors already",
            hint="give --citation, or --author and --anonymous, but not both",
        )
    return read_citation(path, license)

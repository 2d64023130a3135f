"""`iqm-spec archive RUN`: the run as one zip to publish, an RO-Crate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.archive.archive import added_files, prepare
from iqm_spec.archive.citation import (
    Citation,
    date_of,
    given_citation,
    person_of,
    read_citation,
)
from iqm_spec.archive.contents import Contents, contents_of
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
@click.option("--license", "licence", metavar="SPDX|URL", help="Of the results, e.g. CC-BY-4.0.")
@click.option(
    "--author", "authors", multiple=True, metavar="PERSON",
    help='"Family, Given <https://orcid.org/...>"; once for each.',
)  # fmt: skip
@click.option("--anonymous", is_flag=True, help="No author is named.")
@click.option(
    "--citation", type=click.Path(path_type=Path, dir_okay=False), metavar="CITATION.cff",
    help="Authors, title and licence from this file, which the archive then holds.",
)  # fmt: skip
@click.option(
    "--agent", "agents", multiple=True, metavar="PERSON",
    help="Who carried the run out, where that shall be told.",
)  # fmt: skip
@click.option("--title", help="Default: that of the citation file, else the spec's name.")
@click.option("--date", metavar="YYYY-MM-DD", help="Of publication. Default: when the run ended.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@stored_results_option
@json_option
def command(
    run: str,
    target: Path | None,
    licence: str | None,
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
    """Write RUN and all that it needs into a zip: a Workflow Run RO-Crate, ready to be published.

    Unpacked it is a results folder that `verify`, `status`, `export` and `reproduce` work on, with
    the spec, a README.md, a CITATION.cff and ro-crate-metadata.json. Licence and authors are asked
    for: exit code 2 without them. The same run and the same words give the same bytes.
    """
    cited = _citation(licence, authors, anonymous=anonymous, path=citation)
    people = tuple(map(person_of, agents))
    day = None if date is None else date_of(date)
    store = Store(results)
    saved = load_run(store, run)
    path = target or Path(f"{saved.state.id}.zip")
    if path.exists() and not (force and path.is_file()):
        raise UsageError(
            f"{printable(path.as_posix())} is there already", hint="--force replaces a file"
        )
    contents = contents_of(store, saved)
    words = about(contents, cited, title, day, people)
    archive = prepare(store, contents, words, added_files(store, saved))
    size, digest = write_with(path, archive.write)
    _warn(contents)
    if as_json:
        output.answer(
            {
                "run": saved.state.id,
                "archive": path.as_posix(),
                "sha256": digest,
                "bytes": size,
                "files": len(archive.entries),
                "exit": int(ExitCode.DONE),
            }
        )
        return int(ExitCode.DONE)
    click.echo(f"{printable(path.as_posix())}: {len(archive.entries):,} files, {size:,} bytes")
    click.echo(f"sha256 {digest}")
    return int(ExitCode.DONE)


def _citation(
    licence: str | None, authors: Sequence[str], *, anonymous: bool, path: Path | None
) -> Citation:
    if path is None:
        return given_citation(licence, authors, anonymous=anonymous)
    if authors or anonymous:
        raise UsageError(
            f"{printable(path.name)} names the authors", hint="leave --author or --citation out"
        )
    return read_citation(path, licence)


def _warn(contents: Contents) -> None:
    """Tell what a reader of the archive might miss, or its author not want to publish."""
    saved = contents.saved
    if saved.status != "done":
        output.say(f"note: run {saved.state.id} is {saved.status}: the archive holds what is there")
    for path in contents.left_out:
        output.say(
            printable(
                f"note: the path of the circuit file {path} may lead out of the spec's folder: the "
                "archive holds the file in objects/ alone, and its spec does not find it"
            )
        )

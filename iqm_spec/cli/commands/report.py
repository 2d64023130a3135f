"""`iqm-spec report RUN [RUN]`: a run, or two compared, as one page or as Markdown with drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iqm_spec.cli import output
from iqm_spec.cli.files import make_folder, write_text
from iqm_spec.cli.gaps import warn_of_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.diagnostics import printable
from iqm_spec.engine.saved import SavedRun, load_run
from iqm_spec.errors import UsageError
from iqm_spec.results.gaps import Gaps
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.report import Document

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}


@click.command()
@click.argument("runs", metavar="RUN [RUN]", nargs=-1)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.html or FILE.md. Default: the run's id, in this folder.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["html", "md"]), help="Default: by the file's name, html."
)
@stored_results_option
@json_option
def command(
    runs: tuple[str, ...], target: Path | None, kind: str | None, results: Path, as_json: bool
) -> int:
    """Write a report of RUN, or of two runs beside each other, to be read without this program.

    HTML is one file that opens from disk and asks nothing of a network. Markdown has its drawings
    as SVG files in a folder beside it. RUN is a run's id, a unique part of its beginning, a spec's
    name, or `latest` (the default). A file of that name is written over. Exit code 7 where results
    were lost.
    """
    from iqm_spec.report import to_html

    if len(runs) > 2:
        raise UsageError("a report is of one run, or of two that are compared")
    store = Store(results)
    saved = [load_run(store, one) for one in runs or ("latest",)]
    kind = kind or _kind_of(target)
    target = target or Path(f"{'-beside-'.join(one.state.id for one in saved)}.{kind}")
    document, gaps = _made(store, saved)
    files = {target: to_html(document)} if kind == "html" else _markdown(document, target)
    for path, text in files.items():
        write_text(path, text)
    code = max(warn_of_gaps(one.state.id, found) for one, found in zip(saved, gaps, strict=True))
    _tell(saved, files, code, as_json=as_json)
    return code


def _made(store: Store, saved: Sequence[SavedRun]) -> tuple[Document, list[Gaps]]:
    from iqm_spec.report import comparison_of, report_of, subject_of

    subjects = [subject_of(store, one) for one in saved]
    found = [one.gaps for one in subjects]
    if len(subjects) == 1:
        return report_of(subjects[0]), found
    return comparison_of(*subjects), found


def _kind_of(target: Path | None) -> str:
    if target is None:
        return "html"
    kind = SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{printable(target.name)}: a report is written as .html or .md",
            hint="name the file so, or give --format",
        )
    return kind


def _markdown(document: Document, target: Path) -> dict[Path, str]:
    """The text and its drawings; their folder is made where it is not there."""
    from iqm_spec.report import to_markdown

    folder = target.with_name(f"{target.stem}-figures")
    text, drawings = to_markdown(document, folder.name)
    make_folder(folder)
    return {**{folder / name: drawn for name, drawn in drawings.items()}, target: text}


def _tell(
    saved: Sequence[SavedRun], files: Mapping[Path, str], code: int, *, as_json: bool
) -> None:
    main = list(files)[-1]
    size = sum(len(text.encode()) for text in files.values())
    if as_json:
        output.answer(
            {
                "runs": [one.state.id for one in saved],
                "file": main.as_posix(),
                "files": len(files),
                "bytes": size,
                "exit": code,
            }
        )
        return
    more = f" and {len(files) - 1} drawings beside it" if len(files) > 1 else ""
    output.say(f"{printable(main.as_posix())}{more}: {size / 1000:,.0f} kB")

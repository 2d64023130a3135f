"""`iqm-spec report RUN [RUN]`: write a report of a run, or of two, as HTML or Markdown."""

from __future__ import annotations

from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.files import make_folder, write_text
from iqm_spec.cli.gaps import warn_of_gaps
from iqm_spec.cli.options import json_option, stored_results_option
from iqm_spec.diagnostics import printable
from iqm_spec.engine.saved import load_run
from iqm_spec.errors import UsageError
from iqm_spec.store import Store

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}


@click.command()
@click.argument("runs", metavar="RUN [RUN]", nargs=-1)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.html or FILE.md. Default: the run's id, in the current folder.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["html", "md"]),
    help="Default: by the file's suffix, else html.",
)  # fmt: skip
@stored_results_option
@json_option
def command(
    runs: tuple[str, ...], target: Path | None, kind: str | None, results: Path, as_json: bool
) -> int:
    """Write a report of RUN, or of two runs side by side.

    HTML is one file that needs no network. Markdown comes with a folder of SVG figures. RUN is a
    run's id, a unique prefix of it, a spec's name, or `latest` (the default). Overwrites an
    existing file. Exit code 7 if results are lost.
    """
    from iqm_spec.report import comparison_of, report_of, subject_of, to_html, to_markdown

    if len(runs) > 2:
        raise UsageError("a report shows one run, or compares two")
    store = Store(results)
    saved = [load_run(store, name) for name in runs or ("latest",)]
    kind = kind or _kind_of(target)
    target = target or Path(f"{'-beside-'.join(run.state.id for run in saved)}.{kind}")
    subjects = [subject_of(store, run) for run in saved]
    document = comparison_of(*subjects) if len(subjects) == 2 else report_of(subjects[0])
    files: dict[Path, str] = {}
    if kind == "html":
        text = to_html(document)
    else:
        folder = target.with_name(f"{target.stem}-figures")
        text, figures = to_markdown(document, folder.name)
        make_folder(folder)
        files |= {folder / name: figure for name, figure in figures.items()}
    files[target] = text
    for path, content in files.items():
        write_text(path, content)
    code = max(warn_of_gaps(subject.id, subject.gaps) for subject in subjects)
    size = sum(len(content.encode()) for content in files.values())
    if as_json:
        return output.answer(
            {
                "runs": [run.state.id for run in saved],
                "file": target.as_posix(),
                "files": len(files),
                "bytes": size,
            },
            code,
        )
    more = f" and {len(files) - 1} figures" if len(files) > 1 else ""
    output.say(f"{printable(target.as_posix())}{more}: {size / 1000:,.0f} kB")
    return code


def _kind_of(target: Path | None) -> str:
    if target is None:
        return "html"
    kind = SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{printable(target.name)}: reports are written as .html or .md",
            hint="change the file's suffix, or give --format",
        )
    return kind

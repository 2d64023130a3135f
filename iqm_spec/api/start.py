"""Runs a spec from Python like `iqm-spec run`, with progress as lines of text."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from iqm_spec.api.stored import Run, load
from iqm_spec.engine.event_lines import SECONDS_BETWEEN_LINES, lines, pace
from iqm_spec.engine.prepare import Notify, UserSpec, prepare_run
from iqm_spec.engine.run import run_spec
from iqm_spec.engine.session import NO_CREDENTIALS, requested_server_id, session_of
from iqm_spec.errors import SpecError, UsageError
from iqm_spec.model import StageName
from iqm_spec.server_api.address import notice_of
from iqm_spec.source import Source, line_reader, parse_source, shown_path
from iqm_spec.source.scalars import is_plain_scalar
from iqm_spec.stages.events import Event, JobDone, RunDone, StageStarted, Transpiling
from iqm_spec.stages.interface import RunOptions
from iqm_spec.stages.server.budget import Bill
from iqm_spec.stages.server.tariff import CostOptions
from iqm_spec.store import Store

_MOST_WORKERS = 256


def run(
    spec: SpecInput,
    results: str | PathLike[str] = "results",
    server: str | None = None,
    *,
    yes: bool = False,
    until: str | None = None,
    workers: int = 1,
    fresh: bool = False,
    replan: bool = False,
    overrides: Sequence[str] = (),
    allow_code: Sequence[str] = (),
    max_credits: float | None = None,
    wait: float | None = None,
    folder: str | PathLike[str] = ".",
    tell: Notify | None = None,
) -> Run:
    """Run a spec, stage by stage. Results in the results folder are reused.

    Args:
        spec: A path, a YAML text or a mapping of fields.
        results: The results folder.
        server: An address or `emulator`; by default IQM_SERVER_URL or IQM Resonance.
        yes: Agree to jobs that cost credits. There is no prompt: without it, such a stage is
            `refused`.
        until: The last stage to run.
        workers: Processes of the Aer stage.
        fresh: Ignore cached results and run everything again.
        replan: Transpile again instead of using the stored plan.
        overrides: Texts as for `--set`, such as `shots=200`.
        allow_code: Modules whose `python:` generators may run.
        max_credits: Limit of the cost of this run, in credits.
        wait: Seconds after which to return while jobs continue; run the spec again to fetch them.
        folder: Folder of the circuit files of a text or a mapping.
        tell: Called with each line of progress; by default progress goes to stderr.

    A stage that does not pass raises no exception: look at `verdicts`. Raises `SpecError` with all
    errors of the spec, and the other errors of `iqm_spec.errors`.
    """
    report = tell or to_stderr
    _check(workers, max_credits, wait)
    if Path(results).exists() and not Path(results).is_dir():
        raise UsageError(f"{results} is not a folder", hint="results are stored in a folder")
    last = None if until is None else _stage(until)
    user_spec = UserSpec(
        source_of(spec, Path(folder)), _listed(overrides), _listed(allow_code), last
    )
    store, progress = Store(Path(results)), LineProgress(report)
    if notice := notice_of(server or os.environ.get("IQM_SERVER_URL")):
        report(f"note: {notice}")
    with session_of(server, Path(results)) as session:
        options = RunOptions(
            fresh=fresh,
            replan=replan,
            workers=workers,
            deadline=None if wait is None else time.monotonic() + wait,
            costs=CostOptions(most=max_credits),
            agree=consent(report, yes=yes),
            report=progress.show,
        )
        prepared = prepare_run(
            user_spec,
            store,
            session,
            options,
            report,
            why_no_server=NO_CREDENTIALS,
            server_id=requested_server_id(server),
        )
        run_id = ""
        for event in run_spec(prepared, store):
            progress.show(event)
            if isinstance(event, RunDone):
                run_id = event.run
        return load(results, run_id)


def consent(report: Notify, *, yes: bool) -> Callable[[Bill], bool]:
    """Report a bill, and answer `yes`."""

    def agree(bill: Bill) -> bool:
        report(f"about to {bill.text}: {bill.price}")
        for note in bill.notes:
            report(f"  {note}")
        if not yes:
            report("nothing is submitted without `yes=True`")
        return yes

    return agree


def _check(workers: int, max_credits: float | None, wait: float | None) -> None:
    try:
        in_range = 1 <= workers <= _MOST_WORKERS
    except TypeError:
        in_range = False
    if not in_range:
        raise UsageError(f"workers={workers!r} is out of range", hint=f"use 1 to {_MOST_WORKERS}")
    for name, value in (("max_credits", max_credits), ("wait", wait)):
        try:
            in_range = value is None or 0 <= value < float("inf")
        except TypeError:
            in_range = False
        if not in_range:
            raise UsageError(
                f"{name}={value!r} is out of range",
                hint="use a number from 0 up, or None for no limit",
            )


def _listed(texts: str | Sequence[str]) -> tuple[str, ...]:
    """A single text is one entry, not its letters."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _stage(name: str) -> StageName:
    try:
        return StageName(name)
    except ValueError:
        known = ", ".join(stage.value for stage in StageName)
        raise UsageError(f"until={name!r}: unknown stage", hint=f"choose from {known}") from None


SpecInput = str | PathLike[str] | Mapping[str, Any]
"""A path, the text of a spec in YAML (it has several lines), or its fields."""

TEXT = "<text>.yaml"
MAPPING = "<mapping>.yaml"
"""Used as the file's name in errors."""

_DEEPEST = 100


def source_of(spec: SpecInput, folder: Path) -> Path | Source:
    """The path of a file, or the source of a text or a mapping, with circuit files in `folder`.

    Raises SpecError if a text is invalid YAML, UsageError if a mapping has values of other types.
    """
    if isinstance(spec, Mapping):
        return _parsed(yaml_of(spec), folder / MAPPING)
    if isinstance(spec, str) and "\n" in spec:
        return _parsed(spec, folder / TEXT)
    if isinstance(spec, str | PathLike):
        return Path(spec)
    raise UsageError(
        f"a spec is a path, a text of YAML or a mapping, not {_kind(spec)}",
        hint="iqm_spec.run('experiment.yaml')",
    )


def yaml_of(spec: Mapping[str, Any]) -> str:
    """The fields as YAML, one per line, so that errors have lines. Converts numpy's values."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes texts that the reader of specs would not read as the same text."""

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = None if is_plain_scalar(text) and text.isprintable() else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    tree = _plain(spec, 0)

    def dumped(*, allow_unicode: bool) -> str:
        text: str = yaml.dump(
            tree, Dumper=Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100
        )
        return text

    text = dumped(allow_unicode=True)
    # a spec may have invisible characters only as escapes
    visible = all(char.isprintable() or char == "\n" for char in text)
    return text if visible else dumped(allow_unicode=False)


def _parsed(text: str, path: Path) -> Source:
    try:
        return parse_source(text.encode("utf-8", "surrogatepass"), path)
    except SpecError as error:
        error.line_of = line_reader((), {shown_path(path): text})
        raise


def _plain(value: Any, depth: int) -> Any:
    """New containers of plain values: YAML would write shared containers as aliases."""
    if depth > _DEEPEST:
        raise UsageError("the spec's mapping is nested too deeply")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise UsageError(f"the fields of a spec are texts, not {_kind(key)} {key!r}")
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(inner, depth + 1) for inner in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, PathLike):
        return fspath(value)
    raise UsageError(
        f"a spec has numbers, texts, lists and mappings, not {_kind(value)}",
        hint="use a number or a text instead",
    )


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def to_stderr(line: str) -> None:
    """Write a line to stderr, which notebooks and terminals show at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class LineProgress:
    """Reports events, and every few seconds the number of finished circuits or points."""

    def __init__(self, tell: Notify) -> None:
        self._tell = tell
        self._count("", "", 0)

    def show(self, event: Event) -> None:
        """Report one event."""
        for line in lines(event):
            self._tell(line)
        match event:
            case Transpiling(done, total):
                if done == 0:
                    self._count("transpiling", "circuits", total)
                self._advance(done)
            case StageStarted(stage, points, cached):
                self._count(stage.value, "points", points - cached)
            case JobDone(_, _, points):
                self._advance(self._done + points)
            case RunDone(run, again):
                self._tell(f"run {run}{', as before' if again else ''}")

    def _count(self, what: str, unit: str, total: int) -> None:
        self._what, self._unit, self._total, self._done = what, unit, total, 0
        self._started = self._last = time.monotonic()

    def _advance(self, done: int) -> None:
        self._done = done
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            seconds = now - self._started
            self._tell(pace(self._what, self._unit, done, self._total, seconds))

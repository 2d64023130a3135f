"""Runs a spec from Python as `iqm-spec run` does, with progress as lines."""

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
from iqm_spec.engine.session import NO_CREDENTIALS, session_of
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
    """Carry a spec out, stage by stage; what the results folder holds is not run again.

    `spec` is a path, a YAML text or a mapping of fields; circuit files of the latter two are looked
    for in `folder`. `server` is an address or `emulator`, by default IQM_SERVER_URL or IQM
    Resonance. Without `yes` nothing is submitted that might cost credits: such a stage is
    `refused`, and nobody is asked. `max_credits` bounds what this run may cost; after `wait`
    seconds jobs are left to the server, and running the spec again brings them in. `tell` hears a
    line whenever there is news (default: stderr). A stage that does not pass is no exception: look
    at `verdicts`. Raises `SpecError` with every mistake of the spec, and the other errors of
    `iqm_spec.errors`.
    """
    hear = tell or to_stderr
    _check(workers, max_credits, wait)
    if Path(results).exists() and not Path(results).is_dir():
        raise UsageError(f"{results} is no folder", hint="results are stored in a folder")
    last = None if until is None else _stage(until)
    given = UserSpec(source_of(spec, Path(folder)), _listed(overrides), _listed(allow_code), last)
    store, progress = Store(Path(results)), Progress(hear)
    if notice := notice_of(server or os.environ.get("IQM_SERVER_URL")):
        hear(f"note: {notice}")
    with session_of(server, Path(results)) as session:
        options = RunOptions(
            fresh=fresh,
            replan=replan,
            workers=workers,
            deadline=None if wait is None else time.monotonic() + wait,
            costs=CostOptions(most=max_credits),
            agree=consent(hear, yes=yes),
            report=progress.show,
        )
        prepared = prepare_run(given, store, session, options, hear, why_no_server=NO_CREDENTIALS)
        run_id = ""
        for event in run_spec(prepared, store):
            progress.show(event)
            if isinstance(event, RunDone):
                run_id = event.run
        return load(results, run_id)


def consent(hear: Notify, *, yes: bool) -> Callable[[Bill], bool]:
    """Tells a bill; `yes` is the answer."""

    def agree(bill: Bill) -> bool:
        hear(f"about to {bill.text}: {bill.price}")
        for note in bill.notes:
            hear(f"  {note}")
        if not yes:
            hear("nothing is submitted without `yes=True`")
        return yes

    return agree


def _check(workers: int, max_credits: float | None, wait: float | None) -> None:
    try:
        fits = 1 <= workers <= _MOST_WORKERS
    except TypeError:
        fits = False
    if not fits:
        raise UsageError(f"workers={workers!r} is out of range", hint=f"from 1 to {_MOST_WORKERS}")
    for name, value in (("max_credits", max_credits), ("wait", wait)):
        try:
            fits = value is None or 0 <= value < float("inf")
        except TypeError:
            fits = False
        if not fits:
            raise UsageError(
                f"{name}={value!r} is out of range", hint="a number from 0, or None for no limit"
            )


def _listed(texts: str | Sequence[str]) -> tuple[str, ...]:
    """A text alone is one text, not its letters."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def _stage(name: str) -> StageName:
    try:
        return StageName(name)
    except ValueError:
        known = ", ".join(stage.value for stage in StageName)
        raise UsageError(
            f"until={name!r}: there is no such stage", hint=f"one of {known}"
        ) from None


SpecInput = str | PathLike[str] | Mapping[str, Any]
"""A path, the text of a spec in YAML (it has several lines), or its fields."""

TEXT = "<text>.yaml"
MAPPING = "<mapping>.yaml"
"""Stand for the file's name where mistakes are told."""

_DEEPEST = 100


def source_of(spec: SpecInput, folder: Path) -> Path | Source:
    """The path of a file, or what a text or a mapping says, with its circuit files in `folder`.

    SpecError where a text is no YAML, UsageError where a mapping holds what no spec can.
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
    """The fields as YAML, a line each: mistakes point into it. Numpy's numbers are Python's."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes whatever our own reader would not take for that very text."""

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = None if is_plain_scalar(text) and text.isprintable() else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    tree = _plain(spec, 0)

    def dumped(*, allow_unicode: bool) -> str:
        told: str = yaml.dump(
            tree, Dumper=Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100
        )
        return told

    told = dumped(allow_unicode=True)
    # signs that nobody sees may stand in a spec as escapes alone
    seen = all(sign.isprintable() or sign == "\n" for sign in told)
    return told if seen else dumped(allow_unicode=False)


def _parsed(text: str, path: Path) -> Source:
    try:
        return parse_source(text.encode("utf-8", "surrogatepass"), path)
    except SpecError as error:
        error.line_of = line_reader((), {shown_path(path): text})
        raise


def _plain(value: Any, depth: int) -> Any:
    """Fresh containers of plain values: YAML would show shared ones as aliases."""
    if depth > _DEEPEST:
        raise UsageError("the spec's mapping is nested too deeply")
    if isinstance(value, Mapping):
        return {_key(key): _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(one, depth + 1) for one in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist(), depth + 1)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, PathLike):
        return fspath(value)
    raise UsageError(
        f"a spec holds numbers, texts, lists and mappings, not {_kind(value)}",
        hint="write a number or a text in its place",
    )


def _key(key: object) -> str:
    if isinstance(key, str):
        return str(key)
    raise UsageError(f"the fields of a spec are texts, not {_kind(key)} {key!r}")


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def to_stderr(line: str) -> None:
    """Writes a line to stderr, where notebooks and terminals show it at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class Progress:
    """Tells events, and every few seconds how many circuits or points are done."""

    def __init__(self, tell: Notify) -> None:
        self._tell = tell
        self._count("", "", 0)

    def show(self, event: Event) -> None:
        """Tell one event."""
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

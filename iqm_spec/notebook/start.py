"""Runs a spec from Python as `iqm-spec run` does, with progress as lines."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from iqm_spec.engine.prepare import GivenSpec, Tell, prepare_run
from iqm_spec.engine.run import run_spec
from iqm_spec.engine.session import NO_CREDENTIALS, session_of
from iqm_spec.errors import UsageError
from iqm_spec.model import StageName
from iqm_spec.notebook.given import Spec, source_of
from iqm_spec.notebook.progress import Progress, to_stderr
from iqm_spec.notebook.stored import Run, load
from iqm_spec.server_api.address import notice_of
from iqm_spec.stages.events import RunDone
from iqm_spec.stages.interface import RunOptions
from iqm_spec.stages.server.budget import Bill
from iqm_spec.stages.server.prices import CostOptions
from iqm_spec.store import Store

_MOST_WORKERS = 256


def run(
    spec: Spec,
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
    tell: Tell | None = None,
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
    given = GivenSpec(source_of(spec, Path(folder)), _listed(overrides), _listed(allow_code), last)
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


def consent(hear: Tell, *, yes: bool) -> Callable[[Bill], bool]:
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

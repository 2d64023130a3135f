"""Runs a spec from Python as `iqm-spec run` does, with progress as lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from iqm_spec.model import Stage
from iqm_spec.notebook.stored import Run, load
from iqm_spec.runs.events import RunDone
from iqm_spec.runs.load import Tell
from iqm_spec.runs.loop import carry_out
from iqm_spec.runs.prepare import Given, prepare
from iqm_spec.runs.request import Request
from iqm_spec.runs.session import NO_CREDENTIALS, session_of
from iqm_spec.runs.words import lines
from iqm_spec.source import Source, parse_source
from iqm_spec.stages.server.consent import Bill
from iqm_spec.store import Store

Spec = str | PathLike[str] | Mapping[str, Any]
"""A path, the text of a spec in YAML (it has several lines), or its fields."""


def run(
    spec: Spec,
    results: str | PathLike[str] = "results",
    *,
    server: str | None = None,
    yes: bool = False,
    until: str | None = None,
    workers: int = 1,
    fresh: bool = False,
    overrides: Sequence[str] = (),
    allow_code: Sequence[str] = (),
    folder: str | PathLike[str] = ".",
    tell: Tell | None = None,
) -> Run:
    """Carry a spec out, stage by stage; what the results folder holds is not run again.

    `spec` is a path, a YAML text or a mapping of fields; circuit files of the latter two are looked
    for in `folder`. `server` is an address or `emulator`, by default IQM_SERVER_URL or IQM
    Resonance. Without `yes` nothing is submitted that might cost credits: such a stage is
    `refused`. `tell` hears a line whenever there is news (default: stderr). A stage that does not
    pass is no exception: look at `verdicts`. Raises `SpecError` with every mistake of the spec, and
    the other errors of `iqm_spec.errors`.
    """
    hear = tell or _to_stderr
    store = Store(Path(results))
    last = None if until is None else Stage(until)
    with session_of(server, Path(results)) as session:
        given = Given(_source(spec, Path(folder)), tuple(overrides), tuple(allow_code), last)
        ready = prepare(given, store, session, hear, replan=False)
        request = Request(
            checked=ready.checked,
            until=last,
            fresh=fresh,
            workers=workers,
            session=session,
            why_no_session=NO_CREDENTIALS,
            pins=ready.pins,
            agree=consent(hear, yes=yes),
        )
        done = ""
        for event in carry_out(request, store):
            for line in lines(event):
                hear(line)
            if isinstance(event, RunDone):
                done = event.run
    return load(results, done)


def _source(spec: Spec, folder: Path) -> Path | Source:
    if isinstance(spec, Mapping):
        return parse_source(json.dumps(spec).encode(), folder / "spec.yaml")
    if isinstance(spec, str) and "\n" in spec:
        return parse_source(spec.encode(), folder / "spec.yaml")
    return Path(spec)


def consent(hear: Tell, *, yes: bool) -> Callable[[Bill], bool]:
    """Tells a bill; `yes` is the answer."""

    def agree(bill: Bill) -> bool:
        hear(f"about to {bill.text}: {bill.price}")
        if not yes:
            hear("nothing is submitted without `yes=True`")
        return yes

    return agree


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")

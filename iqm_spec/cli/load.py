"""From a path on the command line to a checked spec, with its notices told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from iqm_spec.check import Checked, check
from iqm_spec.cli import output
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.errors import SpecError


def load(path: Path, overrides: Sequence[str] = (), allowed_code: Sequence[str] = ()) -> Checked:
    """The spec of `path`, checked through and through; raises SpecError with every mistake."""
    checked, diagnostics, notices = examine(path, overrides, allowed_code)
    if checked is None:
        raise SpecError(tuple(diagnostics), tuple(overrides))
    for notice in notices:
        output.say(f"note: {notice}")
    return checked


def examine(
    path: Path, overrides: Sequence[str] = (), allowed_code: Sequence[str] = ()
) -> tuple[Checked | None, list[Diagnostic], tuple[str, ...]]:
    """As `load`, but the mistakes come back as data."""
    from iqm_spec.spec import read_and_build

    source, spec, diagnostics, notices = read_and_build(path, overrides)
    checked = None
    if source is not None and spec is not None:
        checked, more = check(spec, source, frozenset(allowed_code))
        diagnostics = [*diagnostics, *more]
    found = sorted(set(diagnostics))
    return None if found else checked, found, tuple(notices)

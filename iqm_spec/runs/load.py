"""From a path to a checked spec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from iqm_spec.check import BUILT_IN, Checked, MachineSource, check
from iqm_spec.circuits import CircuitError
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.errors import SpecError
from iqm_spec.plan.keys import plan_key
from iqm_spec.source import Source, line_reader
from iqm_spec.store import Store

Seen = Callable[[Checked], bool]
Tell = Callable[[str], None]
"""Hears a line for people."""


def load(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    store: Store | None = None,
    machines: MachineSource = BUILT_IN,
    tell: Tell = lambda _: None,
) -> Checked:
    """The spec of a file, or of a text that was read, checked through and through.

    Raises SpecError with every mistake.

    What `store` holds a plan of was checked when it was planned. `machines` are where its machines
    come from; `tell` hears notices.
    """
    seen = _planned_in(store)
    checked, diagnostics, notices = examine(path, overrides, allowed_code, seen, machines)
    if checked is None:
        texts = {path.file: path.text} if isinstance(path, Source) else {}
        lines = line_reader(overrides, texts)
        raise SpecError(tuple(diagnostics), tuple(overrides), lines)
    for notice in notices:
        tell(f"note: {notice}")
    return checked


def _planned_in(store: Store | None) -> Seen:
    def seen(checked: Checked) -> bool:
        try:
            return store is not None and store.find_answer(plan_key(checked)) is not None
        except CircuitError:  # a generator that is not there: the full check says so
            return False

    return seen


def examine(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    seen: Seen = lambda _: False,
    machines: MachineSource = BUILT_IN,
) -> tuple[Checked | None, list[Diagnostic], tuple[str, ...]]:
    """As `load`, but the mistakes come back as data."""
    from iqm_spec.spec import build_source, read_and_build

    read = build_source if isinstance(path, Source) else read_and_build
    source, spec, diagnostics, notices = read(path, overrides)  # type: ignore[arg-type]
    checked = None
    if source is not None and spec is not None:
        checked, more = check(spec, source, frozenset(allowed_code), seen, machines)
        diagnostics = [*diagnostics, *more]
    found = sorted(set(diagnostics))
    return None if found else checked, found, tuple(notices)

"""From a path to a checked spec, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from iqm_spec.diagnostics import Diagnostic
from iqm_spec.source import Source
from iqm_spec.spec.check import CheckedSpec, check_spec
from iqm_spec.spec.check_machines import BUILT_IN_MACHINES, MachineSource

IsPlanned = Callable[[CheckedSpec], bool]
"""Whether a spec has a stored plan, and was checked when that was made."""


def examine(
    path: Path | Source,
    overrides: Sequence[str] = (),
    allowed_code: Sequence[str] = (),
    is_planned: IsPlanned = lambda _: False,
    machines: MachineSource = BUILT_IN_MACHINES,
) -> tuple[CheckedSpec | None, list[Diagnostic], tuple[str, ...]]:
    """The checked spec, or None, with every mistake in order, and the notices.

    `path` is a file, or a text that was read. A spec that `is_planned` is not checked again.
    """
    from iqm_spec.spec.load import build_source, read_and_build

    read = build_source if isinstance(path, Source) else read_and_build
    source, spec, diagnostics, notices = read(path, overrides)  # type: ignore[arg-type]
    checked = None
    if source is not None and spec is not None:
        checked, check_diagnostics = check_spec(
            spec, source, frozenset(allowed_code), is_planned, machines
        )
        diagnostics = [*diagnostics, *check_diagnostics]
    mistakes = sorted(set(diagnostics))
    return None if mistakes else checked, mistakes, tuple(notices)

"""Analyses of installed packages: entry points `iqm_spec.analyses`, loaded when they are named.

A plugin is a function `(rows, options) -> Iterable[Analysed]`: `rows` are those of one run with
counts (`iqm_spec.stages.rows.Row`), `options` what the spec says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import evolve

from iqm_spec.analysis.merit import Analysed
from iqm_spec.diagnostics import nearest
from iqm_spec.errors import JobFailed, UsageError
from iqm_spec.stages.rows import Row

GROUP = "iqm_spec.analyses"


def run_plugin(name: str, rows: Sequence[Row], options: Any) -> list[Analysed]:
    """What a plugin finds, with its package and version in the details.

    UsageError where none of that name is installed, JobFailed where it fails.
    """
    analyse, told = _load(name)
    try:
        return [
            evolve(one, details={**one.details, "plugin": told}) for one in analyse(rows, options)
        ]
    except Exception as error:  # anything may go wrong in somebody else's code
        raise JobFailed(
            f"the analysis plugin {name} ({told}) failed: {type(error).__name__}: {error}",
            hint="tell its authors, or take it out of `analysis.plugins`",
        ) from error


def _load(name: str) -> tuple[Callable[[Sequence[Row], Any], Iterable[Analysed]], str]:
    from importlib.metadata import entry_points

    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        hint = nearest(name, list(known)) or (
            f"installed are {', '.join(sorted(known))}" if known else "none is installed"
        )
        raise UsageError(f"no analysis plugin is called {name}", hint=hint)
    package = known[name].dist
    told = "" if package is None else f"{package.name} {package.version}"
    try:
        return known[name].load(), told
    except Exception as error:  # anything may go wrong in somebody else's code
        raise JobFailed(
            f"the analysis plugin {name} ({told}) cannot be loaded: {error}",
            hint="reinstall its package",
        ) from error

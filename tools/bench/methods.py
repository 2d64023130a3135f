"""Circuits that need more than a state vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench import specs
from tools.bench.report import Line, Section
from tools.bench.rounds import Run, iqm_spec, process
from tools.bench.sweeps import fresh


def _method(run: Run) -> str:
    rows: Any = run.told.get("rows", [{}])
    return str(rows[0].get("method", ""))


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """A GHZ state on 50 qubits of Emerald, with device noise."""
    lines = []
    for shots in (100, 1000):
        tell(f"GHZ of 50 qubits, {shots} shots")
        spec = specs.ghz(folder, 50, shots)
        run = fresh(spec, folder)()
        told = process(
            *iqm_spec("export", "latest", "--results", folder / "fresh", "--format", "json")
        )
        lines.append(
            Line(
                f"GHZ of 50 qubits on Emerald, device noise, {shots} shots, s",
                f"{run.seconds:.1f}",
                "seconds",
                run.seconds < 60,
                "",
                _method(told),
            )
        )
    words = "Complete processes. The record names the method and any approximation."
    return Section("Methods", words, lines)

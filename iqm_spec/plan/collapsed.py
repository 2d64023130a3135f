"""Circuits of a plan of which transpiling left little, in words."""

from __future__ import annotations

from collections.abc import Iterable

from iqm_spec.plan.label import label
from iqm_spec.plan.plan import PlannedPoint


def collapsed(points: Iterable[PlannedPoint]) -> list[str]:
    """One line for each circuit that collapsed, at its first such point."""
    first: dict[str, PlannedPoint] = {}
    for point in points:
        if point.summary.written is not None:
            first.setdefault(point.name, point)
    return [_line(point) for point in first.values()]


def _line(point: PlannedPoint) -> str:
    several, single = point.summary.written or (0, 0)
    gates = point.summary.gates
    return (
        f"{label(point.name, point.values)} is written with {several:,} gates on several qubits "
        f"and {single:,} on one; transpiled it has {gates.get('cz', 0):,} cz and "
        f"{gates.get('r', 0):,} r. Barriers, or `transpile: {{verbatim: true}}`, keep gates apart"
    )

"""How many points a spec has in all: told by arithmetic, before anything is expanded."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.check.reporter import Reporter, has, leaf_using, place
from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.sweep.expand import CircuitPoints, references
from iqm_spec.sweep.parse import MOST_POINTS


def check_sizes(circuits: Sequence[CircuitPoints], report: Reporter) -> bool:
    """Whether the circuits can be expanded one by one; reports S307 for them all together."""
    assignments = sum(circuit.count() for circuit in circuits)
    if assignments > MOST_POINTS:
        largest = max(circuits, key=CircuitPoints.count)
        hint = "use fewer values, or `zip` axes that belong together"
        report(_problem(assignments, _sweep_of(largest, report), hint))
        return False
    totals = [_with_repeats(circuit) for circuit in circuits]
    others = sum(n for c, n in zip(circuits, totals, strict=True) if c.circuit.every is None)
    totals = [_with_references(c, n, others) for c, n in zip(circuits, totals, strict=True)]
    total = sum(totals)
    if total > MOST_POINTS:
        largest = circuits[totals.index(max(totals))]
        where = place(report.source, largest.circuit, "repeat")
        for axis in largest.templates["repeat"].axes:
            where = leaf_using(largest.circuit.repeat, axis, where)
        report(_problem(total, where, "ask for more shots instead of so many records"))
    return True


def _with_repeats(circuit: CircuitPoints) -> int:
    """Points of a circuit, each as often as `repeat` says; counted one by one only in doubt."""
    template = circuit.templates["repeat"]
    repeats = [_repeat(template.fill(dict(v))) for v in circuit.assignments(template.axes)]
    most = circuit.count() * max(repeats, default=1)
    if template.constant or most <= MOST_POINTS:
        return most
    return sum(_repeat(template.fill(dict(values))) for values in circuit.assignments())


def _with_references(circuit: CircuitPoints, points: int, others: int) -> int:
    every = circuit.circuit.every
    return points if every is None else points * references(others, every)


def _repeat(value: Json) -> int:
    """A repeat that is no number is another mistake, told elsewhere."""
    return value if isinstance(value, int) and value > 0 else 1


def _sweep_of(circuit: CircuitPoints, report: Reporter) -> TreePath:
    own = (*circuit.circuit.path, "sweep")
    return own if has(report.source.tree, own) else ("sweep",)


def _problem(total: int, where: TreePath, hint: str) -> Problem:
    told = f"circuits, points and repeats multiply to {total:,}; {MOST_POINTS:,} are allowed"
    return Problem(where, "S307", told, hint)

"""Is every point's circuit the one that its plan names?"""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.plan import Plan
from iqm_spec.replay.check import Check, Mismatch, check_of, named
from iqm_spec.store import Store

_AT_ONCE = 4096


def check_circuits(store: Store, plan: Plan) -> Check:
    """Digest and summary (qubits, depth, gates) of every transpiled circuit, computed anew."""
    return check_of("transpiled circuits", len(plan.points), _mismatches(store, plan))


def _mismatches(store: Store, plan: Plan) -> Iterator[Mismatch]:
    for start in range(0, len(plan.points), _AT_ONCE):
        points = plan.points[start : start + _AT_ONCE]
        natives = natives_of(store, plan, points)
        for point in points:
            native = natives[point.circuit_key]
            if native.digest != point.circuit:
                yield Mismatch(
                    named(point, "plan"),
                    f"the stored circuit is {native.digest[:12]}, the plan names "
                    f"{point.circuit[:12]}",
                )
            elif native.summary != point.summary:
                told, summary = point.summary.to_json(), native.summary.to_json()
                yield Mismatch(named(point, "plan"), f"its plan tells {told}, it has {summary}")

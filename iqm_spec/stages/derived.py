"""What is computed from counts: ideal probabilities of what was seen, and the distances to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import asdict

from iqm_spec.canonical import digest
from iqm_spec.native import Native
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.aer import Ideal, choose_method, ideal_distributions
from iqm_spec.statistics.comparison import Comparison
from iqm_spec.store import Store
from iqm_spec.store.records import HARDWARE_DERIVED, DerivedRecord, StoredComparison

MOST_SECONDS = 10.0
"""Ideal distributions that take longer are left to the Aer stage."""

NO_SHOTS = "not a single shot came back"
"""Why there are no distances where heralding left nothing."""

Counted = tuple[str, str, Mapping[str, int]]
"""Key of derived figures, ask of the circuit, counts."""


def derived_key(records: Sequence[str]) -> str:
    """Key of what is derived from records that stand together in one row."""
    return digest({"format": "iqm-spec/derived/1", "records": sorted(records)})


def derived_record(
    key: str, ideal: Ideal | None, comparison: Comparison | None, why: str = ""
) -> DerivedRecord:
    """What a pack keeps; without an ideal distribution it says `why` there is none."""
    if ideal is None or comparison is None:
        return DerivedRecord(key, None, reason=why)
    distances = {name: round(value, 12) for name, value in asdict(comparison).items()}
    return DerivedRecord(
        key, StoredComparison(**distances), dict(ideal.probabilities), ideal.complete
    )


def derive_measured(store: Store, plan: Plan, rows: Sequence[Counted]) -> None:
    """Store the distances of rows of counts that have none yet."""
    held = store.find(HARDWARE_DERIVED, {key for key, _, _ in rows})
    left = [row for row in rows if row[0] not in held]
    if left:
        store.put_pack(HARDWARE_DERIVED, {}, measured_records(store, plan, left))


def measured_records(store: Store, plan: Plan, rows: Sequence[Counted]) -> list[DerivedRecord]:
    """What a pack keeps of rows of counts, computed anew."""
    asks = {ask for _, ask, _ in rows}
    points = {point.circuit_key: point for point in plan.points if point.circuit_key in asks}
    circuits = natives_of(store, plan, list(points.values()))
    cheap = {circuits[ask]: points[ask].name for ask in asks if _seconds(circuits[ask]) is None}
    known = ideal_distributions(cheap, "CPU")
    lines = []
    for key, ask, counts in rows:
        circuit = circuits[ask]
        why = _seconds(circuit) if any(counts.values()) else NO_SHOTS
        found = known[circuit] if why is None else why
        ideal = found if isinstance(found, str) else found.ideal(counts, sum(counts.values()))
        if isinstance(ideal, str):
            lines.append(derived_record(key, None, None, ideal))
        else:
            lines.append(derived_record(key, ideal, ideal.compared(counts)))
    return lines


def _seconds(circuit: Native) -> str | None:
    """Why the ideal distribution is not computed, or None where that is quickly done."""
    seconds = choose_method(circuit, 1, noisy=False).seconds
    if seconds <= MOST_SECONDS:
        return None
    return f"the ideal distribution would take about {seconds:.0f} s to compute"

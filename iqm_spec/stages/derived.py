"""What is computed from counts: ideal probabilities of the outcomes, and distances to them."""

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
"""Key of derived figures, circuit key, counts."""


def derived_key(records: Sequence[str]) -> str:
    """Key of what is derived from records that stand together in one row."""
    return digest({"format": "iqm-spec/derived/1", "records": sorted(records)})


def derived_record(
    key: str, ideal: Ideal | None, comparison: Comparison | None, why: str = ""
) -> DerivedRecord:
    """The record that a pack holds; `why` is the reason where there is no ideal distribution."""
    if ideal is None or comparison is None:
        return DerivedRecord(key, None, reason=why)
    distances = {name: round(value, 12) for name, value in asdict(comparison).items()}
    return DerivedRecord(
        key, StoredComparison(**distances), dict(ideal.probabilities), ideal.complete
    )


def derive_measured(store: Store, plan: Plan, rows: Sequence[Counted]) -> None:
    """Store the distances of rows of counts that have none yet."""
    stored = store.find(HARDWARE_DERIVED, {key for key, _, _ in rows})
    missing = [row for row in rows if row[0] not in stored]
    if missing:
        store.put_pack(HARDWARE_DERIVED, {}, measured_records(store, plan, missing))


def measured_records(store: Store, plan: Plan, rows: Sequence[Counted]) -> list[DerivedRecord]:
    """The records of rows of counts, computed again."""
    circuit_keys = {circuit_key for _, circuit_key, _ in rows}
    points = {
        point.circuit_key: point for point in plan.points if point.circuit_key in circuit_keys
    }
    circuits = natives_of(store, plan, list(points.values()))
    cheap = {
        circuits[circuit_key]: points[circuit_key].name
        for circuit_key in circuit_keys
        if _seconds(circuits[circuit_key]) is None
    }
    distributions = ideal_distributions(cheap, "CPU")
    lines = []
    for key, circuit_key, counts in rows:
        circuit = circuits[circuit_key]
        why = _seconds(circuit) if any(counts.values()) else NO_SHOTS
        distribution = distributions[circuit] if why is None else why
        ideal = (
            distribution
            if isinstance(distribution, str)
            else distribution.ideal(counts, sum(counts.values()))
        )
        if isinstance(ideal, str):
            lines.append(derived_record(key, None, None, ideal))
        else:
            lines.append(derived_record(key, ideal, ideal.compared(counts)))
    return lines


def _seconds(circuit: Native) -> str | None:
    """Why the ideal distribution is not computed; None where it takes `MOST_SECONDS` at most."""
    seconds = choose_method(circuit, 1, noisy=False).seconds
    if seconds <= MOST_SECONDS:
        return None
    return f"the ideal distribution would take about {seconds:.0f} s to compute"

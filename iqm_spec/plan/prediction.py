"""The predicted success of a plan's circuits, by the errors that they were placed by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import exp, log

from attrs import frozen

from iqm_spec.errors import StoreCorrupt
from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.placing import success_function
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredProfile
from iqm_spec.targets import Architecture, ErrorProfile, error_profile_from_json, restricted


def placement_profiles(store: Store, plan: Plan) -> Mapping[str, ErrorProfile]:
    """The errors by which the circuits of a plan were placed, by target.

    None of older plans, and none that the folder has lost: `verify` reports these.
    """
    if plan.profiles:
        return plan.profiles
    profiles = {}
    for target, digest in (plan.header.placement or {}).items():
        try:
            stored = store.get(digest, StoredProfile)
            profiles[target] = error_profile_from_json(stored.profile)
        except (StoreCorrupt, ValueError):
            continue
    return profiles


def predicted_successes(
    store: Store, plan: Plan, points: Iterable[PlannedPoint] | None = None
) -> dict[str, float]:
    """Predicted success by circuit key, of points whose machine's errors are known.

    `points` are all of the plan by default. Each template is predicted once.
    """
    profiles = placement_profiles(store, plan)
    known = [
        point for point in (plan.points if points is None else points) if point.target in profiles
    ]
    successes = {target: success_function(profile) for target, profile in profiles.items()}
    natives = natives_of(store, plan, known)
    return {
        point.circuit_key: successes[point.target](natives[point.circuit_key].template)
        for point in known
    }


@frozen
class TodaysPlacement:
    """What a plan's circuits on one target are predicted to do under another calibration set.

    Geometric means of predicted success over different circuits: as planned, on the same qubits
    under the other set, and on the qubits that are best under that.
    """

    planned: float
    same_qubits: float
    best_qubits: float

    @property
    def words(self) -> str:
        """`predicted success of its circuits (mean): 0.41 as planned, ...`."""
        return (
            f"predicted success of its circuits (mean): {self.planned:.3g} as planned, "
            f"{self.same_qubits:.3g} on the same qubits by this set, {self.best_qubits:.3g} on the "
            "best qubits by it; `run --replan` takes these"
        )


MOST_PLACED_AGAIN = 25
"""Different circuits that are placed to see what other qubits would gain."""


def todays_placement(
    store: Store, plan: Plan, machine: Architecture, errors: ErrorProfile
) -> TodaysPlacement | None:
    """The predictions under other errors of the same machine; None where there are none.

    `machine` is whole: what the spec avoids is left out here. ValueError where it has no qubit left
    for that. Of more than `MOST_PLACED_AGAIN` different circuits, only the first are looked at.
    """
    from iqm_spec.placement.place import best_placement
    from iqm_spec.placement.success import predicted_success

    profile = placement_profiles(store, plan).get(machine.alias)
    points = [point for point in plan.points if point.target == machine.alias]
    if profile is None or not points:
        return None
    machine = restricted(machine, plan.header.avoid, plan.header.region)
    natives = natives_of(store, plan, points)
    templates = list(dict.fromkeys(native.template for native in natives.values()))
    logarithms: list[tuple[float, float, float]] = []
    for template in templates[:MOST_PLACED_AGAIN]:
        circuit = template.structure
        best = best_placement(circuit, machine, errors)
        same = predicted_success(circuit, errors)
        values = (predicted_success(circuit, profile), same, best.success if best else same)
        if min(values) > 0:
            logarithms.append((log(values[0]), log(values[1]), log(values[2])))
    if not logarithms:
        return None
    planned, same_qubits, best_qubits = (
        exp(sum(column) / len(logarithms)) for column in zip(*logarithms, strict=True)
    )
    return TodaysPlacement(planned, same_qubits, best_qubits)

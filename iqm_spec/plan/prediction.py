"""The predicted success of a plan's circuits, by the errors that they were placed by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from iqm_spec.plan.circuits import natives_of
from iqm_spec.plan.placing import success_function
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store import Store
from iqm_spec.store.objects import StoredProfile
from iqm_spec.targets import ErrorProfile, error_profile_from_json


def placement_profiles(store: Store, plan: Plan) -> Mapping[str, ErrorProfile]:
    """The errors by which the circuits of a plan were placed, by target; none of older plans."""
    if plan.profiles:
        return plan.profiles
    return {
        target: error_profile_from_json(store.get(digest, StoredProfile).profile)
        for target, digest in (plan.header.placement or {}).items()
    }


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

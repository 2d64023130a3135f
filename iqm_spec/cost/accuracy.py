"""How well a time model predicts jobs that took no part in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen

from iqm_spec.cost.fit import LEAST_JOBS, fit
from iqm_spec.cost.timings import Timing, in_order
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from iqm_spec.cost.model import TimeModel
    from iqm_spec.cost.ranges import Range
    from iqm_spec.cost.shape import JobShape

PARTS = 5
"""Parts of the jobs, each predicted by a model of the others."""

MOST_JOBS = 500
"""Jobs that take part in a check; of more, every second or third does."""

_AT_ONCE = 4_000_000
"""Figures in memory while jobs are predicted: measured jobs times jobs."""


@frozen
class Accuracy:
    """Relative errors, share of jobs within their range, and median of (high - low) / expected."""

    jobs: int
    median_error: float
    p90_error: float
    coverage: float
    width: float

    def to_json(self) -> dict[str, Json]:
        """As models and answers keep it."""
        return dict(asdict(self))


def accuracy_from_json(data: Any) -> Accuracy | None:
    """What `to_json` wrote; None for anything else."""
    if not isinstance(data, Mapping):
        return None
    try:
        found = Accuracy(**data)
        return found if all(math.isfinite(one) for one in asdict(found).values()) else None
    except TypeError:
        return None


def score(ranges: Sequence[Range], seconds: Sequence[float]) -> Accuracy:
    """The accuracy of predictions of jobs that took so many QPU seconds; at least one job."""
    import numpy as np

    low, expected, high = np.array([(one.low, one.expected, one.high) for one in ranges]).T
    measured = np.array(seconds)
    errors = np.abs(expected / measured - 1)
    inside = (low <= measured) & (measured <= high)
    return Accuracy(
        jobs=len(measured),
        median_error=float(np.median(errors)),
        p90_error=float(np.quantile(errors, 0.9)),
        coverage=float(np.mean(inside)),
        width=float(np.median((high - low) / expected)),
    )


def cross_check(timings: Sequence[Timing]) -> Accuracy | None:
    """The accuracy for parts of the jobs, each predicted by a model that is fitted to the others.

    Laws are chosen anew each time, so that nothing of a job is in its prediction. None where the
    jobs are too few to leave one out. The same for any order of the jobs.
    """
    import numpy as np

    if len(timings) <= LEAST_JOBS:
        return None
    ordered = in_order(timings)
    ordered = ordered[:: math.ceil(len(ordered) / MOST_JOBS)]
    parts = len(ordered) if len(ordered) <= 2 * PARTS else PARTS
    part_of = np.random.default_rng(1).permutation(len(ordered)) % parts
    ranges: list[Range] = []
    seconds: list[float] = []
    for part in range(parts):
        model = fit([one for one, at in zip(ordered, part_of, strict=True) if at != part])
        out = [one for one, at in zip(ordered, part_of, strict=True) if at == part]
        ranges += model.predict([one.shape for one in out])
        seconds += [one.qpu_seconds for one in out]
    return score(ranges, seconds)


def checked_fit(timings: Sequence[Timing], origin: Mapping[str, Json]) -> TimeModel:
    """The model of these jobs, with its accuracy for jobs left out in its origin."""
    model = fit(timings, origin)
    accuracy = cross_check(timings)
    told = None if accuracy is None else accuracy.to_json()
    return evolve(model, origin={**origin, "accuracy": told})


def accuracy_of(model: TimeModel) -> Accuracy | None:
    """What `checked_fit` found out; None where it is not known."""
    return accuracy_from_json(model.origin.get("accuracy"))


def predict_many(model: TimeModel, shapes: Sequence[JobShape]) -> Iterator[Range]:
    """QPU seconds of any number of jobs, in portions that memory holds."""
    step = max(1, _AT_ONCE // max(1, len(model.timings)))
    for start in range(0, len(shapes), step):
        yield from model.predict(shapes[start : start + step])

"""How well a time model predicts jobs that took no part in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen

from iqm_spec.cost.job_shape import Timing, in_order
from iqm_spec.cost.time_model import LEAST_JOBS, fit
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from iqm_spec.cost.job_shape import JobShape
    from iqm_spec.cost.ranges import Range
    from iqm_spec.cost.time_model import TimeModel

PARTS = 5
"""Parts of the jobs, each predicted by a model of the others."""

MOST_JOBS = 500
"""Jobs that take part in a check; of more, every second, third, ... does."""

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
        """As models and answers hold it."""
        return dict(asdict(self))


def accuracy_of_ranges(ranges: Sequence[Range], seconds: Sequence[float]) -> Accuracy:
    """The accuracy of `ranges`, predicted for jobs that took `seconds`; at least one job."""
    import numpy as np

    low, expected, high = np.array([(r.low, r.expected, r.high) for r in ranges]).T
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
        model = fit([job for job, of in zip(ordered, part_of, strict=True) if of != part])
        left_out = [job for job, of in zip(ordered, part_of, strict=True) if of == part]
        ranges += model.predict([job.shape for job in left_out])
        seconds += [job.qpu_seconds for job in left_out]
    return accuracy_of_ranges(ranges, seconds)


def checked_fit(timings: Sequence[Timing], origin: Mapping[str, Json]) -> TimeModel:
    """The model of these jobs, with its accuracy for jobs left out in its origin."""
    model = fit(timings, origin)
    accuracy = cross_check(timings)
    stored = None if accuracy is None else accuracy.to_json()
    return evolve(model, origin={**origin, "accuracy": stored})


def accuracy_of(model: TimeModel) -> Accuracy | None:
    """The accuracy that `checked_fit` stored; None where it is not known."""
    data = model.origin.get("accuracy")
    if not isinstance(data, Mapping):
        return None
    values: Mapping[str, Any] = data
    try:
        accuracy = Accuracy(**values)
        finite = all(math.isfinite(value) for value in asdict(accuracy).values())
    except TypeError:
        return None
    return accuracy if finite else None


def predict_many(model: TimeModel, shapes: Sequence[JobShape]) -> Iterator[Range]:
    """QPU seconds of any number of jobs, in portions that fit in memory."""
    step = max(1, _AT_ONCE // max(1, len(model.timings)))
    for start in range(0, len(shapes), step):
        yield from model.predict(shapes[start : start + step])

"""Measured jobs as a time model is fitted to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.cost.shape import JobShape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@frozen
class Timing:
    """One job, and the seconds between its `execution_started` and `execution_ended`."""

    shape: JobShape
    qpu_seconds: float


def in_order(timings: Iterable[Timing]) -> list[Timing]:
    """The same for any order that they come in, so that a fit is."""
    return sorted(timings, key=lambda one: (*one.shape.to_json().values(), one.qpu_seconds))


def seconds_of(timings: Sequence[Timing]) -> NDArray[np.float64]:
    """The measured seconds: shape (jobs,)."""
    import numpy as np

    return np.array([timing.qpu_seconds for timing in timings], dtype=float)

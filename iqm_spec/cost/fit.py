"""Fits a time model to measured jobs: tries every law on jobs left out, and keeps the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.cost.laws import LAWS, Fitted, Law, fit_law
from iqm_spec.cost.model import TimeModel
from iqm_spec.cost.terms import matrix
from iqm_spec.cost.timings import Timing, in_order, seconds_of
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LEAST_JOBS = 3
"""Fewer measured jobs tell no law from another."""

FOLDS = 10
"""Parts that the jobs are cut into; with up to 12 jobs, each is a part of its own."""

_FACTOR = 0.6931471805599453
"""Log of 2: no error counts for more in the choice of a law, and wild jobs are further off."""

_WILD_SPREADS = 8.0


@frozen(eq=False)
class _Tried:
    """A law fitted to all jobs, and to all but each part of them."""

    law: Law
    whole: Fitted
    folds: tuple[Fitted, ...]
    errors: Numbers

    @property
    def score(self) -> float:
        """Mean size of the errors on jobs left out."""
        import numpy as np

        return float(np.mean(np.minimum(np.abs(self.errors), _FACTOR)))


def fit(timings: Sequence[Timing], origin: Mapping[str, Json] = MappingProxyType({})) -> TimeModel:
    """The model of these jobs; UsageError where they are fewer than `LEAST_JOBS`.

    The same timings give the same model, whatever their order.
    """
    if len(timings) < LEAST_JOBS:
        raise UsageError(
            f"{len(timings)} measured jobs are too few for a time model: it needs {LEAST_JOBS}",
            hint="run jobs of different sizes; until then the published figures are used",
        )
    ordered = tuple(in_order(timings))
    terms, seconds = matrix([timing.shape for timing in ordered]), seconds_of(ordered)
    fold_of = _parts(len(ordered))
    tried = [_try(law, terms, seconds, fold_of) for law in LAWS]
    best = min(one.score for one in tried)
    chosen = _choose(tried, len(ordered))
    close = 1.15 * best + 0.005 + 0.2 / len(ordered)
    return TimeModel(
        chosen=chosen.whole,
        folds=chosen.folds,
        fold_of=tuple(map(int, fold_of)),
        errors=tuple(map(float, chosen.errors)),
        wild=tuple(map(bool, _wild(chosen.errors))),
        rivals=tuple(one.whole for one in tried if one is not chosen and one.score <= close),
        timings=ordered,
        origin=dict(origin),
    )


def _choose(tried: Sequence[_Tried], jobs: int) -> _Tried:
    """The simplest of the best laws; of few jobs, one with fewer coefficients than half of them.

    Where few jobs cannot tell, time goes with executions: the wait for reset takes most of it.
    """
    among = tried
    if jobs <= FOLDS + 2:
        plain = [one for one in tried if "execution" in one.law.terms]
        among = [one for one in plain if one.law.size <= max(2, jobs // 2)]
    enough = 1.03 * min(one.score for one in among) + 0.001 + 0.05 / jobs
    return next(one for one in among if one.score <= enough)


def _parts(count: int) -> NDArray[np.int64]:
    """Which part each job belongs to: a fixed shuffle, so that each part has jobs of all sizes."""
    import numpy as np

    parts = count if count <= FOLDS + 2 else FOLDS
    return np.random.default_rng(0).permutation(count) % parts


def _try(law: Law, terms: Numbers, seconds: Numbers, fold_of: NDArray[np.int64]) -> _Tried:
    import numpy as np

    errors = np.zeros(len(seconds))
    folds = []
    for part in range(int(fold_of.max()) + 1):
        out = fold_of == part
        fitted = fit_law(law, terms[~out], seconds[~out])
        errors[out] = np.log(seconds[out] / fitted.seconds(terms[out]))
        folds.append(fitted)
    return _Tried(law, fit_law(law, terms, seconds), tuple(folds), errors)


def _wild(errors: Numbers) -> NDArray[np.bool_]:
    """Jobs that are off by more than a factor of 2 where most are not."""
    import numpy as np

    spread = 1.4826 * float(np.median(np.abs(errors)))
    return np.abs(errors) > max(_WILD_SPREADS * spread, _FACTOR)

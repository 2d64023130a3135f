"""A time model: fitted to measured jobs, it predicts QPU seconds as a range for nine jobs in ten.

The fit tries every law on jobs left out, and keeps the best.

The range is that of the cross-validation+ method (Barber, Candes, Ramdas, Tibshirani, "Predictive
inference with the jackknife+", Ann. Statist. 49, 2021): the fits that left a job out are moved by
the errors that they made on it. It is widened to hold what other laws say that explain the measured
jobs as well, so that a job unlike all of them gets a wide range, and never narrower than few jobs
allow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import field, fields_dict, frozen

from iqm_spec.cost.job_shape import JobShape, Timing, in_order, seconds_of
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.time_laws import LAWS, TERMS, FittedLaw, TimeLaw, fit_law, matrix
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FORMAT = "iqm-spec/time-model/1"

LEAST_JOBS = 3
"""Least number of measured jobs that distinguish laws."""

TAIL = 0.05
"""Share of jobs below the range, and above it."""

FEW = 40
"""Jobs from which on quantiles alone give the range of nine in ten: two lie outside each end."""

PRIOR_SPREAD = 0.2
"""Relative error that a law has before it is known to do better. The published formulas of three
IQM machines have median errors of 2, 7 and 17 % on the very jobs they were made from."""

PRIOR_JOBS = 4
"""Number of jobs that `PRIOR_SPREAD` weighs as much as."""

FOLDS = 10
"""Parts that the jobs are cut into; with up to 12 jobs, each is a part of its own."""

_LOG_2 = 0.6931471805599453
"""No error counts for more in the choice of a law, and wild jobs are further off."""

_WILD_SPREADS = 8.0


@frozen(eq=False)
class TimeModel:
    """A law fitted to measured jobs, and how well jobs that were left out are predicted by it.

    `errors` are log(measured / predicted by the fit that left the job out), by timing; `fold_of`
    names that fit in `folds`; `wild` marks jobs that no law explains. `rivals` are other laws that
    explain the jobs as well.
    """

    chosen: FittedLaw
    folds: tuple[FittedLaw, ...]
    fold_of: tuple[int, ...]
    errors: tuple[float, ...]
    wild: tuple[bool, ...]
    rivals: tuple[FittedLaw, ...]
    timings: tuple[Timing, ...]
    origin: Mapping[str, Json] = field(factory=dict)
    """Where the timings come from: `source`, `date`, `machine` and the like."""

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        """QPU seconds of each job."""
        import numpy as np

        if not shapes:
            return []
        terms = matrix(shapes)
        expected = self.chosen.seconds(terms)
        low, high = self._quantiles(terms)
        if len(self.timings) < FEW:
            factor = math.exp(self._half_width_of_few())
            low, high = np.minimum(low, expected / factor), np.maximum(high, expected * factor)
        others = np.array([expected, *(rival.seconds(terms) for rival in self.rivals)])
        low = np.minimum(low, others.min(axis=0))
        high = np.maximum(high, others.max(axis=0))
        return [Range(*map(float, ends)) for ends in zip(low, expected, high, strict=True)]

    def _quantiles(self, terms: Numbers) -> tuple[Numbers, Numbers]:
        """Quantiles of what the fits without a job predict, moved by their errors on that job."""
        import numpy as np

        predictions = np.log(np.array([fold.seconds(terms) for fold in self.folds]))
        tame = ~np.array(self.wild)
        moved = predictions[np.array(self.fold_of)[tame]] + np.array(self.errors)[tame][:, None]
        moved.sort(axis=0)
        count = len(moved)
        # a quantile of few errors is uncertain itself: half its standard error on the safe side
        tail = max(TAIL - 0.5 * math.sqrt(TAIL * (1 - TAIL) / count), 0.0)
        first = max(math.floor(tail * (count + 1)) - 1, 0)
        return np.exp(moved[first]), np.exp(moved[count - 1 - first])

    def _half_width_of_few(self) -> float:
        """Half the width, in log, that a Student t gives to errors of few jobs."""
        from scipy.stats import t

        tame = [
            min(abs(e), 1.0) for e, wild in zip(self.errors, self.wild, strict=True) if not wild
        ]
        count = max(len(tame), 1)
        squares = PRIOR_JOBS * PRIOR_SPREAD**2 + sum(e * e for e in tame)
        freedom = PRIOR_JOBS + max(count - self.chosen.law.size, 1)
        spread = math.sqrt(squares / (PRIOR_JOBS + count) * (1 + 1 / count))
        return float(t.ppf(1 - TAIL, freedom)) * spread

    def to_json(self) -> dict[str, Json]:
        """What `model_from_json` reads again."""
        return {
            "format": FORMAT,
            "origin": dict(self.origin),
            "terms": list(TERMS),
            "chosen": _fitted_to_json(self.chosen),
            "folds": [_fitted_to_json(fold) for fold in self.folds],
            "rivals": [_fitted_to_json(rival) for rival in self.rivals],
            "columns": [*fields_dict(JobShape), "qpu_seconds", "fold", "error", "wild"],
            "timings": [
                [*timing.shape.to_json().values(), timing.qpu_seconds, fold, error, wild]
                for timing, fold, error, wild in zip(
                    self.timings, self.fold_of, self.errors, self.wild, strict=True
                )
            ],
        }


def fit(timings: Sequence[Timing], origin: Mapping[str, Json] = MappingProxyType({})) -> TimeModel:
    """The model fitted to measured jobs; UsageError where they are fewer than `LEAST_JOBS`.

    The same timings give the same model, whatever their order.
    """
    if len(timings) < LEAST_JOBS:
        raise UsageError(
            f"{len(timings)} measured jobs are too few for a time model: it needs {LEAST_JOBS}",
            hint="run jobs of different sizes; until then the published figures are used",
        )
    import numpy as np

    ordered = tuple(in_order(timings))
    terms, seconds = matrix([timing.shape for timing in ordered]), seconds_of(ordered)
    # a fixed shuffle, so that each part has jobs of all sizes
    parts = len(ordered) if len(ordered) <= FOLDS + 2 else FOLDS
    fold_of = np.random.default_rng(0).permutation(len(ordered)) % parts
    tried = [_try(law, terms, seconds, fold_of) for law in LAWS]
    best = min(law.score for law in tried)
    chosen = _choose(tried, len(ordered))
    close = 1.15 * best + 0.005 + 0.2 / len(ordered)
    # wild: off by more than a factor of 2 where most are not
    sizes = np.abs(chosen.errors)
    wild = sizes > max(_WILD_SPREADS * 1.4826 * float(np.median(sizes)), _LOG_2)
    return TimeModel(
        chosen=chosen.fitted,
        folds=chosen.folds,
        fold_of=tuple(map(int, fold_of)),
        errors=tuple(map(float, chosen.errors)),
        wild=tuple(map(bool, wild)),
        rivals=tuple(law.fitted for law in tried if law is not chosen and law.score <= close),
        timings=ordered,
        origin=dict(origin),
    )


@frozen(eq=False)
class _Tried:
    """A law fitted to all jobs, and to all but each part of them."""

    law: TimeLaw
    fitted: FittedLaw
    folds: tuple[FittedLaw, ...]
    errors: Numbers

    @property
    def score(self) -> float:
        """Mean size of the errors on jobs left out."""
        import numpy as np

        return float(np.mean(np.minimum(np.abs(self.errors), _LOG_2)))


def _try(law: TimeLaw, terms: Numbers, seconds: Numbers, fold_of: NDArray[np.int64]) -> _Tried:
    import numpy as np

    errors = np.zeros(len(seconds))
    folds = []
    for part in range(int(fold_of.max()) + 1):
        out = fold_of == part
        fitted = fit_law(law, terms[~out], seconds[~out])
        errors[out] = np.log(seconds[out] / fitted.seconds(terms[out]))
        folds.append(fitted)
    return _Tried(law, fit_law(law, terms, seconds), tuple(folds), errors)


def _choose(tried: Sequence[_Tried], jobs: int) -> _Tried:
    """The simplest of the best laws; of few jobs, one with fewer coefficients than half of them.

    Few jobs do not show what the time depends on. It is then the executions: the wait for reset
    takes most of it.
    """
    candidates = tried
    if jobs <= FOLDS + 2:
        candidates = [
            fit
            for fit in tried
            if "execution" in fit.law.terms and fit.law.size <= max(2, jobs // 2)
        ]
    enough = 1.03 * min(fit.score for fit in candidates) + 0.001 + 0.05 / jobs
    return next(fit for fit in candidates if fit.score <= enough)


def model_from_json(data: Any) -> TimeModel:
    """The model that `to_json` wrote; UsageError for anything else."""
    try:
        if data["format"] != FORMAT or data["terms"] != list(TERMS):
            raise ValueError("format")
        rows = [_row(row) for row in data["timings"]]
        folds = tuple(map(_fitted_from_json, data["folds"]))
        if not rows or any(not 0 <= fold < len(folds) for _, fold, _, _ in rows):
            raise ValueError("timings")
        timings, fold_of, errors, wild = zip(*rows, strict=True)
        if all(wild):
            raise ValueError("wild")
        return TimeModel(
            chosen=_fitted_from_json(data["chosen"]),
            folds=folds,
            fold_of=fold_of,
            errors=errors,
            wild=wild,
            rivals=tuple(map(_fitted_from_json, data["rivals"])),
            timings=timings,
            origin=dict(data["origin"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise UsageError(
            "this is no time model of this version of iqm-spec",
            hint="`iqm-spec cost fit TIMINGS.csv -o MODEL.json` makes one",
        ) from error


def _fitted_to_json(fitted: FittedLaw) -> dict[str, Json]:
    return {
        "terms": list(fitted.law.terms),
        "floor": fitted.law.floor,
        "coefficients": [float(value) for value in fitted.coefficients],
        "least": fitted.least,
    }


def _fitted_from_json(data: Any) -> FittedLaw:
    import numpy as np

    coefficients = np.array([_amount(value) for value in data["coefficients"]])
    if len(coefficients) != len(TERMS) or not set(data["terms"]) <= set(TERMS):
        raise ValueError("terms")
    if data["floor"] not in ("", "job", "circuit"):
        raise ValueError("floor")
    law = TimeLaw(tuple(data["terms"]), data["floor"])
    return FittedLaw(law, coefficients, _amount(data["least"]))


def _amount(value: Any) -> float:
    """A finite number that is not negative."""
    number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError("a coefficient")
    return number


def _row(row: Any) -> tuple[Timing, int, float, bool]:
    circuits, shots, qubits, depth, volume, seconds, fold, error, wild = row
    shape = JobShape(int(circuits), int(shots), _amount(qubits), _amount(depth), _amount(volume))
    if not math.isfinite(error):
        raise ValueError("an error")
    return Timing(shape, _amount(seconds)), int(fold), float(error), bool(wild)

"""Fits of decays to binomial counts: exponentials, and cosines whose amplitude decays.

The probability p(t) = B + A exp(-t / T), or B + A exp(-t / T) cos(2 pi f t + phase), is fitted by
weighted least squares; the weights are those of the binomial distribution at the fitted p, so that
counts near 0 or all shots pull the fit to neither side. For a given T (and f) the model is linear
in what is left (G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10, 413, 1973), so that chi-square as
a function of T alone is at hand, and with it intervals that are right where T is badly known: all T
whose chi-square is above the least by at most the quantile (W. Press et al., Numerical Recipes,
3rd edition, section 15.6.5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import atan2, ceil, cos, exp, hypot, inf, log, pi, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.statistics.intervals import CONFIDENCE, Mean
from iqm_spec.statistics.significance import UNLIKELY, Goodness, goodness

if TYPE_CHECKING:
    from iqm_spec.statistics.sampling import Floats

LEAST_TIMES_OF_DECAY = 4
LEAST_TIMES_OF_FRINGES = 6
"""Different delays that a fit needs: one more than it has parameters."""

_TWO_SIDED = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2
_ONE_SIDED = NormalDist().inv_cdf(CONFIDENCE) ** 2
"""Chi-square above the least at the ends of 95 % intervals, and at a bound."""

_BY_CHANCE = 1e-3
"""P-value of there being no decay above which none is claimed."""

_LONGEST, _SHORTEST = 1e3, 0.05
"""Decay times that are tried: in units of the range of the delays, and of the smallest gap."""

_ROUNDS = 4
"""Rounds of fitting with the weights of the fit before."""

_MOST_FREQUENCIES = 4000
_STEPS_PER_FRINGE = 10
"""Frequencies that are tried differ by a tenth of a fringe over the range of the delays."""

_LEAST_FRINGES = 0.75
"""Of a fringe, over the range of the delays: fewer look like a decay without fringes."""

_MOST_ABOVE = 4.0
"""Times the best decay time that an interval ends at, at most: beyond, only a bound is known."""

_LEAST_CONTRAST = 0.25
"""Distance from the level that a decay ends at, from which on no decay means a slow one."""


@frozen
class TimeEstimate:
    """A decay time with its standard error and the 95 % interval of its profile chi-square."""

    value: float
    error: float
    low: float
    high: float


@frozen
class Decay:
    """A fitted decay: p(t) = offset + amplitude exp(-s / time) cos(2 pi frequency s + phase).

    s is t less `start`, the first delay. Without fringes the frequency is None and the phase 0.
    `widened` is the factor by which errors
    and intervals are wider than those of the counts, 1 unless the points do not follow the curve.
    """

    time: TimeEstimate
    start: float
    amplitude: Mean
    offset: Mean
    goodness: Goodness
    widened: float = 1.0
    frequency: Mean | None = None
    phase: float = 0.0

    def at(self, t: float) -> float:
        """The fitted probability after time `t`."""
        since = t - self.start
        turns = 0.0 if self.frequency is None else 2 * pi * self.frequency.value * since
        wave = cos(turns + self.phase)
        return self.offset.value + self.amplitude.value * exp(-since / self.time.value) * wave


@frozen
class NoDecay:
    """Why there is no fit; and the bound that the decay time has all the same, if any.

    `at_least` and `at_most` hold with 95 % confidence, under the condition that `reason` states.
    """

    reason: str
    at_least: float | None = None
    at_most: float | None = None


def fit_decay(
    times: Sequence[float], hits: Sequence[int], shots: Sequence[int], ends_at: float | None = None
) -> Decay | NoDecay:
    """Fits B + A exp(-t / T), with B, A and T free.

    Args:
        times: Delays, in any unit; those that are equal are one point.
        hits: How many of the shots gave 1 at each delay.
        shots: All shots at each delay.
        ends_at: The probability after endless time. It gives a lower bound of T where nothing
            decays, and does not enter a fit.
    """
    points = _Points.of(times, hits, shots)
    if reason := _too_few(points, LEAST_TIMES_OF_DECAY):
        return NoDecay(reason)
    model = _Exponential(points)
    best = _fit(points, model)
    level = _flat(points)
    if _significance(level.chi_square - best.chi_square, best.scale, 2) > _BY_CHANCE:
        return _none(points, level.coefficients[0], ends_at)
    low, high = _profile(model, best, _TWO_SIDED)
    if low == 0.0:
        _, bound = _profile(model, best, _ONE_SIDED)
        reason = "the decay is over before the second delay: take shorter delays"
        return NoDecay(reason, at_most=bound if bound < inf else None)
    if high > _MOST_ABOVE * best.nonlinear[0]:
        bound, _ = _profile(model, best, _ONE_SIDED)
        reason = "the delays end before the decay does: take longer delays"
        return NoDecay(reason, at_least=bound or None)
    return _decay(points, model, best, (low, high))


def fit_fringes(
    times: Sequence[float], hits: Sequence[int], shots: Sequence[int]
) -> Decay | NoDecay:
    """Fits B + A exp(-t / T) cos(2 pi f t + phase), with all five parameters free.

    Frequencies are sought up to half of one over the smallest gap between delays. Arguments are
    those of `fit_decay`.
    """
    points = _Points.of(times, hits, shots)
    if reason := _too_few(points, LEAST_TIMES_OF_FRINGES):
        return NoDecay(reason)
    model = _Fringes(points)
    best = _fit(points, model)
    if not _seen(points, model, best):
        return NoDecay("no fringes stand out of the noise")
    low, high = _profile(model, best, _TWO_SIDED)
    if low == 0.0 or not _seen(points, model, best, first=1):
        _, bound = _profile(model, best, _ONE_SIDED)
        reason = "the fringes are over before the second delay: take shorter delays"
        return NoDecay(reason, at_most=bound if bound < inf else None)
    if best.nonlinear[1] * points.range < _LEAST_FRINGES:
        return NoDecay("the delays hold less than a fringe: take a larger detuning")
    if high > _MOST_ABOVE * best.nonlinear[0]:
        bound, _ = _profile(model, best, _ONE_SIDED)
        reason = "the fringes hardly decay within the delays: take longer delays"
        return NoDecay(reason, at_least=bound or None)
    return _decay(points, model, best, (low, high))


# --- points and weights --------------------------------------------------------------------------


@frozen
class _Points:
    """Delays in ascending order, each once, with the counts at each."""

    times: Floats
    hits: Floats
    shots: Floats

    @classmethod
    def of(cls, times: Sequence[float], hits: Sequence[int], shots: Sequence[int]) -> _Points:
        import numpy as np

        distinct, place = np.unique(np.asarray(times, dtype=float), return_inverse=True)
        added = [np.bincount(place, np.asarray(c, float)).astype(float) for c in (hits, shots)]
        return cls(distinct, added[0], added[1])

    @property
    def since(self) -> Floats:
        """Times since the first delay."""
        since: Floats = self.times - self.times[0]
        return since

    @property
    def range(self) -> float:
        return float(self.times[-1] - self.times[0])

    @property
    def gap(self) -> float:
        """The smallest time between two delays."""
        import numpy as np

        return float(np.diff(self.times).min())

    @property
    def shares(self) -> Floats:
        return self.hits / self.shots

    def errors(self, probabilities: Floats) -> Floats:
        """Standard errors of the shares, were these the probabilities; never 0."""
        import numpy as np

        least = 0.5 / (self.shots + 1)
        p = np.clip(probabilities, least, 1 - least)
        errors: Floats = np.sqrt(p * (1 - p) / self.shots)
        return errors

    def rough_errors(self) -> Floats:
        """Standard errors before anything is fitted: half a shot added to either side."""
        return self.errors((self.hits + 0.5) / (self.shots + 1))


def _too_few(points: _Points, least: int) -> str:
    known = len(points.times)
    if known >= least:
        return ""
    delays = "delay" if known == 1 else "delays"
    return f"the probability is known at {known} {delays}, and a fit needs {least}"


# --- models --------------------------------------------------------------------------------------


@frozen
class _Fitted:
    """What a round of fitting gave: nonlinear parameters (T, or T and f), coefficients, weights.

    `scale` is what chi-square is divided by: above 1 where the points do not follow the curve.
    """

    nonlinear: tuple[float, ...]
    coefficients: Floats
    probabilities: Floats
    errors: Floats
    chi_square: float
    goodness: Goodness
    scale: float


def _solve(points: _Points, columns: Sequence[Floats], errors: Floats) -> tuple[Floats, Floats]:
    """Coefficients of the constant and of `columns`, and the probabilities that they give."""
    import numpy as np

    design = np.stack([np.ones_like(points.times), *columns], axis=1)
    target = points.shares / errors
    solution = np.linalg.lstsq(design / errors[:, None], target, rcond=None)[0]
    coefficients = np.asarray(solution, dtype=float)
    return coefficients, design @ coefficients


class _Exponential:
    """B + A exp(-t / T)."""

    def __init__(self, points: _Points) -> None:
        self.points = points
        self.shortest, self.longest = _SHORTEST * points.gap, _LONGEST * points.range

    def columns(self, time: float) -> list[Floats]:
        import numpy as np

        return [np.exp(-self.points.since / time)]

    def chi_square(self, time: float, errors: Floats) -> float:
        """The least for a given T. It stays exact where the decay is nearly a straight line."""
        import numpy as np

        column = np.expm1(-self.points.since / time)
        return float(_least_squares(self.points.shares, errors, column[None, None, :])[0])

    def search(self, errors: Floats) -> tuple[float, ...]:
        """The decay time of least chi-square."""
        import numpy as np

        grid: Floats = np.geomspace(self.shortest, self.longest, 121)
        columns = np.expm1(-self.points.since / grid[:, None])
        least = int(np.argmin(_least_squares(self.points.shares, errors, columns[:, None, :])))
        low, high = grid[max(0, least - 1)], grid[min(len(grid) - 1, least + 1)]
        best, _ = _minimum(lambda u: self.chi_square(exp(u), errors), log(low), log(high))
        return (exp(best),)

    def profile(self, best: _Fitted) -> Callable[[float], float]:
        """Chi-square as a function of log T alone."""
        return lambda u: self.chi_square(exp(u), best.errors)

    def jacobian(self, best: _Fitted) -> Floats:
        """Derivatives of the probabilities by log T and the coefficients."""
        import numpy as np

        (time,) = best.nonlinear
        (column,) = self.columns(time)
        slope = best.coefficients[1] * column * self.points.since / time
        return np.stack([slope, np.ones_like(column), column], axis=1)


class _Fringes:
    """B + exp(-t / T) (a cos(2 pi f t) + b sin(2 pi f t))."""

    def __init__(self, points: _Points) -> None:
        import numpy as np

        self.points = points
        self.shortest, self.longest = _SHORTEST * points.gap, _LONGEST * points.range
        step = 1 / (_STEPS_PER_FRINGE * points.range)
        number = min(_MOST_FREQUENCIES, ceil(0.5 / points.gap / step))
        self.frequencies: Floats = step * np.arange(2.0, max(3, number) + 1)

    def columns(self, time: float, frequency: float) -> list[Floats]:
        import numpy as np

        envelope = np.exp(-self.points.since / time)
        turns = 2 * pi * frequency * self.points.since
        return [envelope * np.cos(turns), envelope * np.sin(turns)]

    def chi_square(self, time: float, frequency: float, errors: Floats) -> float:
        import numpy as np

        columns = np.stack(self.columns(time, frequency))
        return float(_least_squares(self.points.shares, errors, columns[None])[0])

    def search(self, errors: Floats) -> tuple[float, ...]:
        """Decay time and frequency of least chi-square."""
        import numpy as np
        from scipy.optimize import minimize

        times = np.geomspace(self.points.gap / 2, 30 * self.points.range, 16)
        envelopes = np.exp(-self.points.since / times[:, None])
        turns = 2 * pi * self.frequencies[:, None] * self.points.since
        waves = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        values = np.stack(
            [_least_squares(self.points.shares, errors, waves * row) for row in envelopes]
        )
        place = np.unravel_index(int(np.argmin(values)), values.shape)
        start = [log(times[place[0]]), self.frequencies[place[1]] * self.points.range]

        def objective(x: Floats) -> float:
            tried, fringes = float(x[0]), abs(float(x[1]))
            u = min(max(tried, log(self.shortest)), log(self.longest))
            return self.chi_square(exp(u), fringes / self.points.range, errors) + (u - tried) ** 2

        simplex = [start, [start[0] + 0.3, start[1]], [start[0], start[1] + 0.03]]
        options: Any = {"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-9, "maxiter": 400}
        best = minimize(objective, np.array(start), method="Nelder-Mead", options=options).x
        time = exp(min(max(best[0], log(self.shortest)), log(self.longest)))
        return time, abs(float(best[1])) / self.points.range

    def profile(self, best: _Fitted) -> Callable[[float], float]:
        """Chi-square as a function of log T alone: the least over frequencies near the best."""
        frequency, reach = best.nonlinear[1], 0.25 / self.points.range

        def at(u: float) -> float:
            def of_frequency(f: float) -> float:
                return self.chi_square(exp(u), f, best.errors)

            return _minimum(of_frequency, max(0.0, frequency - reach), frequency + reach)[1]

        return at

    def jacobian(self, best: _Fitted) -> Floats:
        """Derivatives of the probabilities by log T, the coefficients and the frequency."""
        import numpy as np

        time, frequency = best.nonlinear
        cosine, sine = self.columns(time, frequency)
        _, a, b = best.coefficients
        slope = (a * cosine + b * sine) * self.points.since / time
        turn = (b * cosine - a * sine) * 2 * pi * self.points.since
        return np.stack([slope, np.ones_like(cosine), cosine, sine, turn], axis=1)


_Model = _Exponential | _Fringes


def _least_squares(shares: Floats, errors: Floats, columns: Floats) -> Floats:
    """Chi-square of the best constant plus combination of columns, for many sets of one or two.

    Shapes: shares and errors (delays,), columns (sets, 1 or 2, delays); the result is (sets,).
    """
    import numpy as np

    weights = 1 / errors**2
    total = weights.sum()
    y = shares - (weights @ shares) / total
    x = columns - (columns @ weights)[..., None] / total
    on_y = (x * weights) @ y
    between = (x * weights) @ np.swapaxes(x, -1, -2)
    sizes = np.maximum(np.einsum("kii->ki", between), 1e-300)
    on_y, between = on_y / np.sqrt(sizes), between / np.sqrt(sizes[:, :, None] * sizes[:, None, :])
    explained = on_y[:, 0] ** 2
    if columns.shape[1] == 2:
        # the second column, less what the first one says of it
        rest = np.maximum(1 - between[:, 0, 1] ** 2, 1e-12)
        explained = explained + (on_y[:, 1] - between[:, 0, 1] * on_y[:, 0]) ** 2 / rest
    left: Floats = np.maximum(weights @ y**2 - explained, 0.0)
    return left


def _minimum(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Where a function of one number is least between two ends, and its value there."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(function, bounds=(low, high), method="bounded")
    return float(found.x), float(found.fun)


# --- fits ----------------------------------------------------------------------------------------


def _flat(points: _Points) -> _Fitted:
    """The fit of one probability for all delays."""
    import numpy as np

    share = float(points.hits.sum() / points.shots.sum())
    probabilities = np.full_like(points.times, share)
    errors = points.errors(probabilities)
    return _fitted(points, (), np.array([share]), probabilities, errors)


def _fit(points: _Points, model: _Model) -> _Fitted:
    errors = points.rough_errors()
    for _ in range(_ROUNDS):
        nonlinear = model.search(errors)
        coefficients, probabilities = _solve(points, model.columns(*nonlinear), errors)
        best = _fitted(points, nonlinear, coefficients, probabilities, errors)
        errors = points.errors(probabilities)
    return best


def _fitted(
    points: _Points,
    nonlinear: tuple[float, ...],
    coefficients: Floats,
    probabilities: Floats,
    errors: Floats,
) -> _Fitted:
    number = len(nonlinear) + len(coefficients)
    good = goodness((points.shares - probabilities).tolist(), errors.tolist(), number)
    bad = good.p_value < UNLIKELY and good.degrees > 0
    scale = good.chi_square / good.degrees if bad else 1.0
    return _Fitted(
        nonlinear, coefficients, probabilities, errors, good.chi_square, good, max(1.0, scale)
    )


def _significance(gain: float, scale: float, parameters: int) -> float:
    """P-value of chi-square falling by so much for nothing."""
    from scipy.stats import chi2

    return float(chi2.sf(max(0.0, gain / scale), parameters))


def _seen(points: _Points, model: _Fringes, best: _Fitted, first: int = 0) -> bool:
    """Whether the fringes stand out of the noise, from one of the delays on."""
    import numpy as np

    rest = _Points(points.times[first:], points.hits[first:], points.shots[first:])
    fitted = float(np.sum(((points.shares - best.probabilities) / best.errors)[first:] ** 2))
    chance = _significance(_flat(rest).chi_square - fitted, best.scale, 3)
    return chance * len(model.frequencies) < _BY_CHANCE


def _profile(model: _Model, best: _Fitted, quantile: float) -> tuple[float, float]:
    """The decay times between which chi-square is at most `quantile` above the least.

    An end beyond the times that are tried is 0 or infinite.
    """
    from scipy.optimize import brentq

    chi_square = model.profile(best)
    middle = log(best.nonlinear[0])
    limit = chi_square(middle) + quantile * best.scale

    def above(u: float) -> float:
        return chi_square(u) - limit

    ends = []
    for edge, beyond in ((log(model.shortest), 0.0), (log(model.longest), inf)):
        step, inner = 0.1 if edge > middle else -0.1, middle
        while True:
            outer = inner + step
            if (outer - edge) * step >= 0:
                outer = edge
            if above(outer) > 0:
                ends.append(exp(float(brentq(above, inner, outer, xtol=1e-6))))
                break
            if outer == edge:
                ends.append(beyond)
                break
            inner, step = outer, 1.5 * step
    return ends[0], ends[1]


def _decay(
    points: _Points, model: _Model, best: _Fitted, ends: tuple[float, float]
) -> Decay | NoDecay:
    import numpy as np

    weighted = model.jacobian(best) / best.errors[:, None]
    covariance = best.scale * np.linalg.pinv(weighted.T @ weighted)
    time, offset = best.nonlinear[0], float(best.coefficients[0])
    start = float(points.times[0])
    estimate = TimeEstimate(time, time * sqrt(covariance[0, 0]), *ends)
    of_offset = Mean(offset, sqrt(covariance[1, 1]))
    widened = sqrt(best.scale)
    if isinstance(model, _Exponential):
        amplitude = Mean(float(best.coefficients[1]), sqrt(covariance[2, 2]))
        return Decay(estimate, start, amplitude, of_offset, best.goodness, widened)
    a, b = (float(c) for c in best.coefficients[1:])
    size = hypot(a, b)
    slope = np.array([a, b]) / size
    error = sqrt(float(slope @ covariance[2:4, 2:4] @ slope))
    frequency = Mean(best.nonlinear[1], sqrt(covariance[4, 4]))
    amplitude = Mean(size, error)
    phase = atan2(-b, a)
    return Decay(estimate, start, amplitude, of_offset, best.goodness, widened, frequency, phase)


def _none(points: _Points, level: float, ends_at: float | None) -> NoDecay:
    """No change is seen: T has a lower bound if the level is far from where a decay ends."""
    reason = "no decay within the delays: the probability stays the same within its errors"
    if ends_at is None or abs(level - ends_at) < _LEAST_CONTRAST:
        return NoDecay(reason)
    if (bound := _slowest(points, ends_at)) is None:
        return NoDecay(reason)
    assumed = f"the bound assumes that it tends to {ends_at:g} at long delays"
    return NoDecay(f"{reason}; {assumed}", at_least=bound)


def _slowest(points: _Points, ends_at: float) -> float | None:
    """The shortest T that the counts allow (95 %, one-sided) of a decay to a known level."""
    from scipy.optimize import brentq

    errors = points.rough_errors()

    def chi_square(u: float) -> float:
        import numpy as np

        column = np.exp(-points.since / exp(u)) / errors
        target = (points.shares - ends_at) / errors
        return float(target @ target - (column @ target) ** 2 / (column @ column))

    low, high = log(_SHORTEST * points.gap), log(_LONGEST * points.range)
    best, least = _minimum(chi_square, log(points.range / 10), high)
    if chi_square(low) < least + _ONE_SIDED:
        return None
    return exp(float(brentq(lambda u: chi_square(u) - least - _ONE_SIDED, low, best)))

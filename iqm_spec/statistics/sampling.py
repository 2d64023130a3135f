"""Mean and variance, under sampling, of two distances of counts to an ideal distribution.

Both are sums over outcomes, `sum_i g_i(X_i)`, of multinomial counts X. Each X_i alone is binomial,
so the mean is exact. For the variance g_i is split into its mean, its regression on X_i and a
remainder r_i. The regressions' variance is exact; a remainder has no covariance with any X_j, since
E[X_j | X_i] is a straight line; and two remainders have very nearly the correlation
p_i p_j / ((1 - p_i)(1 - p_j)) of the second orthogonal polynomials. That is exact for two outcomes,
and to second order in 1/shots for any number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]
    OfCounts = Callable[[Floats, Floats], Floats]

MOST_SUMMED_SINGLY = 1 << 15
"""Outcomes that are summed up each by itself; of more, those drawn alike share a table.

Both ways agree, means to 1e-12 and variances to 1e-4. Figures that folders hold were made by the
first one.
"""

_NARROW = 64.0
"""Variance up to which a binomial is summed number by number; above, on a grid."""

_WINDOW = 170
"""Numbers summed: ten standard deviations to either side of the widest narrow binomial's mean."""

_TABLED = 100_000
"""Shots up to which logarithms of factorials are looked up."""

_GRID = 161

_ROWS = 256
"""Outcomes whose numbers are in memory at once: as many as fit into a processor's cache."""

_REACH = 8.0
"""The grid of a wide binomial ends at so many standard deviations."""


@frozen
class Sum:
    """Mean and variance of a sum over outcomes."""

    mean: float
    variance: float


def sampled_distances(
    ideal: Floats, drawn: Floats, shots: int, many: Floats | None = None
) -> tuple[Sum, Sum]:
    """Moments of sum sqrt(p_i X_i / N), the root of the fidelity F, and of sum |X_i / N - p_i| / 2.

    `ideal` holds p_i and `drawn` the probability by which outcome i is drawn in each of N `shots`:
    shape (outcomes,). Outcome i stands for `many[i]` outcomes that are alike; None: for itself.
    """
    import numpy as np

    if drawn.size > MOST_SUMMED_SINGLY:
        return tabled_distances(ideal, drawn, shots, many)

    def overlap(count: Floats, p: Floats) -> Floats:
        root: Floats = np.sqrt(p * count / shots)
        return root

    def distance(count: Floats, p: Floats) -> Floats:
        half: Floats = np.abs(count / shots - p) / 2
        return half

    fidelity_root, total_variation = multinomial_sums(
        (overlap, distance), ideal, drawn, shots, many
    )
    return fidelity_root, total_variation


def error_of_square(mean: float, variance: float) -> float:
    """Standard deviation of the square of a nearly normal quantity: of F from its root's."""
    return sqrt(4 * mean**2 * variance + 2 * variance**2)


def multinomial_sums(
    functions: Sequence[OfCounts],
    ideal: Floats,
    drawn: Floats,
    shots: int,
    many: Floats | None = None,
) -> list[Sum]:
    """Moments of the sum of each `function(X, ideal)` over outcomes, X drawn `shots` times.

    `ideal` and `drawn` hold one number per outcome: a constant of the functions, and the
    probability by which the outcome is drawn. A function gets counts of shape (outcomes, points)
    and `ideal` of shape (outcomes, 1). Outcome i stands for `many[i]` outcomes that are alike.
    """
    import numpy as np

    many = np.ones_like(drawn) if many is None else many
    spread = shots * drawn * (1 - drawn)
    parts = np.zeros((len(functions), 3, drawn.size))
    for chosen, points in ((spread <= _NARROW, _each_number), (spread > _NARROW, _grid)):
        for members, first, alike in _blocks(np.flatnonzero(chosen), ideal, drawn):
            distinct, place = np.unique(drawn[first], return_inverse=True)
            counts, weights = (table[place] for table in points(distinct, shots))
            centred = counts - shots * drawn[first, None]
            for part, function in zip(parts, functions, strict=True):
                values = function(counts, ideal[first, None])
                split = split_up(values, centred, weights, spread[first])
                part[:, members] = np.repeat(split, alike, axis=1)
    return [sum_of(part, drawn, shots, many) for part in parts]


def tabled_distances(
    ideal: Floats, drawn: Floats, shots: int, many: Floats | None = None
) -> tuple[Sum, Sum]:
    """As `sampled_distances`; time goes with outcomes, and not with numbers per count.

    Sums over a count's numbers are made once for all outcomes that are drawn with the same
    probability. Those of sqrt(p X / N) are those of sqrt(X / N), times sqrt(p). Those of
    |X / N - p| / 2 are made of partial sums up to the number at which the sign turns.
    """
    import numpy as np

    many = np.broadcast_to(1.0, drawn.shape) if many is None else many
    order = np.argsort(drawn, kind="stable").astype(np.int32)
    distinct, starts = np.unique(drawn[order], return_index=True)
    ends = np.append(starts[1:], order.size)

    def moments(*, of_roots: bool) -> Sum:
        part = np.empty((3, drawn.size))
        for places, counts, weights in points_of(distinct, shots):
            chosen = distinct[places]
            centred, spread = counts - shots * chosen[:, None], shots * chosen * (1 - chosen)
            roots = split_up(np.sqrt(counts / shots), centred, weights, spread)
            for row, place in enumerate(places):
                members = order[starts[place] : ends[place]]
                p = ideal[members]
                if of_roots:
                    part[:, members] = roots[:, row, None] * np.sqrt(p)
                else:
                    table = counts[row] / shots, centred[row], weights[row]
                    part[:, members] = _distance_moments(*table, p, float(spread[row]))
        return sum_of(part, drawn, shots, many)

    return moments(of_roots=True), moments(of_roots=False)  # one after the other: half the memory


def _distance_moments(
    y: Floats, centred: Floats, weights: Floats, p: Floats, spread: float
) -> Floats:
    """Per ideal probability p: mean, slope and remainder of |y - p| / 2, as `split_up` has them.

    `y` rises; `centred` is its count less the mean.
    """
    import numpy as np

    turn = np.searchsorted(y, p)

    def absolute(of: Floats) -> Floats:
        """Sum of `of` |y - p| / 2."""
        partial, partial_y = _partial_sums(of), _partial_sums(of * y)
        total = partial_y[-1] - p * partial[-1]
        half: Floats = total / 2 - (partial_y[turn] - p * partial[turn])
        return half

    mean, with_count = absolute(weights), absolute(weights * centred)
    slope = with_count / spread if spread > 0 else np.zeros_like(p)
    square = (weights @ y**2 - 2 * p * (weights @ y) + p**2) / 4
    straight = 2 * mean * slope * (weights @ centred) + slope**2 * (weights @ centred**2)
    rest = square - mean**2 - 2 * slope * with_count + straight
    return np.stack([mean, slope, np.sqrt(np.maximum(0.0, rest)) * (spread > 0)])


def _partial_sums(of: Floats) -> Floats:
    """Sums of the first 0, 1, ... numbers."""
    import numpy as np

    return np.concatenate([[0.0], np.cumsum(of)])


def points_of(drawn: Floats, shots: int) -> Iterator[tuple[Places, Floats, Floats]]:
    """Counts and their probabilities, as many rows as probabilities `drawn`, and which these are.

    The rows are some at a time: all of one kind, narrow or wide, have equally many numbers.
    """
    import numpy as np

    wide = shots * drawn * (1 - drawn) > _NARROW
    for chosen, points in ((~wide, _each_number), (wide, _grid)):
        places = np.flatnonzero(chosen)
        for start in range(0, places.size, _ROWS):
            block = places[start : start + _ROWS]
            yield (block, *points(drawn[block], shots))


def _blocks(
    chosen: Places, ideal: Floats, drawn: Floats
) -> Iterator[tuple[Places, Places, Places]]:
    """Outcomes some at a time, so that few rows of numbers are in memory at once.

    Yields the members of a block, those equal in `ideal` and `drawn` side by side; the first of
    each such group, which the others need no computation besides; and the groups' sizes.
    """
    import numpy as np

    order = chosen[np.lexsort((ideal[chosen], drawn[chosen]))]
    new = np.ones(order.size, dtype=bool)
    new[1:] = (np.diff(drawn[order]) != 0) | (np.diff(ideal[order]) != 0)
    starts = np.append(np.flatnonzero(new), order.size)
    for begin in range(0, starts.size - 1, _ROWS):
        edges = starts[begin : begin + _ROWS + 1]
        yield order[edges[0] : edges[-1]], order[edges[:-1]], np.diff(edges)


def split_up(values: Floats, centred: Floats, weights: Floats, spread: Floats) -> Floats:
    """Per outcome: mean, slope on the count, and the remainder's standard deviation."""
    import numpy as np

    weighed = weights * values
    mean = weighed.sum(1)
    random = spread > 0
    slope = (weighed * centred).sum(1) / np.where(random, spread, 1.0)
    rest = values - mean[:, None] - slope[:, None] * centred
    remainder = np.sqrt((weights * rest**2).sum(1))
    return np.stack([mean, slope * random, remainder * random])


def sum_of(part: Floats, drawn: Floats, shots: int, many: Floats) -> Sum:
    """The sum over outcomes of which each has a mean, a slope and a remainder (rows of `part`)."""
    mean, slope, rest = part
    import numpy as np

    straight = shots * (many @ (slope**2 * drawn) - (many @ (slope * drawn)) ** 2)
    odds = np.divide(drawn, 1 - drawn, out=np.zeros_like(drawn), where=drawn < 1)
    together = (many @ (odds * rest)) ** 2
    bent = many @ (rest**2 * (1 - odds**2)) + together
    return Sum(float(many @ mean), max(0.0, float(straight)) + max(0.0, float(bent)))


def _each_number(drawn: Floats, shots: int) -> tuple[Floats, Floats]:
    """The numbers around each binomial's mean, with their probabilities."""
    import numpy as np

    first = np.clip(np.floor(shots * drawn) - _WINDOW // 2, 0, max(0, shots + 1 - _WINDOW))
    counts = first[:, None] + np.arange(min(_WINDOW, shots + 1), dtype=float)
    p = np.clip(drawn[:, None], 1e-300, 1 - 1e-16)
    if shots <= _TABLED:
        table, number = _log_factorials(shots), counts.astype(int)
        ways = table[-1] - (table[number] + table[shots - number])
    else:
        ways = _log_factorial(np.array([shots], dtype=float)) - (
            _log_factorial(counts) + _log_factorial(shots - counts)
        )
    weights = np.exp(ways + counts * np.log(p) + (shots - counts) * np.log1p(-p))
    return counts, weights / weights.sum(1, keepdims=True)


def _grid(drawn: Floats, shots: int) -> tuple[Floats, Floats]:
    """An even grid with the normal density and its first correction, for the skewness."""
    import numpy as np

    z = np.linspace(-_REACH, _REACH, _GRID)
    deviation = np.sqrt(shots * drawn * (1 - drawn))[:, None]
    skewness = (1 - 2 * drawn)[:, None] / deviation
    weights = np.exp(-(z**2) / 2) * np.maximum(0.0, 1 + skewness / 6 * (z**3 - 3 * z))
    counts = np.clip(shots * drawn[:, None] + deviation * z, 0, shots)
    return counts, weights / weights.sum(1, keepdims=True)


@lru_cache(maxsize=8)
def _log_factorials(most: int) -> Floats:
    """ln n! of every n up to `most`."""
    import numpy as np

    return _log_factorial(np.arange(most + 1.0))


def _log_factorial(n: Floats) -> Floats:
    """ln n! by Stirling's series from 10 on, where it is exact to 1e-12; a table below."""
    import numpy as np

    table = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, 11.0)))])
    large = np.maximum(n, 10.0)
    series = 1 / (12 * large) - 1 / (360 * large**3) + 1 / (1260 * large**5) - 1 / (1680 * large**7)
    stirling = (large + 0.5) * np.log(large) - large + 0.5 * np.log(2 * np.pi) + series
    small = table[np.minimum(n, 10.0).astype(int)]
    result: Floats = np.where(n < 10, small, stirling)
    return result

"""Moments of the two distances where outcomes are many, and most are drawn alike.

As `moments`, whose sums over a count's numbers are made here once for all outcomes that are drawn
with the same probability d. Of sqrt(p X / N) they are those of sqrt(X / N), times sqrt(p). Those of
|X / N - p| / 2 are made of partial sums up to the number at which the sign turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iqm_spec.analysis.moments import Sum, points_of, split_up, sum_of

if TYPE_CHECKING:
    from iqm_spec.analysis.moments import Floats


def tabled_distances(
    ideal: Floats, drawn: Floats, shots: int, many: Floats | None = None
) -> tuple[Sum, Sum]:
    """As `distances.sampled_distances`; time goes with outcomes, and not with numbers per count."""
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
                    part[:, members] = _apart(*table, p, float(spread[row]))
        return sum_of(part, drawn, shots, many)

    return moments(of_roots=True), moments(of_roots=False)  # one after the other: half the memory


def _apart(y: Floats, centred: Floats, weights: Floats, p: Floats, spread: float) -> Floats:
    """Per ideal probability p: mean, slope and remainder of |y - p| / 2, as `split_up` has them.

    `y` rises; `centred` is its count less the mean.
    """
    import numpy as np

    turn = np.searchsorted(y, p)

    def absolute(of: Floats) -> Floats:
        """Sum of `of` |y - p| / 2."""
        alone, along = _partial(of), _partial(of * y)
        whole = along[-1] - p * alone[-1]
        half: Floats = whole / 2 - (along[turn] - p * alone[turn])
        return half

    mean, with_count = absolute(weights), absolute(weights * centred)
    slope = with_count / spread if spread > 0 else np.zeros_like(p)
    square = (weights @ y**2 - 2 * p * (weights @ y) + p**2) / 4
    straight = 2 * mean * slope * (weights @ centred) + slope**2 * (weights @ centred**2)
    rest = square - mean**2 - 2 * slope * with_count + straight
    return np.stack([mean, slope, np.sqrt(np.maximum(0.0, rest)) * (spread > 0)])


def _partial(of: Floats) -> Floats:
    """Sums of the first 0, 1, ... numbers."""
    import numpy as np

    return np.concatenate([[0.0], np.cumsum(of)])

"""The placement of a circuit's components on a machine's with the lowest loss.

A loss is a sum over components and over pairs of them, so partial placements grow component by
component along the circuit's interactions, a layer at a time, and those that cannot become better
than the best known placement are dropped. A layer holds at most `WIDTH` partial placements; where
none had to be dropped for that, the result is the optimum. Components that interact with none that
is still to be placed (all of them on a star) come last, as an assignment problem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

from attrs import define, evolve, frozen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

WIDTH = 4_000
"""Most partial placements of a layer."""

_NARROW = 200
"""Width of the first pass, whose result lets the second drop more."""

_EPSILON = 1e-12


@frozen
class Problem:
    """Losses of components and pairs of a circuit, wherever a machine could have them.

    `singles[v, p]` is the loss of the circuit's component v on the machine's p, `pairs[u, v][p, q]`
    that of what u and v (u < v) do together on p and q; both are infinite where it cannot be done.
    """

    singles: Floats
    pairs: Mapping[tuple[int, int], Floats]


@frozen
class Solution:
    """Places of the circuit's components, their loss, and whether it is proven to be the lowest."""

    places: tuple[int, ...]
    loss: float
    is_optimal: bool


def solve(problem: Problem, start: Sequence[int] | None = None) -> Solution | None:
    """The placement with the lowest loss, or None where there is none.

    `start` is a placement that is possible; the result is no worse. Deterministic: no time limit,
    no random number.
    """
    best = Solution((), inf, False)
    if start is not None:
        best = Solution(tuple(start), loss_of(problem, start), False)
    search = _Search.of(problem)
    for width in (_NARROW, WIDTH):
        best = search.run(best, width)
        if best.is_optimal:
            break
    return best if best.loss < inf else None


def loss_of(problem: Problem, places: Sequence[int]) -> float:
    """The loss of a placement."""
    total = sum(float(problem.singles[v, p]) for v, p in enumerate(places))
    return total + sum(
        float(table[places[u], places[v]]) for (u, v), table in problem.pairs.items()
    )


@define
class _Search:
    """The passes over one problem: the order of its components, and bounds for what is unplaced."""

    problem: Problem
    order: tuple[int, ...]
    """Components that are placed in layers."""
    free: tuple[int, ...]
    """Components that interact with pinned ones alone, and are placed by assignment."""
    tables: Mapping[tuple[int, int], Floats]
    """Losses of pairs in both directions."""
    rest: tuple[float, ...]
    """By number of placed components: at least the loss of the others."""

    @classmethod
    def of(cls, problem: Problem) -> _Search:
        import numpy as np

        singles = problem.singles
        tables = dict(problem.pairs)
        tables |= {(v, u): table.T for (u, v), table in problem.pairs.items()}
        partners = _partners(problem)
        pinned = {v for v in partners if np.isfinite(singles[v]).sum() == 1}
        free = tuple(v for v in partners if v not in pinned and partners[v] <= pinned)
        order = _order(partners, pinned, set(free))
        rest = tuple(
            _at_least(singles, tables, set(order[:number])) for number in range(len(order) + 1)
        )
        return cls(problem, order, free, tables, rest)

    def run(self, best: Solution, width: int) -> Solution:
        """Place in layers of at most `width`: `best` or better."""
        import numpy as np

        singles = self.problem.singles
        used = np.zeros((1, singles.shape[1]), dtype=bool)
        places = np.zeros((1, 0), dtype=np.intp)
        losses = np.zeros(1)
        complete = True
        for depth, component in enumerate(self.order):
            grown = losses[:, None] + singles[component][None, :]
            grown[used] = inf
            for earlier, other in enumerate(self.order[:depth]):
                if (table := self.tables.get((other, component))) is not None:
                    grown += table[places[:, earlier]]
            limit = best.loss - _EPSILON - self.rest[depth + 1]
            parents, chosen = np.nonzero(grown < limit)
            losses = grown[parents, chosen]
            if len(losses) > width:
                kept = np.sort(np.argpartition(losses, width)[:width])
                parents, chosen, losses = parents[kept], chosen[kept], losses[kept]
                complete = False
            used = used[parents]
            used[np.arange(len(chosen)), chosen] = True
            places = np.concatenate([places[parents], chosen[:, None]], axis=1)
        for number in np.argsort(losses, kind="stable"):
            if losses[number] + self.rest[-1] >= best.loss - _EPSILON:
                break
            best = self._assigned(places[number], used[number], float(losses[number]), best)
        return evolve(best, is_optimal=complete)

    def _assigned(self, places: Indices, used: Indices, loss: float, best: Solution) -> Solution:
        """The better of `best` and the placement with the free components where they lose least."""
        whole = dict(zip(self.order, places.tolist(), strict=True))
        if self.free:
            import numpy as np
            from scipy.optimize import linear_sum_assignment

            table = self.problem.singles[list(self.free)].copy()
            for row, v in enumerate(self.free):
                for u, place in whole.items():
                    if (pair := self.tables.get((u, v))) is not None:
                        table[row] += pair[place]
            table[:, used] = inf
            try:
                rows, columns = linear_sum_assignment(table)
            except ValueError:  # no assignment is possible
                return best
            loss += float(table[rows, columns].sum())
            whole |= dict(zip(self.free, columns.tolist(), strict=True))
            if not np.isfinite(loss):
                return best
        if loss >= best.loss - _EPSILON:
            return best
        return Solution(tuple(whole[v] for v in range(len(whole))), loss, False)


def _partners(problem: Problem) -> dict[int, set[int]]:
    """The components that each component does something with."""
    partners: dict[int, set[int]] = {v: set() for v in range(len(problem.singles))}
    for u, v in problem.pairs:
        partners[u].add(v)
        partners[v].add(u)
    return partners


def _order(partners: Mapping[int, set[int]], pinned: set[int], free: set[int]) -> tuple[int, ...]:
    """Pinned components first; then along interactions, those with most placed partners next."""
    order = sorted(pinned)
    unplaced = set(partners) - pinned - free
    while unplaced:
        placed = set(order) - pinned
        chosen = max(unplaced, key=lambda v: (len(partners[v] & placed), len(partners[v]), -v))
        order.append(chosen)
        unplaced.remove(chosen)
    return tuple(order)


def _at_least(singles: Floats, tables: Mapping[tuple[int, int], Floats], placed: set[int]) -> float:
    """A lower bound of what the components that are not placed lose, on any distinct places.

    A pair of two unplaced components counts half for each, at the best place of the other.
    """
    from scipy.optimize import linear_sum_assignment

    unplaced = [v for v in range(len(singles)) if v not in placed]
    if not unplaced:
        return 0.0
    table = singles[unplaced].copy()
    for (u, v), pair in tables.items():
        if v not in placed:
            table[unplaced.index(v)] += pair.min(axis=0) * (1.0 if u in placed else 0.5)
    try:
        rows, columns = linear_sum_assignment(table)
    except ValueError:
        return inf
    return float(table[rows, columns].sum())

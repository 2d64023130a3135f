"""Random regular graphs."""

from __future__ import annotations

from random import Random

Edge = tuple[int, int]


def random_regular(vertices: int, degree: int, draw: Random) -> list[Edge]:
    """Edges of a random simple graph in which every vertex has `degree` neighbours, sorted.

    Stubs are paired at random and pairs that would not be simple are put back, until none is left
    or nothing fits; then it starts again (A. Steger, N. C. Wormald, Combinatorics, Probability and
    Computing 8, 377, 1999). `degree < vertices`, and their product is even.
    """
    if 2 * degree >= vertices:
        left_out = _sparse(vertices, vertices - 1 - degree, draw)
        every = ((one, other) for one in range(vertices) for other in range(one + 1, vertices))
        return [edge for edge in every if edge not in left_out]
    return sorted(_sparse(vertices, degree, draw))


def _sparse(vertices: int, degree: int, draw: Random) -> set[Edge]:
    while True:
        edges = _attempt(vertices, degree, draw)
        if edges is not None:
            return edges


def _attempt(vertices: int, degree: int, draw: Random) -> set[Edge] | None:
    edges: set[Edge] = set()
    stubs = [vertex for vertex in range(vertices) for _ in range(degree)]
    while stubs:
        draw.shuffle(stubs)
        left: list[int] = []
        for one, other in zip(stubs[0::2], stubs[1::2], strict=True):
            edge = (min(one, other), max(one, other))
            if one == other or edge in edges:
                left += (one, other)
            else:
                edges.add(edge)
        if not _can_go_on(edges, left):
            return None
        stubs = left
    return edges


def _can_go_on(edges: set[Edge], stubs: list[int]) -> bool:
    free = sorted(set(stubs))
    if not free:
        return True
    return any(
        (one, other) not in edges for place, one in enumerate(free) for other in free[place + 1 :]
    )

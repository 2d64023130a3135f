"""A machine as a map: components, couplings, and which of them are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import atan2, copysign, cos, pi, sin, tau
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.plots.sheet import Label, Place, Sheet
from iqm_spec.plots.style import LINE, PAPER, TINY, WASH, series_color, shortened, styled
from iqm_spec.targets import Architecture

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_COMPONENTS = 400
"""Of a machine whose map is drawn."""

_SPACING, _RADIUS, _MARGIN = 44.0, 15.0, 20.0
_MOST_WIDE = 400.0

Edge = tuple[str, str]


@frozen
class Used:
    """Components in use with a description of each, and couplings in use."""

    components: Mapping[str, str]
    edges: frozenset[Edge] = frozenset()


@styled()
def chip_map(machine: Architecture, used: Used) -> Figure:
    """The coupling map of a machine with what is in use."""
    names = machine.components
    edges = couplings(machine)
    places = dict(zip(names, positions(names, tuple(edges)), strict=True))
    xs, ys = [p[0] for p in places.values()], [p[1] for p in places.values()]
    across, up = max(xs) - min(xs), max(ys) - min(ys)
    scale = min(_SPACING, (_MOST_WIDE - 2 * _MARGIN) / max(across, 1e-9))
    radius = min(_RADIUS, scale * 0.36)

    def at(name: str) -> Place:
        x, y = places[name]
        return _MARGIN + (x - min(xs)) * scale, _MARGIN + (y - min(ys)) * scale

    sheet = Sheet(max(2 * _MARGIN + across * scale, 120.0), 2 * _MARGIN + up * scale)
    free = {edge for edge in edges if not {edge, edge[::-1]} & used.edges}
    for group, stroke, line_width in (
        ([edge for edge in edges if edge in free], LINE, 2),
        ([edge for edge in edges if edge not in free], series_color(1), 4),
    ):
        sheet.lines([[at(first), at(second)] for first, second in group], stroke, width=line_width)
    for in_use in (False, True):
        shown = [name for name in names if (name in used.components) == in_use]
        fill, stroke = (WASH, series_color(1)) if in_use else (PAPER, LINE)
        width = 2.5 if in_use else 1.5
        qubits = [name for name in shown if name not in machine.resonators]
        tips = [f"{name}: {used.components.get(name, 'not used')}" for name in qubits]
        sheet.dots(list(map(at, qubits)), radius, tips, fill=fill, stroke=stroke, width=width)
        half = radius * 1.1
        resonators = [name for name in shown if name in machine.resonators]
        boxes = [(x - half, y - half, 2 * half, 2 * half) for x, y in map(at, resonators)]
        tips = [f"{name}: {used.components.get(name, 'not used')}" for name in resonators]
        sheet.boxes(boxes, tips, fill=fill, stroke=stroke, width=width, radius=4)
    labels = []
    for name in names:
        x, y = at(name)
        short = name.removeprefix("QB") if radius < 12 else name
        labels.append(Label((x, y + 3.5), shortened(short, 5), "center"))
    sheet.texts(labels, size=TINY)
    return sheet.figure


def couplings(machine: Architecture) -> list[Edge]:
    """Pairs of components that a two-component gate acts on, each once."""
    pairs: dict[frozenset[str], Edge] = {}
    for gate in ("cz", "move"):
        for locus in machine.gates.get(gate, ()):
            pairs.setdefault(frozenset(locus), (locus[0], locus[1]))
    return list(pairs.values())


@lru_cache(maxsize=32)
def positions(names: tuple[str, ...], edges: tuple[Edge, ...]) -> tuple[Place, ...]:
    """Places in the plane, neighbors about 1 apart; a lattice comes out as a lattice.

    Distances in the plane are as close as they can be to those of the graph: by stress majorization
    (Gansner, Koren, North 2004) from the eigenvectors of its distances.
    """
    import numpy as np

    hubs = set.intersection(*map(set, edges)) if len(edges) > 2 and len(names) > 3 else set()
    if hubs:  # every coupling goes to one component
        others = [name for name in names if name not in hubs]
        ring = max(1.3, len(others) * 1.05 / tau)
        turn = {name: tau * i / len(others) - pi / 2 for i, name in enumerate(others)}
        around = {n: (ring * cos(a), ring * sin(a)) for n, a in turn.items()}
        return tuple(around.get(name, (0.0, 0.0)) for name in names)
    if len(names) == 1:
        return ((0.0, 0.0),)
    far = _distances(names, edges)
    place = _start(far)
    weight = np.where(far > 0, 1.0 / np.maximum(far, 1e-9) ** 2, 0.0)
    laplace = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplace)
    for _ in range(300):
        gap = np.linalg.norm(place[:, None] - place[None], axis=2)
        ratio = weight * far / np.maximum(gap, 1e-9)
        place = inverse @ ((np.diag(ratio.sum(axis=1)) - ratio) @ place)
    return _upright(names, edges, place)


def _start(far: Floats) -> Floats:
    """Classical scaling: the two widest directions of the distances."""
    import numpy as np

    squared = far**2
    count = len(squared)
    center = np.eye(count) - 1.0 / count
    values, vectors = np.linalg.eigh(-center @ squared @ center / 2)
    directions = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-6))
    # a fixed sign, so that every machine draws the same map
    turned: Floats = directions * np.where(
        directions[np.argmax(np.abs(directions), axis=0), [0, 1]] < 0, -1.0, 1.0
    )
    return turned


def _distances(names: Sequence[str], edges: Sequence[Edge]) -> Floats:
    """Steps between components; parts that are not joined lie as far as the map is wide."""
    import numpy as np

    index = {name: i for i, name in enumerate(names)}
    far = np.full((len(names), len(names)), np.inf)
    np.fill_diagonal(far, 0.0)
    for first, second in edges:
        far[index[first], index[second]] = far[index[second], index[first]] = 1.0
    for middle in range(len(names)):
        far = np.minimum(far, far[:, middle : middle + 1] + far[middle])
    known = far[np.isfinite(far)]
    far[~np.isfinite(far)] = max(2.0, float(known.max()) + 1.0)
    return far


def _upright(names: Sequence[str], edges: Sequence[Edge], place: Floats) -> tuple[Place, ...]:
    """Turned so that couplings run along the page, the first component on the upper left."""
    import numpy as np

    points = place
    index = {name: i for i, name in enumerate(names)}
    steps = [points[index[b]] - points[index[a]] for a, b in edges] or [np.array([1.0, 0.0])]
    fourfold = sum(np.exp(4j * atan2(step[1], step[0])) for step in steps)
    turn = -float(np.angle(fourfold)) / 4
    points = points @ np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]])
    length = float(np.mean([np.linalg.norm(step) for step in steps])) or 1.0
    points = points / length
    first, last = points[: max(1, len(points) // 3)].mean(axis=0), points.mean(axis=0)
    if abs(first[0] - last[0]) > abs(first[1] - last[1]):  # numbers run down the page
        points = points[:, ::-1]
        first, last = first[::-1], last[::-1]
    if first[1] > last[1]:
        points = points * np.array([1.0, -1.0])
    if points[0][0] > points[min(1, len(points) - 1)][0]:
        points = points * np.array([-1.0, 1.0])
    rounded = [(round(float(x), 3), round(float(y), 3)) for x, y in points]
    return tuple(_snapped(rounded, [(index[a], index[b]) for a, b in edges]) or rounded)


def _snapped(places: Sequence[Place], edges: Sequence[tuple[int, int]]) -> list[Place] | None:
    """The same map on whole numbers, where every coupling is one step of a square lattice."""
    steps: dict[int, list[tuple[int, Place]]] = {}
    for a, b in edges:
        x, y = places[b][0] - places[a][0], places[b][1] - places[a][1]
        along_x = abs(x) > abs(y)
        step = (copysign(1.0, x), 0.0) if along_x else (0.0, 1.0 if y > 0 else -1.0)
        steps.setdefault(a, []).append((b, step))
        steps.setdefault(b, []).append((a, (-step[0], -step[1])))
    grid: dict[int, Place] = {0: (0.0, 0.0)}
    left = [0]
    while left:
        start = left.pop()
        for there, step in steps.get(start, ()):
            place = (grid[start][0] + step[0], grid[start][1] + step[1])
            if there not in grid:
                left.append(there)
            if grid.setdefault(there, place) != place:
                return None
    complete = len(grid) == len(places) == len(set(grid.values()))
    return [grid[i] for i in range(len(places))] if complete else None

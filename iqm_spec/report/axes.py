"""The axes of analysed points: which vary, which change together, which matters most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from attrs import frozen

from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.report.names import value

CIRCUIT = "circuit"
"""The name of the axis that circuits by their names are."""

MOST_SERIES = 6
"""Lines in one chart."""

Place = tuple[Any, ...]


@frozen
class Dot:
    """One figure of one group of points, at its place on the axes."""

    place: Mapping[str, Any]
    stage: str
    emulated: bool
    merit: Merit
    point: str
    """Id of the first of the points."""


@frozen
class Axis:
    """One axis that varies, with its values in order. `title` names axes that go with it."""

    name: str
    title: str
    values: tuple[Any, ...]

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """Its values as people read them."""
        return tuple(value(item) for item in self.values)

    def place(self, item: Any) -> float:
        """Where a value lies: itself, or its number in order."""
        return float(item) if self.numeric else float(self.values.index(item))


def place_of(group: Analysed) -> dict[str, Any]:
    """The axes of an analysed group, its circuit's name among them; lists can be compared."""
    values = {name: _settled(item) for name, item in group.values.items()}
    return {CIRCUIT if CIRCUIT not in values else f"{CIRCUIT} name": group.circuit, **values}


def axes_of(places: Sequence[Mapping[str, Any]]) -> list[Axis]:
    """Axes with more than one value, circuits last; those that always move together are one."""
    names = list(dict.fromkeys(name for place in places for name in place))
    columns = {name: [place.get(name) for place in places] for name in names}
    varying = [name for name in names if len(set(columns[name])) > 1]
    varying.sort(key=lambda name: name in (CIRCUIT, f"{CIRCUIT} name"))
    axes: list[Axis] = []
    separate: list[str] = []
    together: dict[str, list[str]] = {}
    for name in varying:
        same = next((k for k in separate if _together(columns[k], columns[name])), None)
        if same is None:
            separate.append(name)
        else:
            together.setdefault(same, []).append(name)
    for name in separate:
        more = together.get(name, [])
        title = f"{name} (with {', '.join(more)})" if more else name
        axes.append(Axis(name, title, _ordered(columns[name])))
    return axes


def split(dots: Sequence[Dot], x: Axis, others: Sequence[Axis]) -> Axis | None:
    """The axis with few values whose lines lie farthest apart."""
    few = [axis for axis in others if 1 < len(axis.values) <= MOST_SERIES]
    if not few:
        return None
    return max(few, key=lambda axis: _spread(dots, x, axis))


def _spread(dots: Sequence[Dot], x: Axis, axis: Axis) -> float:
    """The spread between the medians of an axis's values, averaged over x."""
    groups: dict[tuple[Any, Any], list[float]] = {}
    for dot in dots:
        key = (dot.place.get(x.name), dot.place.get(axis.name))
        groups.setdefault(key, []).append(dot.merit.value)
    by_x: dict[Any, list[float]] = {}
    for (at, _), values in groups.items():
        by_x.setdefault(at, []).append(median(values))
    spreads = [max(values) - min(values) for values in by_x.values()]
    return sum(spreads) / len(spreads) if spreads else 0.0


def _together(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Whether each value of one axis goes with one of the other, both ways."""
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len(set(first)) == len(set(second))


def _ordered(column: Iterable[Any]) -> tuple[Any, ...]:
    """Distinct values: numbers by size, others as they come; None (not used) last."""
    distinct = list(dict.fromkeys(column))
    numbers = [v for v in distinct if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) == len(distinct):
        return tuple(sorted(numbers))
    return tuple(v for v in distinct if v is not None) + tuple(v for v in distinct if v is None)


def _settled(item: Any) -> Any:
    return tuple(_settled(part) for part in item) if isinstance(item, list | tuple) else item

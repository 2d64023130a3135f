"""What two plans ask for differently: of their settings, and point by point, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json
from iqm_spec.model import SpecPoint, told_apart
from iqm_spec.plan.label import count, label
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.source.scalars import as_yaml
from iqm_spec.store.records import PlanHeader
from iqm_spec.store.structure import to_json

_DERIVED = {"ask", "circuits"}
"""Header entries that follow from the others."""

PointName = tuple[str, tuple[tuple[str, Any], ...], int]


@frozen
class Difference:
    """One thing that differs: `what` it is, on the left and on the right; None where not given.

    `point` is how the point is called at which it differs, empty for a setting of all.
    """

    what: str
    left: Json
    right: Json
    point: str = ""


@frozen
class Explanation:
    """All that two plans ask differently; empty where they are the same question."""

    settings: tuple[Difference, ...]
    points: tuple[Difference, ...]
    only_left: tuple[PlannedPoint, ...]
    only_right: tuple[PlannedPoint, ...]
    in_both: int
    """Points that both have."""

    @property
    def same(self) -> bool:
        """Whether both ask the same."""
        return not (self.settings or self.points or self.only_left or self.only_right)


def explain(left: Plan, right: Plan) -> Explanation:
    """Compare two plans; points are matched by circuit name, axis values and repeat."""
    ours, theirs = _by_name(left), _by_name(right)
    return Explanation(
        settings=tuple(_settings(left.header, right.header)),
        points=tuple(
            difference
            for name, point in ours.items()
            if name in theirs
            for difference in _point(point, theirs[name])
        ),
        only_left=tuple(point for name, point in ours.items() if name not in theirs),
        only_right=tuple(point for name, point in theirs.items() if name not in ours),
        in_both=sum(1 for name in ours if name in theirs),
    )


def point_name(point: PlannedPoint | SpecPoint) -> PointName:
    """What makes two points of two runs the same one."""
    named = sorted(point.values, key=lambda item: item[0])
    return point.name, tuple((axis, *told_apart((value,))) for axis, value in named), point.repeat


def flatten(value: Any, path: str = "") -> dict[str, Json]:
    """Leaves of nested JSON by their dotted path; lists of scalars are leaves.

    What is empty is left out: a spec that says `require: {}` asks what one says without it.
    """
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple) and any(map(_nested, value)):
        items = list(enumerate(value))
    else:
        return {} if value is None or value in ([], ()) else {path: value}
    found: dict[str, Json] = {}
    for key, item in items:
        found |= flatten(item, f"{path}.{key}" if path else str(key))
    return found


def _nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _by_name(plan: Plan) -> dict[PointName, PlannedPoint]:
    return {point_name(point): point for point in plan.points}


def _settings(left: PlanHeader, right: PlanHeader) -> list[Difference]:
    pairs = _both("", _asked(left), _asked(right))
    return [Difference(what, ours, theirs) for what, ours, theirs in pairs if ours != theirs]


def _both(path: str, left: Any, right: Any) -> list[tuple[str, Json, Json]]:
    """The leaves of two trees side by side, None where one of them has it not."""
    ours, theirs = flatten(left, path), flatten(right, path)
    return [(name, ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs})]


def _asked(header: PlanHeader) -> dict[str, Any]:
    """What a header says by itself, noise in words."""
    told = {key: value for key, value in to_json(header).items() if key not in _DERIVED}
    noise = {
        target: "ideal" if digest is None else f"profile {digest[:12]}"
        for target, digest in header.noise.items()
    }
    return {**told, "spec": header.spec.name, "noise": noise}


def _point(left: PlannedPoint, right: PlannedPoint) -> list[Difference]:
    told = label(left.name, left.values, left.repeat)
    pairs: list[tuple[str, Any, Any]] = [
        ("shots", left.shots, right.shots),
        ("target", left.target, right.target),
        *_both("options", dict(left.options), dict(right.options)),
        ("memory", left.memory, right.memory),
        ("source, layout or transpile options", left.circuit_key[:12], right.circuit_key[:12]),
        ("transpiled circuit", left.circuit[:12], right.circuit[:12]),
    ]
    return [Difference(what, a, b, told) for what, a, b in pairs if a != b]


NOT_GIVEN = "not given"

_MOST_NAMED = 3


def in_words(found: Explanation) -> list[tuple[str, str, str]]:
    """What differs, with its value on the left and on the right.

    Both values are empty where points differ each in its own way, and are too many to be listed.
    """
    settings = [(one.what, _told(one.left), _told(one.right)) for one in found.settings]
    by_what: dict[str, list[Difference]] = {}
    for one in found.points:
        by_what.setdefault(one.what, []).append(one)
    points = [told for some in by_what.values() for told in _points(some, found.in_both)]
    return [*settings, *points]


def _told(value: Json) -> str:
    """A value as it may stand in a spec, if it was given."""
    return NOT_GIVEN if value is None else printable(as_yaml(value))


def _points(some: Sequence[Difference], in_both: int) -> Iterator[tuple[str, str, str]]:
    """One line for all points that differ alike."""
    what = some[0].what
    ways: dict[tuple[str, str], list[Difference]] = {}
    for one in some:
        ways.setdefault((_told(one.left), _told(one.right)), []).append(one)
    if len(ways) > _MOST_NAMED:
        yield f"{what} {_where(some, in_both)}, each in its own way", "", ""
        return
    for (left, right), alike in ways.items():
        yield f"{what} {_where(alike, in_both)}", left, right


def _where(some: Sequence[Difference], in_both: int) -> str:
    if len(some) == in_both > 1:
        return f"at all {in_both:,} points"
    named = "; ".join(one.point for one in some[:_MOST_NAMED])
    if len(some) <= _MOST_NAMED:
        return f"at {named}"
    return f"at {len(some):,} of {count(in_both, 'point')} ({named}; ...)"

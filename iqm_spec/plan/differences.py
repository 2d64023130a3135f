"""The differences between two plans: of settings and of points, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json
from iqm_spec.model import SpecPoint, distinguishable
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
    """One difference: `what` it is, and its values on the left and right; None where not given.

    `point` is the label of the point at which it differs, empty for a setting of the plan.
    """

    what: str
    left: Json
    right: Json
    point: str = ""


@frozen
class Explanation:
    """All differences between two plans; empty where they measure the same."""

    settings: tuple[Difference, ...]
    points: tuple[Difference, ...]
    only_left: tuple[PlannedPoint, ...]
    only_right: tuple[PlannedPoint, ...]
    in_both: int
    """Number of points that both plans have."""

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
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
    """The name by which points of two runs are matched: circuit, axis values and repeat."""
    named = sorted(point.values, key=lambda item: item[0])
    return (
        point.name,
        tuple((axis, *distinguishable((value,))) for axis, value in named),
        point.repeat,
    )


def flatten(value: Any, path: str = "") -> dict[str, Json]:
    """Leaves of nested JSON by their dotted path; lists of scalars are leaves.

    Empty values are left out: `require: {}` means the same as no `require`.
    """
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple) and any(map(_nested, value)):
        items = list(enumerate(value))
    else:
        return {} if value is None or value in ([], ()) else {path: value}
    leaves: dict[str, Json] = {}
    for key, item in items:
        leaves |= flatten(item, f"{path}.{key}" if path else str(key))
    return leaves


def _nested(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _by_name(plan: Plan) -> dict[PointName, PlannedPoint]:
    return {point_name(point): point for point in plan.points}


def _settings(left: PlanHeader, right: PlanHeader) -> list[Difference]:
    pairs = _both("", _settings_of(left), _settings_of(right))
    return [Difference(what, ours, theirs) for what, ours, theirs in pairs if ours != theirs]


def _both(path: str, left: Any, right: Any) -> list[tuple[str, Json, Json]]:
    """The leaves of two trees side by side, None where one tree lacks it."""
    ours, theirs = flatten(left, path), flatten(right, path)
    return [(name, ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs})]


def _settings_of(header: PlanHeader) -> dict[str, Any]:
    """The settings in a header, without what follows from others; noise as text."""
    settings = {key: value for key, value in to_json(header).items() if key not in _DERIVED}
    noise = {
        target: "ideal" if digest is None else f"profile {digest[:12]}"
        for target, digest in header.noise.items()
    }
    return {**settings, "spec": header.spec.name, "noise": noise}


def _point(left: PlannedPoint, right: PlannedPoint) -> list[Difference]:
    point_label = label(left.name, left.values, left.repeat)
    pairs: list[tuple[str, Any, Any]] = [
        ("shots", left.shots, right.shots),
        ("target", left.target, right.target),
        *_both("options", dict(left.options), dict(right.options)),
        ("memory", left.memory, right.memory),
        ("source, layout or transpile options", left.circuit_key[:12], right.circuit_key[:12]),
        ("transpiled circuit", left.circuit[:12], right.circuit[:12]),
    ]
    return [Difference(what, a, b, point_label) for what, a, b in pairs if a != b]


NOT_GIVEN = "not given"

_MOST_NAMED = 3


def in_words(explanation: Explanation) -> list[tuple[str, str, str]]:
    """What differs, with its value on the left and on the right.

    Both values are empty where points differ each in its own way, and are too many to be listed.
    """
    settings = [
        (difference.what, _as_text(difference.left), _as_text(difference.right))
        for difference in explanation.settings
    ]
    by_what: dict[str, list[Difference]] = {}
    for difference in explanation.points:
        by_what.setdefault(difference.what, []).append(difference)
    points = [line for alike in by_what.values() for line in _points(alike, explanation.in_both)]
    return [*settings, *points]


def _as_text(value: Json) -> str:
    """A value as it may stand in a spec, if it was given."""
    return NOT_GIVEN if value is None else printable(as_yaml(value))


def _points(differences: Sequence[Difference], in_both: int) -> Iterator[tuple[str, str, str]]:
    """One line for all points that differ alike."""
    what = differences[0].what
    ways: dict[tuple[str, str], list[Difference]] = {}
    for difference in differences:
        ways.setdefault((_as_text(difference.left), _as_text(difference.right)), []).append(
            difference
        )
    if len(ways) > _MOST_NAMED:
        yield f"{what} {_where(differences, in_both)}, each in its own way", "", ""
        return
    for (left, right), alike in ways.items():
        yield f"{what} {_where(alike, in_both)}", left, right


def _where(differences: Sequence[Difference], in_both: int) -> str:
    if len(differences) == in_both > 1:
        return f"at all {in_both:,} points"
    named = "; ".join(difference.point for difference in differences[:_MOST_NAMED])
    if len(differences) <= _MOST_NAMED:
        return f"at {named}"
    return f"at {len(differences):,} of {count(in_both, 'point')} ({named}; ...)"

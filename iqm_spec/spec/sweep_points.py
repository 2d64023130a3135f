"""A spec's circuits at every point of the sweep: `points(spec)`.

A circuit's points are the projection of the sweep on the axes it uses: a circuit without `n` runs
once, not once per `n`. Order: circuits as in the spec, then blocks, the last axis fastest, then
repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.model import (
    AxisValue,
    Block,
    CircuitSpec,
    LayoutChoice,
    Spec,
    SpecPoint,
    Values,
    distinguishable,
)
from iqm_spec.spec import sweep_blocks
from iqm_spec.spec.template import FieldTemplate, compile_template

TEMPLATED_FIELDS = (
    "ref",
    "args",
    "parameters",
    "shots",
    "repeat",
    "layout",
    "transpile",
    "options",
    "target",
)
"""Fields of a circuit in which `${axis}` may stand."""


@frozen
class CircuitPoints:
    """One circuit's templates and the blocks that give its axes values.

    `axes` are those it uses, in the order in which the blocks name them. `common` are the blocks of
    the spec's sweep that give all the common axes it uses, `own` its own blocks.
    """

    circuit: CircuitSpec
    templates: Mapping[str, FieldTemplate]
    axes: tuple[str, ...]
    common: tuple[Block, ...]
    own: tuple[Block, ...]

    def assignments(self, axes: Sequence[str] | None = None) -> Iterator[Values]:
        """Distinct values of `axes` (all that the circuit uses, by default), in order."""
        chosen = self.axes if axes is None else tuple(a for a in self.axes if a in set(axes))
        own_axes = {axis for block in self.own for axis in block.axes}
        common = _projection(self.common, [axis for axis in chosen if axis not in own_axes])
        own = tuple(_projection(self.own, [axis for axis in chosen if axis in own_axes]))
        for left in common:  # itertools.product would hold all of them
            for right in own:
                named = dict(left + right)
                yield tuple((axis, named[axis]) for axis in chosen)

    def count(self) -> int:
        """At least the number of assignments, before exclusions: nothing is expanded."""
        own_axes = {axis for block in self.own for axis in block.axes}
        common = [axis for axis in self.axes if axis not in own_axes]
        own = [axis for axis in self.axes if axis in own_axes]
        return _most(self.common, common) * _most(self.own, own)

    def points(self, others: int = 0) -> Iterator[SpecPoint]:
        """The circuit's points, nothing templated left; values are taken as they come.

        `others` is the number of points that a reference circuit is measured among.
        """
        fill = _filler(self.templates)
        worth = self._worth()
        for values in self.assignments():
            filled = fill(dict(values))
            repeats = filled.pop("repeat")
            layout, choice = filled.pop("layout")
            if self.circuit.every is not None:
                repeats = reference_repeats(others, self.circuit.every)
            for repeat in range(repeats):
                yield SpecPoint(
                    circuit=self.circuit.index,
                    name=self.circuit.name,
                    values=values,
                    repeat=repeat,
                    priority=self.circuit.priority + worth(values),
                    memory=self.circuit.memory,
                    layout=layout,
                    layout_choice=choice,
                    **filled,
                )

    def _worth(self) -> Callable[[Values], float]:
        """The priority that a point has of its blocks: the highest, where several hold it."""
        own_axes = {axis for block in self.own for axis in block.axes}
        common = _priorities(self.common, [axis for axis in self.axes if axis not in own_axes])
        own = _priorities(self.own, [axis for axis in self.axes if axis in own_axes])
        return lambda values: common(values) + own(values)


def circuit_points(circuit: CircuitSpec, sweep: Sequence[Block]) -> CircuitPoints:
    """How `circuit` meets the sweep; raises `TemplateError` for a malformed placeholder."""
    templates = {name: compile_template(getattr(circuit, name)) for name in TEMPLATED_FIELDS}
    used = {axis for template in templates.values() for axis in template.axes}
    own_axes = {axis for block in circuit.sweep for axis in block.axes}
    from_common = used - own_axes
    common = tuple(block for block in sweep if from_common and from_common <= set(block.axes))
    named = (axis for block in (*common, *circuit.sweep) for axis in block.axes)
    return CircuitPoints(
        circuit=circuit,
        templates=templates,
        axes=tuple(dict.fromkeys(axis for axis in named if axis in used)),
        common=common,
        own=circuit.sweep,
    )


def all_points(spec: Spec) -> Iterator[SpecPoint]:
    """All points of `spec` in order, made one by one."""
    circuits = [circuit_points(circuit, spec.sweep) for circuit in spec.circuits]
    others = 0
    if any(points.circuit.every is not None for points in circuits):
        measured = (points for points in circuits if points.circuit.every is None)
        others = sum(1 for points in measured for _ in points.points())
    for points in circuits:
        yield from points.points(others)


def reference_repeats(others: int, every: int) -> int:
    """How often a reference circuit is measured among so many other circuits."""
    return 1 + others // every


def _projection(blocks: Sequence[Block], axes: Sequence[str]) -> Iterator[Values]:
    if not axes:
        yield ()
        return
    rows = (row for block in blocks for row in sweep_blocks.projected_rows(block, axes))
    distinct = rows if len(blocks) == 1 else sweep_blocks.distinct_rows(rows)
    for row in distinct:
        yield tuple(zip(axes, row, strict=True))


def _priorities(blocks: Sequence[Block], axes: Sequence[str]) -> Callable[[Values], float]:
    """The priority of values by their projection on `axes`; kept in memory where blocks differ."""
    if not axes or not blocks:
        return lambda values: 0
    if len({block.priority for block in blocks}) == 1:
        shared = blocks[0].priority
        return lambda values: shared
    rows: dict[tuple[AxisValue, ...], float] = {}
    for block in blocks:
        for row in sweep_blocks.projected_rows(block, axes):
            key = distinguishable(row)
            rows[key] = max(block.priority, rows.get(key, block.priority))

    def of(values: Values) -> float:
        named = dict(values)
        return rows[distinguishable(tuple(named[axis] for axis in axes))]

    return of


def _most(blocks: Sequence[Block], axes: Sequence[str]) -> int:
    return sum(sweep_blocks.projected_size(block, axes) for block in blocks) if axes else 1


def _filler(
    templates: Mapping[str, FieldTemplate],
) -> Callable[[Mapping[str, AxisValue]], dict[str, Any]]:
    """A function from values to a point's fields; what uses no axis is made once and shared."""
    fixed = {name: _settled(name, t.fill({})) for name, t in templates.items() if t.constant}
    moving = {name: t.fill for name, t in templates.items() if not t.constant}

    def fill(values: Mapping[str, AxisValue]) -> dict[str, Any]:
        filled = {name: _settled(name, make(values)) for name, make in moving.items()}
        return {**fixed, **filled}

    return fill


def _settled(name: str, value: Json) -> Any:
    """Names and choice of a layout; everything else stays as the spec has it."""
    return layout_of(value) if name == "layout" else value


def layout_of(value: Json) -> tuple[tuple[str, ...] | None, LayoutChoice]:
    """The names of a spec's `layout`, None where it names none, and who chooses the qubits."""
    match value:
        case None | LayoutChoice.BEST:
            return None, LayoutChoice.BEST
        case {"best": "shared"}:
            return None, LayoutChoice.SHARED
        case LayoutChoice.TRANSPILER:
            return None, LayoutChoice.TRANSPILER
    return tuple(cast("Sequence[str]", value)), LayoutChoice.FIXED

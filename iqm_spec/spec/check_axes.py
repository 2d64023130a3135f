"""The sweep against the circuits: axes, the number of points, and values of templated fields.

Axes may be used but undefined, defined but unused, or given by some blocks only. Points are counted
by arithmetic, before anything is expanded. A templated field, once filled, must be what the schema
asks of a plain value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iqm_spec.canonical import canonical
from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.model import Block, CircuitSpec, Spec, Values
from iqm_spec.source.source import path_exists
from iqm_spec.spec.reporter import Reporter, field_path, path_using_axis
from iqm_spec.spec.schema import field_schemas, spec_schema
from iqm_spec.spec.schema_problems import schema_problems
from iqm_spec.spec.sweep_blocks import MAX_POINTS
from iqm_spec.spec.sweep_points import (
    TEMPLATED_FIELDS,
    CircuitPoints,
    circuit_points,
    reference_repeats,
)
from iqm_spec.spec.template import TemplateError, compile_template

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator


def check_axes(spec: Spec, report: Reporter) -> tuple[CircuitPoints, ...]:
    """How each circuit whose axes are sound meets the sweep; reports S301 to S311."""
    sound: list[CircuitPoints] = []
    used: set[str] = set()
    # where a block could not be read, what it gives is not known: one mistake, one message
    known = _all_read(report.source.tree, spec.sweep)
    entries = report.source.tree.get("circuits")
    for circuit in spec.circuits:
        axes = _used_axes(circuit, report)
        entry = entries[circuit.index] if isinstance(entries, list) else None
        if axes is None or not _all_read(entry, circuit.sweep):
            known = False
            continue
        used |= set(axes)
        if known and _check_circuit(circuit, axes, spec.sweep, report):
            sound.append(circuit_points(circuit, spec.sweep))
    if known:
        common = {axis for block in spec.sweep for axis in block.axes}
        # S302 reports a misspelt name: the axis that it stands for is used
        used |= {axis for name in used - common for axis in _alike(name, common)}
        _report_unused(spec.sweep, used, ("sweep",), report)
    return tuple(sound)


def _alike(name: str, axes: Iterable[str]) -> list[str]:
    return [axis for axis in axes if axis in nearest(name, [axis]) or axis.lower() == name.lower()]


def _all_read(owner: Json, read: Sequence[Block]) -> bool:
    """Whether all blocks of a `sweep` made it through their own checks."""
    blocks = owner.get("sweep", ()) if isinstance(owner, Mapping) else ()
    return isinstance(blocks, list | tuple) and len(blocks) == len(read)


def _used_axes(circuit: CircuitSpec, report: Reporter) -> dict[str, str] | None:
    """Axes that the circuit uses, each with a field that uses it; None after a report."""
    fine = True
    axes: dict[str, str] = {}
    for field in TEMPLATED_FIELDS:
        value: Json = getattr(circuit, field)
        try:
            for axis in compile_template(value).axes:
                axes.setdefault(axis, field)
        except TemplateError as error:
            fine = False
            where = field_path(report.source, circuit, field)
            report(Problem(where, "S310", str(error), "write ${axis}, or $${ for a literal ${"))
    return axes if fine else None


def _check_circuit(
    circuit: CircuitSpec, axes: Mapping[str, str], sweep: Sequence[Block], report: Reporter
) -> bool:
    """Whether every axis of the circuit is given, once, by the blocks that concern it."""
    own = {axis for block in circuit.sweep for axis in block.axes}
    common = {axis for block in sweep for axis in block.axes}
    _report_unused(circuit.sweep, set(axes), (*circuit.path, "sweep"), report)
    shared = sorted(own & common)
    for axis in shared:
        report(
            Problem(
                (*circuit.path, "sweep"),
                "S311",
                f"circuit `{circuit.name}` sweeps `{axis}`, which the common sweep has too",
                "rename one of them, or leave the circuit's own out",
            )
        )
    undefined = [axis for axis in axes if axis not in own | common]
    for axis in undefined:
        field_place = field_path(report.source, circuit, axes[axis])
        where = path_using_axis(getattr(circuit, axes[axis]), axis, field_place)
        known = sorted(own | common)
        hint = f"the axes are {', '.join(known)}" if known else "there is no `sweep`"
        if alike := _alike(axis, known):
            hint = f"did you mean {' or '.join(alike)}?"
        report(Problem(where, "S302", f"no axis is called `{axis}`", hint))
    if undefined or shared:
        return False
    common_fine = _check_blocks(circuit, set(axes) - own, sweep, ("sweep",), report)
    own_path = (*circuit.path, "sweep")
    return _check_blocks(circuit, own, circuit.sweep, own_path, report) and common_fine


def _check_blocks(
    circuit: CircuitSpec,
    used: set[str],
    blocks: Sequence[Block],
    path: TreePath,
    report: Reporter,
) -> bool:
    """Blocks give all of the axes that a circuit wants of them, or none."""
    fine = True
    for index, block in enumerate(blocks):
        present = used & set(block.axes)
        missing = sorted(used - present)
        if present and missing:
            fine = False
            report(
                Problem(
                    (*path, index),
                    "S308",
                    f"this block gives {_listed(sorted(present))} but not {_listed(missing)},"
                    f" and circuit `{circuit.name}` uses both",
                    f"add {_listed(missing)}, or give the circuit a `sweep` of its own",
                )
            )
    return fine


def _report_unused(
    blocks: Sequence[Block], used: set[str], path: TreePath, report: Reporter
) -> None:
    for index, block in enumerate(blocks):
        for axis in block.axes:
            if axis not in used:
                report(
                    Problem(
                        _axis_place(report.source.tree, (*path, index), axis),
                        "S301",
                        f"no circuit uses the axis `{axis}`",
                        nearest(axis, used)
                        or f'write "${{{axis}}}" where it belongs, or remove it',
                        on_key=True,
                    )
                )


def _axis_place(tree: Any, path: TreePath, axis: str) -> TreePath:
    """Where a block names `axis`: below `grid`, a `zip` group or the first of `points`."""
    block = tree
    for step in path:
        block = block[step]
    if axis in block.get("grid", ()):
        return (*path, "grid", axis)
    for key in ("zip", "points"):
        for index, group in enumerate(block.get(key, ())):
            if axis in group:
                return (*path, key, index, axis)
    return path


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


# --- the number of points ------------------------------------------------------------------------


def check_sizes(circuits: Sequence[CircuitPoints], report: Reporter) -> bool:
    """Whether the circuits can be expanded one by one; reports S307 for them all together."""
    assignments = sum(circuit.count() for circuit in circuits)
    if assignments > MAX_POINTS:
        largest = max(circuits, key=CircuitPoints.count)
        hint = "use fewer values, or `zip` axes that belong together"
        own = (*largest.circuit.path, "sweep")
        where = own if path_exists(report.source.tree, own) else ("sweep",)
        report(_too_many_points(assignments, where, hint))
        return False
    totals = [_with_repeats(circuit) for circuit in circuits]
    others = sum(n for c, n in zip(circuits, totals, strict=True) if c.circuit.every is None)
    for index, circuit in enumerate(circuits):
        if (every := circuit.circuit.every) is not None:
            totals[index] *= reference_repeats(others, every)
    total = sum(totals)
    if total > MAX_POINTS:
        largest = circuits[totals.index(max(totals))]
        where = field_path(report.source, largest.circuit, "repeat")
        for axis in largest.templates["repeat"].axes:
            where = path_using_axis(largest.circuit.repeat, axis, where)
        report(_too_many_points(total, where, "ask for more shots instead of so many records"))
    return True


def _with_repeats(circuit: CircuitPoints) -> int:
    """Points of a circuit, each as often as `repeat` says; counted one by one only in doubt."""
    template = circuit.templates["repeat"]
    repeats = [_repeat(template.fill(dict(v))) for v in circuit.assignments(template.axes)]
    most = circuit.count() * max(repeats, default=1)
    if template.constant or most <= MAX_POINTS:
        return most
    return sum(_repeat(template.fill(dict(values))) for values in circuit.assignments())


def _repeat(value: Json) -> int:
    """1 for a repeat that is no number: that mistake is reported elsewhere."""
    return value if isinstance(value, int) and value > 0 else 1


def _too_many_points(total: int, where: TreePath, hint: str) -> Problem:
    text = f"circuits, points and repeats multiply to {total:,}; {MAX_POINTS:,} are allowed"
    return Problem(where, "S307", text, hint)


# --- values of templated fields ------------------------------------------------------------------

_VALUE_FIELDS = ("shots", "repeat", "layout", "transpile", "options", "parameters")


def check_values(circuit: CircuitPoints, report: Reporter) -> bool:
    """Whether every templated field of a circuit has values that it can take; reports S2xx."""
    fine = True
    for field in _VALUE_FIELDS:
        template = circuit.templates[field]
        if template.constant:
            continue
        for values, value in _filled(circuit, field):
            if not _validator(field).is_valid(value):
                fine = False
                where = field_path(report.source, circuit.circuit, field)
                point = ", ".join(f"{axis} = {item}" for axis, item in values)
                # the schema's message of a spec that has the value, at the place of its template
                example: dict[str, Json] = {"generator": "ghz", field: value}
                tree: dict[str, Json] = {"iqm_spec": 1, "name": "x", "target": "x"}
                tree["circuits"] = [example]
                for problem in schema_problems(tree):
                    path = (*where, *problem.path[3:])
                    message = f"{problem.message} (at {point})"
                    report(evolve(problem, path=path, message=message))
    return fine


def _filled(circuit: CircuitPoints, field: str) -> Iterator[tuple[Values, Json]]:
    """Distinct values of a field, each with the first assignment that gives it."""
    template = circuit.templates[field]
    keys: set[bytes] = set()
    for values in circuit.assignments(template.axes):
        value = template.fill(dict(values))
        key = canonical(value)
        if key not in keys:
            keys.add(key)
            yield values, value


@cache
def _validator(field: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    schema: dict[str, Any] = {"$defs": spec_schema()["$defs"], **field_schemas("circuits")[field]}
    return Draft202012Validator(schema)

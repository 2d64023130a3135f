"""Axes against circuits: used but undefined, defined but unused, given by some blocks only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from iqm_spec.check.reporter import Reporter, leaf_using, place
from iqm_spec.diagnostics import Problem, TreePath, nearest
from iqm_spec.json_types import Json
from iqm_spec.model import Block, CircuitSpec, Spec
from iqm_spec.sweep.expand import FIELDS, CircuitPoints, circuit_points
from iqm_spec.sweep.template import TemplateError, compile_template


def check_axes(spec: Spec, report: Reporter) -> tuple[CircuitPoints, ...]:
    """How each circuit whose axes are sound meets the sweep; reports S301 to S311."""
    sound: list[CircuitPoints] = []
    used: set[str] = set()
    # where a block could not be read, what it gives is not known: one mistake, one message
    known = _all_read(report.source.tree, spec.sweep)
    for circuit in spec.circuits:
        axes = _used_axes(circuit, report)
        if axes is None or not _all_read(_entry(report.source.tree, circuit), circuit.sweep):
            known = False
            continue
        used |= set(axes)
        if known and _check_circuit(circuit, axes, spec.sweep, report):
            sound.append(circuit_points(circuit, spec.sweep))
    if known:
        _report_unused(spec.sweep, used | _meant(used, spec.sweep), ("sweep",), report)
    return tuple(sound)


def _meant(used: set[str], sweep: Sequence[Block]) -> set[str]:
    """Axes that a misspelt name stands for, of which S302 has spoken already."""
    axes = {axis for block in sweep for axis in block.axes}
    return {axis for name in used - axes for axis in _alike(name, axes)}


def _alike(name: str, axes: Iterable[str]) -> list[str]:
    return [axis for axis in axes if axis in nearest(name, [axis]) or axis.lower() == name.lower()]


def _all_read(owner: Json, read: Sequence[Block]) -> bool:
    """Whether all blocks of a `sweep` made it through their own checks."""
    given = owner.get("sweep", ()) if isinstance(owner, Mapping) else ()
    return isinstance(given, list | tuple) and len(given) == len(read)


def _entry(tree: Mapping[str, Json], circuit: CircuitSpec) -> Json:
    entries = tree.get("circuits")
    return entries[circuit.index] if isinstance(entries, list) else None


def _used_axes(circuit: CircuitSpec, report: Reporter) -> dict[str, str] | None:
    """Axes that the circuit uses, each with a field that uses it; None after a report."""
    fine = True
    axes: dict[str, str] = {}
    for field in FIELDS:
        value: Json = getattr(circuit, field)
        try:
            for axis in compile_template(value).axes:
                axes.setdefault(axis, field)
        except TemplateError as error:
            fine = False
            where = place(report.source, circuit, field)
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
        report(_undefined(circuit, axis, axes[axis], own | common, report))
    if undefined or shared:
        return False
    whole = _check_blocks(circuit, set(axes) - own, sweep, ("sweep",), report)
    return _check_blocks(circuit, own, circuit.sweep, (*circuit.path, "sweep"), report) and whole


def _undefined(
    circuit: CircuitSpec, axis: str, field: str, known: set[str], report: Reporter
) -> Problem:
    where = leaf_using(getattr(circuit, field), axis, place(report.source, circuit, field))
    axes = ", ".join(sorted(known))
    alike = sorted(_alike(axis, known))
    listed = f"the axes are {axes}" if axes else "there is no `sweep`"
    hint = f"did you mean {' or '.join(alike)}?" if alike else listed
    return Problem(where, "S302", f"no axis is called `{axis}`", hint)


def _check_blocks(
    circuit: CircuitSpec,
    wanted: set[str],
    blocks: Sequence[Block],
    path: TreePath,
    report: Reporter,
) -> bool:
    """Blocks give all of the axes that a circuit wants of them, or none."""
    fine = True
    for index, block in enumerate(blocks):
        given = wanted & set(block.axes)
        missing = sorted(wanted - given)
        if given and missing:
            fine = False
            report(
                Problem(
                    (*path, index),
                    "S308",
                    f"this block gives {_listed(sorted(given))} but not {_listed(missing)},"
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

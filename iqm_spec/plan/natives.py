"""Transpiles what a plan lacks: together what differs in numbers alone, the rest one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iqm_spec.check import Checked
from iqm_spec.model import Point
from iqm_spec.plan.witness import Crosschecked, Witness
from iqm_spec.skeleton import Native, Skeleton
from iqm_spec.targets import Architecture

if TYPE_CHECKING:
    from iqm_spec.transpile.family import Family

AT_ONCE = 10
"""Circuits that are transpiled one by one between two reports of progress."""

FAMILY_AT_ONCE = 2000
"""Circuits of one family between two reports of progress."""

Progress = tuple[int, int]

Asked = Sequence[tuple[str, Point]]
"""Points with the asks of their circuits; in one group they share machine and options."""


def make_natives(
    checked: Checked, missing: Mapping[str, Point], made: dict[str, Native]
) -> Iterator[Progress | Crosschecked]:
    """Puts the circuits of `missing` into `made`, by their asks; yields (done, total) meanwhile.

    Each is put there after it was held against an independent reading of its source, as far as
    that reaches, which is yielded last. `WrongCircuit` where they differ.
    """
    known: dict[str, Skeleton] = {}
    witness = Witness(checked)
    yield 0, len(missing)
    for group in _groups(checked, missing):
        machine = checked.architectures[group[0][1].target]
        for natives in _in_parts(checked, group, witness):
            for ask, native in natives:
                digest = native.skeleton.digest
                if digest not in known:
                    known[digest] = native.skeleton
                    _require_native(native, machine)
                made[ask] = Native(known[digest], native.angles, native.written)
            yield len(made), len(missing)
    yield witness.seen()


def _groups(checked: Checked, missing: Mapping[str, Point]) -> list[list[tuple[str, Point]]]:
    """Points whose circuits differ in numbers alone, and those that have none of their own."""
    groups: dict[Any, list[tuple[str, Point]]] = {}
    for ask, point in missing.items():
        parts = checked.parts(point)
        alike = (point.circuit, point.layout, parts.shared) if parts else None
        shared = (point.target, tuple(sorted(point.transpile.items())), alike)
        groups.setdefault(shared, []).append((ask, point))
    return list(groups.values())


def _in_parts(
    checked: Checked, group: Asked, witness: Witness
) -> Iterator[list[tuple[str, Native]]]:
    family, written = _family(checked, group[0][1])
    size = AT_ONCE if family is None else FAMILY_AT_ONCE
    for start in range(0, len(group), size):
        some = group[start : start + size]
        if family is None:
            yield _one_by_one(checked, some, witness)
        else:
            yield from _together(checked, family, written, some, witness)


def _family(checked: Checked, point: Point) -> tuple[Family | None, tuple[int, int]]:
    """The family of a point, if there is one, and the gates of its circuit as it is written."""
    from iqm_spec.transpile.collapse import gates_of
    from iqm_spec.transpile.family import family_of

    free = checked.build_free(point) if checked.parts(point) else None
    if free is None:
        return None, (0, 0)
    machine = checked.architectures[point.target]
    return family_of(*free, machine, point.transpile, point.layout), gates_of(free[0])


def _together(
    checked: Checked, family: Family, written: tuple[int, int], some: Asked, witness: Witness
) -> Iterator[list[tuple[str, Native]]]:
    """By their family those whose values it serves, then the others."""
    import numpy as np

    numbers = [parts.numbers for _, point in some if (parts := checked.parts(point))]
    values = np.array(numbers, dtype=float)
    served = family.serves(values)
    natives = [_with_written(native, written) for native in family.natives(values[served])]
    alike = [item for item, fine in zip(some, served, strict=True) if fine]
    witness.see_alike(alike, natives)
    yield [(ask, native) for (ask, _), native in zip(alike, natives, strict=True)]
    rest = [item for item, fine in zip(some, served, strict=True) if not fine]
    for start in range(0, len(rest), AT_ONCE):
        yield _one_by_one(checked, rest[start : start + AT_ONCE], witness)


def _one_by_one(checked: Checked, some: Asked, witness: Witness) -> list[tuple[str, Native]]:
    from iqm_spec.transpile import transpile_many
    from iqm_spec.transpile.collapse import gates_of

    sample = some[0][1]
    circuits = [checked.build(point) for _, point in some]
    natives = transpile_many(
        circuits,
        checked.architectures[sample.target],
        sample.transpile,
        [point.layout for _, point in some],
    )
    made = []
    for (ask, point), circuit, whole in zip(some, circuits, natives, strict=True):
        native = _with_written(Native.of(whole), gates_of(circuit))
        witness.see(ask, point, native, circuit)
        made.append((ask, native))
    return made


def _with_written(native: Native, written: tuple[int, int]) -> Native:
    """The circuit; with the numbers of its gates as written where few of them are left."""
    from iqm_spec.transpile.collapse import collapses

    gates = native.skeleton.summary.gates
    return evolve(native, written=written) if collapses(written, gates) else native


def _require_native(native: Native, machine: Architecture) -> None:
    """Nothing is stored that the machine could not run; raising here tells of a bug of ours."""
    from iqm_spec.transpile import violations

    if wrong := violations(native.circuit(), machine):
        raise AssertionError(f"transpiled for {machine.alias}: {'; '.join(wrong[:3])}")

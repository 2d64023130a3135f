"""Expectation values of observables, point by point or over the bases that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, sqrt
from typing import Any

from attrs import frozen

from iqm_spec.analysis.expectation import (
    Expectation,
    as_z,
    expectation,
    ideal_expectation,
    measured_in,
    value_of,
)
from iqm_spec.analysis.merit import Analysed, Merit
from iqm_spec.analysis.readout import Mitigated
from iqm_spec.plan.label import count
from iqm_spec.stages.rows import Row
from iqm_spec.study.groups import (
    Group,
    Options,
    added,
    apart,
    found,
    merit,
    qubits_of,
    rows_of_circuits,
    value_at,
)
from iqm_spec.study.readout import Readout

NAME = "expectation"

Observable = Mapping[str, float]


def expectations(rows: Iterable[Row], options: Options, readout: Readout) -> Iterator[Analysed]:
    """Means of all observables with their errors, and the ideal values where they are known."""
    basis: str | None = options.get("basis")
    observables = {name: _terms(told) for name, told in sorted(options["observables"].items())}
    chosen = rows_of_circuits(rows, options.get("circuits"))
    groups = [[row] for row in chosen] if basis is None else apart(chosen, basis)
    for group in groups:
        merits, notes = [], []
        shots = _shots(group, basis)
        for name, terms in observables.items():
            told = _measured(name, terms, shots, readout)
            if isinstance(told, str):
                notes.append(told)
            else:
                merits += told
        yield found(NAME, group, merits, *([basis] if basis else []), notes=notes)


def _terms(told: Any) -> Observable:
    return {told: 1.0} if isinstance(told, str) else {k: float(v) for k, v in told.items()}


@frozen
class _Shots:
    """A basis, and a row with the counts of all repeats in it."""

    basis: str
    row: Row


def _shots(group: Group, axis: str | None) -> list[_Shots]:
    by_basis: dict[str, list[Row]] = {}
    for row in group:
        measured = "Z" * qubits_of(row) if axis is None else str(value_at(row, axis))
        by_basis.setdefault(measured, []).append(row)
    return [_Shots(basis, added(rows)) for basis, rows in by_basis.items()]


def _measured(
    name: str, terms: Observable, shots: Sequence[_Shots], readout: Readout
) -> list[Merit] | str:
    """The merits of one observable, or why it cannot be told."""
    parts = _shared_out(terms, shots)
    if isinstance(parts, str):
        return f"{name}: {parts}"
    total = _sum([expectation(shots[place].row.counts, part) for place, part in parts.items()])
    bound = sum(abs(c) for c in terms.values())
    merits = [merit(name, total.value, total.error, -bound, bound)]
    known = [_ideal(shots[place].row, part) for place, part in parts.items()]
    exact = [value for value in known if value is not None]
    if len(exact) == len(known):
        merits.append(Merit(f"{name}_ideal", round(sum(exact), 12)))
    without = [_mitigated(shots[place], part, readout) for place, part in parts.items()]
    better = [one for one in without if one is not None]
    if len(better) == len(without):
        best = _sum(better)
        # nothing is known better for its mitigation: where all shots agree this is the larger one
        best = Expectation(best.value, max(best.error, total.error))
        merits.append(merit(f"{name}_mitigated", best.value, best.error, -inf, inf))
    return merits


def _mitigated(shots: _Shots, terms: Observable, readout: Readout) -> Expectation | None:
    """The mean with the readout's errors taken off, where that can be done."""
    found = readout.mitigated(shots.row)
    if not isinstance(found, Mitigated):
        return None
    return found.mean(lambda bits: value_of(bits, terms))


def _shared_out(terms: Observable, shots: Sequence[_Shots]) -> dict[int, dict[str, float]] | str:
    """Which terms are read off which shots: the first whose basis fits."""
    parts: dict[int, dict[str, float]] = {}
    bits = qubits_of(shots[0].row)
    for string, coefficient in terms.items():
        if len(string) != bits:
            return (
                f"{string} has {count(len(string), 'letter')}, and {count(bits, 'bit')} "
                f"{'is' if bits == 1 else 'are'} measured"
            )
        fitting = (i for i, some in enumerate(shots) if measured_in(string, some.basis))
        place = next(fitting, None)
        if place is None:
            return f"no point measures {string}"
        part = parts.setdefault(place, {})
        part[as_z(string)] = part.get(as_z(string), 0.0) + coefficient
    return parts


def _sum(several: list[Expectation]) -> Expectation:
    """Shots of different points are independent."""
    return Expectation(
        sum(one.value for one in several), sqrt(sum(one.error**2 for one in several))
    )


def _ideal(row: Row, terms: Observable) -> float | None:
    if row.derived is None or not row.derived.complete or row.ideal is None:
        return None
    return ideal_expectation(row.ideal, terms)

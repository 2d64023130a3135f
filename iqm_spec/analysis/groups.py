"""What the analyses share: groups of rows, what is read off a row, and results of groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve

from iqm_spec.analysis.merit import Analysed, Curve, Merit
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.stages.rows import Row
from iqm_spec.statistics.intervals import interval
from iqm_spec.statistics.significance import Goodness

Options = Mapping[str, Any]
"""What a spec declares of one analysis, defaults filled in."""

Group = Sequence[Row]


def rows_of_circuits(rows: Iterable[Row], names: Sequence[str] | None) -> list[Row]:
    """The rows with counts of some circuits; None stands for all."""
    return [
        row for row in rows if row.record is not None and (names is None or row.point.name in names)
    ]


def group_rows(rows: Iterable[Row], *without: str) -> list[Group]:
    """Rows of one stage and circuit that agree on every axis but those of `without`."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        values = tuple(item for item in row.point.values if item[0] not in without)
        key = (
            row.stage,
            row.emulated,
            row.point.name,
            row.point.target,
            calibration_of(row),
            values,
        )
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def row_per_circuit(rows: Group) -> list[Row]:
    """A row per circuit: repeats of a point are one sample, and no circuits of their own."""
    circuits: dict[object, list[Row]] = {}
    for row in rows:
        circuits.setdefault(tuple(sorted(row.point.values, key=str)), []).append(row)
    return [added_rows(repeats) for repeats in circuits.values()]


def added_rows(rows: Group) -> Row:
    """A row with the counts of all repeats."""
    record = rows[0].record
    if record is None:
        return rows[0]
    return evolve(rows[0], record=evolve(record, counts=added_counts(rows)))


def added_counts(rows: Group) -> dict[str, int]:
    """Counts of repeats, added."""
    total: dict[str, int] = {}
    for row in rows:
        for bits, count in row.counts.items():
            total[bits] = total.get(bits, 0) + count
    return total


def calibration_of(row: Row) -> object:
    """The id of the calibration set: points of two sets are not one experiment."""
    return row.calibration_set_id


def value_at(row: Row, axis: str) -> Any:
    """A point's value on an axis, None where its circuit does not use it."""
    return dict(row.point.values).get(axis)


def number_at(row: Row, axis: str) -> float | None:
    """A point's number on an axis; None where its circuit does not use it or it is no number."""
    value = value_at(row, axis)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def qubits_of(row: Row) -> int:
    """Number of measured bits."""
    return len(next(iter(row.counts)).replace(" ", ""))


def measured_components(circuit: NativeCircuit) -> list[str]:
    """Physical qubits behind a bitstring's bits, the leftmost first; '' for a bit never written."""
    qubits = [""] * circuit.num_clbits
    for op in circuit.ops:
        if op.name == "measure":
            qubits[op.clbits[0]] = circuit.components[op.qubits[0]]
    return qubits[::-1]


def mixed_widths(rows: Group) -> str:
    """Why circuits of different numbers of qubits are not averaged; empty where all have one."""
    widths = sorted({qubits_of(row) for row in rows})
    if len(widths) < 2:
        return ""
    listed = ", ".join(map(str, widths[:5])) + (", ..." if len(widths) > 5 else "")
    return (
        f"circuits of {listed} qubits are not averaged: take the axis of their width out of `over`"
    )


def ideal_of(row: Row) -> Mapping[str, float]:
    """Ideal probabilities stored for a row, of the outcomes counted at least; empty for none."""
    return row.ideal or {}


def complete_ideal_of(row: Row) -> Mapping[str, float] | None:
    """Ideal probabilities of all outcomes; None where not all are stored."""
    return ideal_of(row) if row.derived is not None and row.derived.complete else None


def group_result(
    name: str,
    rows: Group,
    merits: Sequence[Merit],
    *without: str,
    more: Mapping[str, Json] | None = None,
    curve: Curve | None = None,
    notes: Sequence[str] = (),
    details: Mapping[str, Json] | None = None,
) -> Analysed:
    """The result for rows of one group, which share the values of all axes but `without`.

    `more` are values besides those of the axes, as the qubit that a result is of.

    A single row's details say which repeat it is, from the second on; repeats count from 1.
    """
    first = rows[0]
    repeat: dict[str, Json] = (
        {"repeat": first.point.repeat + 1} if len(rows) == 1 and first.point.repeat else {}
    )
    return Analysed(
        analysis=name,
        stage=first.stage,
        emulated=first.emulated,
        circuit=first.point.name,
        values={
            axis: list(value) if isinstance(value, tuple) else value
            for axis, value in first.point.values
            if axis not in without
        }
        | dict(more or {}),
        points=tuple(dict.fromkeys(row.point.id for row in rows)),
        merits=tuple(merits),
        curve=curve,
        notes=tuple(notes),
        details={**repeat, **(details or {})},
    )


def bounded_merit(name: str, value: float, error: float, least: float, most: float) -> Merit:
    """A figure with the normal interval of its standard error, within what is possible."""
    low, high = interval(value, error)
    return Merit(name, value, error, max(least, low), min(most, high))


def fit_details(goodness: Goodness) -> dict[str, Json]:
    """How well points follow a fitted curve, as details."""
    return {
        "chi_square": goodness.chi_square,
        "degrees_of_freedom": goodness.degrees,
        "fit_p_value": goodness.p_value,
    }

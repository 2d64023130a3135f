"""Time models in words, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from iqm_spec.cost.accuracy import accuracy_of
from iqm_spec.cost.ranges import amount, span
from iqm_spec.cost.time_laws import TERMS
from iqm_spec.diagnostics import printable
from iqm_spec.plan.label import count

if TYPE_CHECKING:
    from iqm_spec.cost.job_shape import JobShape
    from iqm_spec.cost.time_laws import FittedLaw
    from iqm_spec.cost.time_model import TimeModel
    from iqm_spec.json_types import Json


MOST_WILD = 10
"""Wild rows that are shown one by one."""

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def plain_stdout() -> bool:
    """Whether stdout can only take ASCII, or less than what pictures are drawn with."""
    try:
        "µ±│─└●○\u00d7\u2571".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def duration(seconds: float) -> str:
    """Three digits and a unit: `305 µs`, `2.65 s`."""
    size, unit = next((unit for unit in _UNITS if seconds >= unit[0] * 0.9995), _UNITS[-1])
    return f"{amount(seconds / size)} {unit}"


def law_words(fitted: FittedLaw) -> list[str]:
    """One line per coefficient above 0: `305 µs per execution of a circuit`."""
    parts = [
        f"{duration(float(value))} {what}"
        for value, what in zip(fitted.coefficients, TERMS.values(), strict=True)
        if value > 0
    ]
    if fitted.law.floor and fitted.least > 0:
        parts.append(f"at least {duration(fitted.least)} per {fitted.law.floor}")
    return parts or ["nothing"]


def wild_rows(model: TimeModel) -> list[dict[str, float]]:
    """Wild rows with what was measured, and predicted by the fit that left them out."""
    return [row for row, wild in zip(measured_rows(model), model.wild, strict=True) if wild]


def measured_rows(model: TimeModel) -> list[dict[str, float]]:
    """Each measured job: its sizes, seconds, and those predicted by the fit that left it out."""
    import math

    return [
        {
            **sizes(timing.shape),
            "measured": timing.qpu_seconds,
            "predicted": timing.qpu_seconds / math.exp(min(max(error, -500), 500)),
        }
        for timing, error in zip(model.timings, model.errors, strict=True)
    ]


def sizes(shape: JobShape) -> dict[str, float]:
    """Circuits, shots, and qubits and depth of a circuit on average."""
    circuits = max(shape.circuits, 1)
    return {
        "num_qubits": shape.qubits / circuits,
        "depth": shape.depth / circuits,
        "circuits": shape.circuits,
        "shots": shape.shots,
    }


def data_ranges(model: TimeModel) -> dict[str, tuple[float, float]]:
    """Smallest and largest of each size and of the measured seconds."""
    columns: dict[str, list[float]] = {}
    for row in measured_rows(model):
        for name in ("num_qubits", "depth", "circuits", "shots", "measured"):
            columns.setdefault(name, []).append(row[name])
    return {name: (min(values), max(values)) for name, values in columns.items()}


def outside(shape: JobShape, within: dict[str, tuple[float, float]]) -> list[str]:
    """The sizes of a job that lie outside of the data, by the name of their column."""
    return [
        name
        for name, value in sizes(shape).items()
        if not within[name][0] <= value <= within[name][1]
    ]


def source_words(model: TimeModel) -> str:
    """Where the jobs of a model come from, one line; empty where that is not known."""
    titles = {"realm": "server"}
    parts = [
        f"{titles.get(name, name)} {printable(str(model.origin[name]))}"
        for name in ("source", "computer", "realm", "conditions")
        if model.origin.get(name)
    ]
    return ", ".join(parts)


def model_json(model: TimeModel) -> dict[str, Json]:
    """What the answers of `--json` say of a model."""
    accuracy = accuracy_of(model)
    law = {
        name: float(value)
        for name, value in zip(TERMS, model.chosen.coefficients, strict=True)
        if value > 0
    }
    within = {name: list(ends) for name, ends in data_ranges(model).items()}
    return {
        "origin": {
            name: item for name, item in model.origin.items() if isinstance(item, str | bool)
        },
        "law": dict(law),
        "floor": model.chosen.law.floor or None,
        "least_seconds": model.chosen.least,
        "words": list(law_words(model.chosen)),
        "jobs": len(model.timings),
        "ranges": dict(within),
        "rivals": [" + ".join(item.law.terms) for item in model.rivals],
        "accuracy": None if accuracy is None else accuracy.to_json(),
        "wild": [dict(row) for row in wild_rows(model)],
    }


def lines_of(model: TimeModel) -> Sequence[str]:
    """A model in words: its law, data, errors, rivals and wild rows."""
    first, *rest = law_words(model.chosen)
    lines = [
        f"QPU time = {first}",
        *(f"         {'  ' if line.startswith('at') else '+ '}{line}" for line in rest),
    ]
    ranges = data_ranges(model)
    sizes_text = ", ".join(
        f"{title} {span(*map(round, ranges[name]))}"
        for title, name in (
            ("qubits", "num_qubits"),
            ("depth", "depth"),
            ("circuits", "circuits"),
            ("shots", "shots"),
        )
    )
    low, high = map(duration, ranges["measured"])
    jobs = count(len(model.timings), "job")
    lines.append(f"data: {jobs}; {sizes_text}, {low} to {high}")
    accuracy = accuracy_of(model)
    if accuracy is None:
        lines.append("errors on jobs left out: not known, the jobs are too few")
    else:
        median, p90 = f"{accuracy.median_error:.1%}", f"{accuracy.p90_error:.1%}"
        lines.append(f"on jobs left out: median error {median}, 90th percentile {p90}")
        inside = f"{accuracy.coverage:.1%} of jobs left out lie within theirs"
        width = f"median width {accuracy.width:.2f} of the expected time"
        lines.append(f"ranges: {inside}; {width}")
    if model.rivals:
        rivals = count(len(model.rivals), "other law")
        lines.append(f"{rivals} explain the jobs about as well; ranges hold what they say too")
    else:
        lines.append("no other law explains the jobs as well")
    wild = wild_rows(model)
    if not wild:
        lines.append("wild rows: none")
    else:
        lines.append(f"wild rows, off by more than a factor of 2 where most are not: {len(wild)}")
    for row in wild[:MOST_WILD]:
        size = f"{row['circuits']:,} x {row['shots']:,} shots, {row['num_qubits']:g} qubits"
        times = f"measured {duration(row['measured'])}, predicted {duration(row['predicted'])}"
        lines.append(f"  {size}, depth {row['depth']:g}: {times}")
    if len(wild) > MOST_WILD:
        lines.append(f"  ... and {count(len(wild) - MOST_WILD, 'more row')}")
    if plain_stdout():
        lines = [line.replace("µ", "u").replace("±", "+-") for line in lines]
    return lines

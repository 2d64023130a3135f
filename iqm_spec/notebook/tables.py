"""Points as a pandas table, one row per point and stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from iqm_spec.notebook.point import Point
from iqm_spec.runs.tidy import axis_columns

if TYPE_CHECKING:
    import pandas as pd

LEADING = ("point", "stage", "emulated", "circuit", "target", "repeat")
MEASURED = ("shots", "shots_returned", "calibration_set_id", "counts")
CIRCUIT = ("native_qubits", "native_depth", "native_two_qubit_gates")
FIGURES = (
    "hellinger_fidelity",
    "hellinger_fidelity_error",
    "total_variation_distance",
    "total_variation_distance_error",
    "perfect_hellinger_fidelity",
    "perfect_total_variation_distance",
)


def columns_of(axes: Iterable[str]) -> dict[str, str]:
    """The column of each axis."""
    return axis_columns(list(axes), {*LEADING, *MEASURED, *CIRCUIT, *FIGURES, "outcome", "count"})


def dataframe(points: Iterable[Point], axes: Iterable[str]) -> pd.DataFrame:
    """One row per point and stage; an axis that a circuit does not use is missing there."""
    import pandas as pd

    columns = columns_of(axes)
    table: dict[str, list[Any]] = {
        name: [] for name in (*LEADING, *columns.values(), *MEASURED, *CIRCUIT, *FIGURES)
    }
    for point in points:
        for cells, cell in zip(table.values(), _cells(point, columns), strict=True):
            cells.append(cell)
    kinds = dict.fromkeys(FIGURES, "float64")
    return pd.DataFrame(
        {name: pd.Series(cells, dtype=kinds.get(name)) for name, cells in table.items()}
    )


def _cells(point: Point, columns: Iterable[str]) -> Iterator[Any]:
    """A row of the table, in the order of its columns."""
    values, compared, gates = point.values, point.comparison or {}, point.gates
    yield from (point.id, point.stage, point.emulated, point.circuit_name, point.target)
    yield point.repeat
    yield from (values.get(axis) for axis in columns)
    yield from (point.shots, point.shots_returned, point.calibration_set_id, dict(point.outcomes))
    yield from (point.qubits, point.depth, gates.get("cz", 0) + gates.get("move", 0))
    yield from (compared.get(name) for name in FIGURES)

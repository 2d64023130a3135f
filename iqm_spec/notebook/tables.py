"""Points as tables: pandas, one row per point and stage; xarray, the axes as dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from iqm_spec.notebook.point import Point

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

LEADING = ("point", "stage", "emulated", "circuit", "target", "repeat")
MEASURED = ("shots", "shots_returned", "calibration_set_id", "counts")
FIGURES = (
    "hellinger_fidelity",
    "hellinger_fidelity_error",
    "total_variation_distance",
    "total_variation_distance_error",
)
_DIMENSIONS = ("circuit", "stage", "repeat")


def axis_columns(axes: Iterable[str]) -> dict[str, str]:
    """Columns of axes: their names, with `axis_` before those that another column has."""
    taken = {*LEADING, *MEASURED, *FIGURES, "outcome", "count"}
    return {axis: f"axis_{axis}" if axis in taken else axis for axis in axes}


def dataframe(points: Iterable[Point], axes: Iterable[str]) -> pd.DataFrame:
    """One row per point and stage; an axis that a circuit does not use is missing there."""
    import pandas as pd

    columns = axis_columns(axes)
    return pd.DataFrame(
        [_row(point, columns) for point in points],
        columns=[*LEADING, *columns.values(), *MEASURED, *FIGURES],
    )


def dataset(table: pd.DataFrame, axes: Iterable[str], told: Mapping[str, str]) -> xr.Dataset:
    """Shots and figures over the swept axes, `circuit`, `stage` and `repeat`; NaN between points.

    Values of an axis that are lists are joined to a text. A point that was measured under several
    calibration sets has the mean of its figures. ValueError for a grid of more than ten million
    cells: take `to_dataframe` then.
    """
    import math

    import xarray as xr

    columns = axis_columns(axes)
    for column in columns.values():
        table[column] = table[column].map(_scalar)
    dimensions = [*_DIMENSIONS, *columns.values()]
    figures = ["shots_returned", *FIGURES]
    table[figures] = table[figures].astype(float)
    cells = math.prod(max(1, table[name].nunique(dropna=False)) for name in dimensions)
    if cells > _MOST_CELLS:
        raise ValueError(f"the axes span {cells:,} cells: take `to_dataframe`")
    means = table.groupby(dimensions, dropna=False, sort=False)[figures].mean()
    found = xr.Dataset.from_dataframe(means)
    found.attrs = dict(told)
    return found


_MOST_CELLS = 10_000_000


def _row(point: Point, columns: Mapping[str, str]) -> dict[str, Any]:
    values = point.values
    compared = point.comparison or {}
    return {
        "point": point.id,
        "stage": point.stage,
        "emulated": point.emulated,
        "circuit": point.circuit_name,
        "target": point.target,
        "repeat": point.repeat,
        **{column: values.get(axis) for axis, column in columns.items()},
        "shots": point.shots,
        "shots_returned": point.shots_returned,
        "calibration_set_id": point.calibration_set_id,
        "counts": dict(point.outcomes),
        **{name: compared.get(name) for name in FIGURES},
    }


def _scalar(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value

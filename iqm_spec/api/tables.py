"""Points as a pandas table, with one row per point and stage, and as an xarray dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

from iqm_spec.api.point import Point
from iqm_spec.errors import UsageError
from iqm_spec.results.export import axis_columns

if TYPE_CHECKING:
    import pandas as pd
    from pandas import DataFrame, Series
    from xarray import Dataset


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
    """One row per point and stage; axes that a circuit does not use are missing values."""
    import pandas as pd

    columns = columns_of(axes)
    table: dict[str, list[Any]] = {
        name: [] for name in (*LEADING, *columns.values(), *MEASURED, *CIRCUIT, *FIGURES)
    }
    for point in points:
        values, compared, gates = point.values, point.comparison or {}, point.gates
        row: list[Any] = [point.id, point.stage, point.emulated, point.circuit_name, point.target]
        row += [point.repeat, *(values.get(axis) for axis in columns)]
        row += [point.shots, point.shots_returned, point.calibration_set_id, dict(point.outcomes)]
        row += [point.qubits, point.depth, gates.get("cz", 0) + gates.get("move", 0)]
        row += [compared.get(name) for name in FIGURES]
        for cells, cell in zip(table.values(), row, strict=True):
            cells.append(cell)
    kinds = dict.fromkeys(FIGURES, "float64")
    return pd.DataFrame(
        {name: pd.Series(cells, dtype=kinds.get(name)) for name, cells in table.items()}
    )


MOST_CELLS = 5_000_000
"""Limit of one array: scattered points would need a large array of missing values."""

_ALWAYS = ("circuit", "stage", "repeat")
_IF_NEEDED = ("target", "calibration_set_id")
"""Dimensions that are added if two points would otherwise have the same coordinates."""

_NUMBERS = ("shots", "shots_returned", *CIRCUIT, *FIGURES)


def dataset(frame: DataFrame, axes: Iterable[str], attributes: Mapping[str, str]) -> Dataset:
    """The numbers of a table of points, as arrays over circuit, stage, repeat and the `axes`.

    Missing points are NaN. Axes that change together (a `zip`) share a dimension; all but one are
    coordinates on it. `target`, `calibration_set_id` and `emulated` are coordinates if a dimension
    determines them; the first two are dimensions if points differ in nothing else. A circuit that
    lacks an axis has the label NaN on it ('' for texts). Raises UsageError for points that are too
    scattered.
    """
    import numpy as np
    from xarray import Dataset, Variable

    swept = tuple(name for name in columns_of(axes).values() if frame[name].notna().any())
    table = {name: _labels(frame[name]) for name in (*_ALWAYS, *_IF_NEEDED, "emulated", *swept)}
    along = _partners(table, swept)
    dims = _dimensions(table, [axis for axis in swept if axis not in along])
    places: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    for name in dims:
        places[name], labels[name] = _codes(table[name])
    shape = tuple(len(labels[name]) for name in dims)
    if prod(shape) > MOST_CELLS:
        sizes = ", ".join(f"{name} {len(labels[name]):,}" for name in dims)
        raise UsageError(
            f"the points are too scattered for an array: {len(frame):,} of them in {sizes}",
            hint="use to_dataframe()",
        )
    index = tuple(places[name] for name in dims)

    def spread(values: Any, empty: object, kind: Any) -> Any:
        cells = np.full(shape, empty, dtype=kind)
        cells[index] = values
        return cells

    figures = {
        name: Variable(dims, spread(frame[name].to_numpy(dtype=float), np.nan, float))
        for name in _NUMBERS
    }
    figures["point"] = Variable(dims, spread(frame["point"].to_numpy(), "", object))
    coordinates: dict[str, Any] = {name: Variable((name,), labels[name]) for name in dims}
    for name, column in table.items():
        on = along.get(name) or next((d for d in dims if _follows(column, table[d])), None)
        if name in dims or not len(frame):
            continue
        if column.nunique() == 1 and name not in along:
            coordinates[name] = Variable((), column.iloc[0])
        elif on is not None:
            values = np.empty(len(labels[on]), dtype=column.dtype)
            values[places[on]] = column.to_numpy()
            coordinates[name] = Variable((on,), values)
    return Dataset(figures, coordinates, dict(attributes))


def _dimensions(table: Mapping[str, Series], axes: Sequence[str]) -> tuple[str, ...]:
    """The fewest dimensions in which all rows differ."""
    from pandas import DataFrame

    def distinguish_rows(names: Sequence[str]) -> bool:
        return not DataFrame({name: table[name] for name in names}).duplicated().any()

    for size in range(len(_IF_NEEDED) + 1):
        for added in combinations(_IF_NEEDED, size):
            if distinguish_rows((*_ALWAYS, *added, *axes)):
                return (*_ALWAYS, *added, *axes)
    raise UsageError(
        f"several points agree in {', '.join((*_ALWAYS, *axes))}",
        hint="give the circuits of the spec different names, or use to_dataframe()",
    )


def _partners(table: Mapping[str, Series], axes: Sequence[str]) -> dict[str, str]:
    """Axes whose values are determined by another axis, each with that axis."""
    partners: dict[str, str] = {}
    for place, axis in enumerate(axes):
        for other_place, other in enumerate(axes):
            if axis == other or other in partners or table[axis].nunique() < 2:
                continue
            if not _missing(table[axis]).equals(_missing(table[other])):
                continue  # of another circuit: no `zip`
            both = _follows(table[other], table[axis])
            if _follows(table[axis], table[other]) and (other_place < place or not both):
                partners[axis] = other
                break
    for axis, other in partners.items():
        while other in partners:  # its partner has a partner
            other = partners[other]
        partners[axis] = other
    return partners


def _follows(column: Series, other: Series) -> bool:
    """Whether equal values of `other` always have equal values in `column`."""
    return bool((column.groupby(other.to_numpy(), sort=False, dropna=False).nunique() <= 1).all())


def _missing(column: Series) -> Series:
    return column.isna() | column.eq("")


def _labels(column: Series) -> Series:
    """A column as labels: numbers unchanged (NaN if missing), else texts ('' if missing)."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bool_dtype(column) or is_numeric_dtype(column):
        return column
    return column.map(_text).astype(object)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None or value != value else str(value)


def _codes(column: Series) -> tuple[Any, Any]:
    """The index of each value in the labels, and the labels: numbers ascending, missing last."""
    import numpy as np
    from pandas.api.types import is_numeric_dtype

    codes, labels = column.factorize(sort=bool(is_numeric_dtype(column)), use_na_sentinel=False)
    return codes, np.asarray(labels)

"""Points as a pandas table, one row per point and stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
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


MOST_CELLS = 5_000_000
"""Of one array: a sweep of scattered points would fill memory with nothing."""

_ALWAYS = ("circuit", "stage", "repeat")
_WHERE_NEEDED = ("target", "calibration_set_id")
"""Dimensions where without them two points would stand in one place."""

_NUMBERS = ("shots", "shots_returned", *CIRCUIT, *FIGURES)


def dataset(frame: DataFrame, axes: Iterable[str], told: Mapping[str, str]) -> Dataset:
    """The numbers of a table of points, as arrays over circuit, stage, repeat and the `axes`.

    NaN where there is no point. Axes that go along with another one (a `zip`) are coordinates on
    that one's dimension; `target`, `calibration_set_id` and `emulated` are coordinates where they
    follow from a dimension, and the first two dimensions where points differ in nothing else.
    A circuit that lacks an axis stands at its label NaN ('' of texts). UsageError for points that
    are too scattered.
    """
    import numpy as np
    from xarray import Dataset, Variable

    swept = tuple(name for name in columns_of(axes).values() if frame[name].notna().any())
    table = {name: _labels(frame[name]) for name in (*_ALWAYS, *_WHERE_NEEDED, "emulated", *swept)}
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
            hint="take to_dataframe()",
        )
    where = tuple(places[name] for name in dims)

    def spread(values: Any, empty: object, kind: Any) -> Any:
        cells = np.full(shape, empty, dtype=kind)
        cells[where] = values
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
            kept = np.empty(len(labels[on]), dtype=column.dtype)
            kept[places[on]] = column.to_numpy()
            coordinates[name] = Variable((on,), kept)
    return Dataset(figures, coordinates, dict(told))


def _dimensions(table: Mapping[str, Series], axes: Sequence[str]) -> tuple[str, ...]:
    """What tells all rows apart."""
    from pandas import DataFrame

    def apart(names: Sequence[str]) -> bool:
        return not DataFrame({name: table[name] for name in names}).duplicated().any()

    usual = (*_ALWAYS, *axes)
    found = next(
        (some for some in _some_of(_WHERE_NEEDED) if apart((*_ALWAYS, *some, *axes))), None
    )
    if found is None:
        raise UsageError(
            f"several points agree in {', '.join(usual)}",
            hint="give the circuits of the spec different names, or take to_dataframe()",
        )
    return (*_ALWAYS, *found, *axes)


def _some_of(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Choices of names, the fewest first."""
    return chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))


def _partners(table: Mapping[str, Series], axes: Sequence[str]) -> dict[str, str]:
    """Axes whose values follow from those of another one, with that one."""
    found: dict[str, str] = {}
    for place, axis in enumerate(axes):
        for other_place, other in enumerate(axes):
            if axis == other or other in found or table[axis].nunique() < 2:
                continue
            if not _missing(table[axis]).equals(_missing(table[other])):
                continue  # of another circuit: no `zip`
            both = _follows(table[other], table[axis])
            if _follows(table[axis], table[other]) and (other_place < place or not both):
                found[axis] = other
                break
    for axis, other in found.items():
        while other in found:  # which goes along with another one itself
            other = found[other]
        found[axis] = other
    return found


def _follows(column: Series, other: Series) -> bool:
    """Whether equal values of `other` always have equal values in `column`."""
    return bool((column.groupby(other.to_numpy(), sort=False, dropna=False).nunique() <= 1).all())


def _missing(column: Series) -> Series:
    return column.isna() | column.eq("")


def _labels(column: Series) -> Series:
    """A column as labels: numbers as they are (NaN for none), else texts ('' for none)."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_bool_dtype(column) or is_numeric_dtype(column):
        return column
    return column.map(_text).astype(object)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None or value != value else str(value)


def _codes(column: Series) -> tuple[Any, Any]:
    """The place of each value among the labels; numbers in ascending order, none last."""
    import numpy as np
    from pandas.api.types import is_numeric_dtype

    codes, labels = column.factorize(sort=bool(is_numeric_dtype(column)), use_na_sentinel=False)
    return codes, np.asarray(labels)

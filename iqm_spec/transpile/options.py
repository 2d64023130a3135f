"""The `transpile` options of a spec as one hashable value."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import asdict, frozen

from iqm_spec.diagnostics import nearest
from iqm_spec.errors import Refused
from iqm_spec.json_types import Json

LEVELS = (0, 1, 2, 3)
LAYOUT_METHODS = ("trivial", "dense", "sabre")
ROUTING_METHODS = ("basic", "lookahead", "sabre")
LARGEST_SEED = 2**31 - 1


@frozen
class TranspileOptions:
    """How hard and in which way Qiskit tries; None leaves a method to Qiskit's level.

    `verbatim`: it does not try at all.
    """

    optimization_level: int = 2
    seed: int = 0
    layout_method: str | None = None
    routing_method: str | None = None
    verbatim: bool = False


def options_from(values: Mapping[str, Json]) -> TranspileOptions:
    """Options from a spec's values, defaults filled in; `Refused` names what cannot be."""
    known = asdict(TranspileOptions())
    for name in values:
        if name not in known:
            raise Refused(f"unknown transpile option {name!r}", hint=nearest(name, known))
    _one_of(values, "optimization_level", LEVELS)
    _one_of(values, "layout_method", (None, *LAYOUT_METHODS))
    _one_of(values, "routing_method", (None, *ROUTING_METHODS))
    seed = values.get("seed", 0)
    if type(seed) is not int or not 0 <= seed <= LARGEST_SEED:
        raise Refused(f"transpile seed must be a whole number from 0 to {LARGEST_SEED}: {seed!r}")
    if not isinstance(values.get("verbatim", False), bool):
        raise Refused(f"transpile option verbatim is true or false, got {values['verbatim']!r}")
    return TranspileOptions(**values)  # type: ignore[arg-type]


def _one_of(values: Mapping[str, Json], name: str, allowed: tuple[Json, ...]) -> None:
    if name in values and (isinstance(values[name], bool) or values[name] not in allowed):
        listed = ", ".join(str(item) for item in allowed if item is not None)
        raise Refused(f"transpile option {name} must be one of {listed}: got {values[name]!r}")

"""Puts transpiled circuits on the qubits where their predicted success is highest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from attrs import evolve, field, frozen

from iqm_spec.model import LayoutChoice, SourceKind, SpecPoint
from iqm_spec.native import Native, Template
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.targets import Architecture, ErrorProfile, restricted

_PHYSICAL_QUBIT = re.compile(rb"\$\d")

_CHOSEN_BY_SUCCESS = (LayoutChoice.BEST, LayoutChoice.SHARED)


def is_placed(point: SpecPoint, kind: SourceKind, file: bytes | None) -> bool:
    """Whether the program chooses the physical qubits of a point's circuit, if it knows errors.

    It does not where the spec or the circuit's file names them, nor for verbatim circuits.
    """
    if point.layout_choice not in _CHOSEN_BY_SUCCESS or point.transpile.get("verbatim"):
        return False
    return not (kind is SourceKind.QASM and file is not None and _names_qubits(file))


def placement_errors(checked: CheckedSpec, point: SpecPoint) -> ErrorProfile | None:
    """The errors by which a point's circuit is placed; None where it is not, or none are known."""
    kind = checked.spec.circuits[point.circuit].kind
    if not is_placed(point, kind, checked.files.get(point.ref)):
        return None
    return checked.calibrated.get(point.target)


@lru_cache(maxsize=1024)
def _names_qubits(data: bytes) -> bool:
    """Whether a circuit file may have the machine's own qubits (`$0`)."""
    return _PHYSICAL_QUBIT.search(data) is not None


def machine_of(checked: CheckedSpec, point: SpecPoint) -> Architecture:
    """The architecture that a point's circuit is transpiled for: its qubits may be fewer."""
    return restricted(checked.architectures[point.target], region=point.region)


@frozen
class Placer:
    """Places circuits of a checked spec, each template once."""

    checked: CheckedSpec
    _placed: dict[tuple[str, str, tuple[str, ...]], Template] = field(factory=dict, init=False)
    _successes: dict[str, Callable[[Template], float]] = field(factory=dict, init=False)

    def placed(self, point: SpecPoint, native: Native) -> Native:
        """The circuit on the best qubits, where the program chooses them."""
        profile = placement_errors(self.checked, point)
        if profile is None:
            return native
        key = native.template.digest, point.target, point.region
        if key not in self._placed:
            self._placed[key] = _best(native.template, machine_of(self.checked, point), profile)
        return evolve(native, template=self._placed[key])

    def best_of(self, point: SpecPoint, natives: Sequence[Native]) -> Native:
        """Of several routings of a point's circuit the one with the highest predicted success.

        Where no errors are known, that with the fewest gates on two qubits, then the least depth.
        """
        profile = self.checked.calibrated.get(point.target)

        def rank(native: Native) -> tuple[float, ...]:
            if profile is not None:
                success = self._successes.setdefault(point.target, success_function(profile))
                return (-success(native.template),)
            summary = native.template.summary
            gates = summary.gates
            return gates.get("cz", 0) + gates.get("move", 0), summary.depth

        return min(natives, key=rank)


def success_function(profile: ErrorProfile) -> Callable[[Template], float]:
    """A function that predicts the success of templates under a profile, each once."""
    from iqm_spec.placement.success import predicted_success

    known: dict[str, float] = {}

    def success(template: Template) -> float:
        if template.digest not in known:
            known[template.digest] = predicted_success(template.structure, profile)
        return known[template.digest]

    return success


def _best(template: Template, machine: Architecture, profile: ErrorProfile) -> Template:
    from iqm_spec.placement.place import best_placement

    placement = best_placement(template.structure, machine, profile)
    return template if placement is None else Template(placement.circuit)


def shared_regions(
    checked: CheckedSpec,
    points: Iterable[SpecPoint],
    transpile: Callable[[Mapping[str, SpecPoint]], Mapping[str, Native]],
) -> dict[tuple[int, str], tuple[str, ...]]:
    """The qubits that all points of a circuit share, by circuit and target, where it asks for that.

    They are the best ones of the circuit that uses the most qubits, of several that with the lowest
    predicted success. `transpile` gives the native circuits of points, placed one by one.
    """
    groups: dict[tuple[int, str], dict[str, SpecPoint]] = {}
    for point in points:
        if point.layout_choice is LayoutChoice.SHARED and placement_errors(checked, point):
            groups.setdefault((point.circuit, point.target), {}).setdefault(point.id, point)
    regions = {}
    for (circuit, target), members in groups.items():
        profile = checked.calibrated[target]
        assert profile is not None  # noqa: S101 - `is_placed` has seen it
        success = success_function(profile)
        qubits = checked.architectures[target].qubits
        used = {
            native.template: tuple(q for q in native.template.structure.components if q in qubits)
            for native in transpile(members).values()
        }
        hardest = min(used, key=lambda template: (-len(used[template]), success(template)))
        regions[circuit, target] = used[hardest]
    return regions

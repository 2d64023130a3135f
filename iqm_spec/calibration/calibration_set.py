"""The figures of a calibration set by qubit and by coupling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from attrs import frozen

from iqm_spec.targets import Architecture, ErrorProfile, Locus, measured_profile
from iqm_spec.targets.quality_metrics import (
    Observation,
    all_observations,
    default_implementations,
    defaults_first,
)


@frozen
class Figure:
    """A number that a server measured; times in seconds. `uncertainty` is a standard error."""

    value: float
    uncertainty: float | None = None


Figures = Mapping[str, Figure]
"""By the names of `QUBIT_QUANTITIES` or `COUPLING_QUANTITIES`."""


@frozen
class Quantity:
    """A kind of figure: its name here, and how observations name it."""

    name: str
    domain: str
    observed: str
    method: str = ""
    gate: str = ""
    required: bool = True

    def matches(self, item: Observation) -> bool:
        """Whether an observation is a figure of this kind."""
        kind = (item.domain, item.method, item.gate, item.quantity)
        return kind == (self.domain, self.method, self.gate, self.observed)


QUBIT_QUANTITIES = (
    Quantity("t1", "characterization", "t1_time"),
    Quantity("t2", "characterization", "t2_time"),
    Quantity("t2_echo", "characterization", "t2_echo_time", required=False),
    Quantity("prx_fidelity", "metrics", "fidelity", "rb", "prx"),
    Quantity("readout_error_0", "metrics", "error_0_to_1", "ssro", "measure"),
    Quantity("readout_error_1", "metrics", "error_1_to_0", "ssro", "measure"),
    Quantity("readout_fidelity", "metrics", "fidelity", "ssro", "measure", required=False),
)
"""`t2` is that of a Ramsey experiment. A resonator has times alone."""

COUPLING_QUANTITIES = (
    Quantity("cz_fidelity", "metrics", "fidelity", "irb", "cz"),
    Quantity("move_fidelity", "metrics", "fidelity", "irb", "move"),
)
"""`move_fidelity` is that of a MOVE into the resonator and back."""

TIMES = ("t1", "t2", "t2_echo")
"""Quantities in seconds."""


@frozen(slots=False)
class CalibrationSet:
    """A calibration set of a target as its server gave it.

    `metrics` is the set of quality metrics, `observations` the calibration set itself (with the
    durations of gates), `raw_architecture` the dynamic quantum architecture.
    """

    target: str
    id: str
    architecture: Architecture
    metrics: Any
    observations: Any = None
    raw_architecture: Any = None

    @cached_property
    def calibrated_at(self) -> datetime | None:
        """When its quality metrics were measured, None where the server does not say."""
        for item in (self.metrics, self.observations):
            for key in ("end_timestamp", "created_timestamp"):
                if isinstance(item, Mapping) and (when := _time(item.get(key))) is not None:
                    return when
        return None

    @cached_property
    def qubits(self) -> Mapping[str, Figures]:
        """The figures of each qubit, then of each resonator."""
        return {
            name: {**_derived(_values(self._of((name,)), QUBIT_QUANTITIES))}
            for name in self.architecture.components
        }

    @cached_property
    def couplings(self) -> Mapping[Locus, Figures]:
        """The figures of each coupling; a pair is in the order of the architecture."""
        return {
            locus: _values([*self._of(locus), *self._of(locus[::-1])], COUPLING_QUANTITIES)
            for locus in couplings(self.architecture)
        }

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Figures that the set lacks: `t1 of QB3`, `cz_fidelity of QB1-QB2`."""
        return tuple(self._lacking())

    @cached_property
    def invalid(self) -> tuple[str, ...]:
        """Figures that the server marks as invalid, or that are no numbers."""
        quantities = (*QUBIT_QUANTITIES, *COUPLING_QUANTITIES)
        named = (
            f"{quantity.name} of {'-'.join(item.locus)}"
            for item in self._observations
            for quantity in quantities
            if not item.is_valid and quantity.matches(item)
        )
        return tuple(dict.fromkeys(named))

    def error_profile(self) -> ErrorProfile:
        """Errors of gates, relaxation and readout; ValueError where whole kinds are missing."""
        return measured_profile(
            self.architecture, self.metrics, self.observations, self.raw_architecture
        )

    @cached_property
    def _observations(self) -> Sequence[Observation]:
        defaults = default_implementations(self.raw_architecture)
        return defaults_first(all_observations(self.metrics), defaults)

    @cached_property
    def _by_locus(self) -> Mapping[Locus, list[Observation]]:
        by_locus: dict[Locus, list[Observation]] = {}
        for item in self._observations:
            by_locus.setdefault(item.locus, []).append(item)
        return by_locus

    def _of(self, locus: Locus) -> list[Observation]:
        return self._by_locus.get(locus, [])

    def _lacking(self) -> Iterator[str]:
        for name, figures in self.qubits.items():
            for quantity in QUBIT_QUANTITIES:
                is_expected = quantity.name in TIMES or name in self.architecture.qubits
                if quantity.required and is_expected and quantity.name not in figures:
                    yield f"{quantity.name} of {name}"
        for locus, figures in self.couplings.items():
            for quantity in COUPLING_QUANTITIES:
                if quantity.name not in figures and _can(self.architecture, quantity.gate, locus):
                    yield f"{quantity.name} of {'-'.join(locus)}"


def couplings(architecture: Architecture) -> tuple[Locus, ...]:
    """Pairs of components that a gate connects, each once."""
    pairs: dict[frozenset[str], Locus] = {}
    for gate in ("cz", "move"):
        for locus in architecture.gates.get(gate, ()):
            pairs.setdefault(frozenset(locus), locus)
    return tuple(pairs.values())


def _can(architecture: Architecture, gate: str, locus: Locus) -> bool:
    return architecture.has(gate, locus) or architecture.has(gate, locus[::-1])


def _values(items: Iterable[Observation], quantities: Sequence[Quantity]) -> dict[str, Figure]:
    """The first valid figure of each kind; IQM's tools also take the first of duplicates."""
    values: dict[str, Figure] = {}
    for item in items:
        for quantity in quantities:
            if item.is_valid and quantity.matches(item) and quantity.name not in values:
                values[quantity.name] = Figure(item.value, item.uncertainty)
    return values


def _derived(values: dict[str, Figure]) -> dict[str, Figure]:
    """With the readout fidelity, which is the average over both states."""
    up, down = values.get("readout_error_0"), values.get("readout_error_1")
    if up is not None and down is not None and "readout_fidelity" not in values:
        values["readout_fidelity"] = Figure(1 - (up.value + down.value) / 2)
    return values


def _time(value: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return when if when is None or when.tzinfo else when.replace(tzinfo=UTC)

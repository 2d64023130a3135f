"""Quality metrics and calibration values of IQM's servers, and error profiles made of them.

A name is a path with suffixes: `metrics.rb.prx.drag_crf.QB1.fidelity:par=d2`,
`characterization.model.QB1.t1_time`, `gates.cz.tgss.QB1__QB2.duration`. Older servers omit the
suffixes. The rules are those of `QON` in iqm-client (`iqm.station_control.client.qon`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from statistics import median
from typing import Any

from attrs import define, evolve, field, frozen

from iqm_spec.targets.architecture import Architecture, Locus
from iqm_spec.targets.built_in import error_profile
from iqm_spec.targets.profile import ErrorProfile, depolarizing_of_fidelity

_MOST = 1e300

_NS = 1e9

_METHODS = {"prx": "rb", "cz": "irb", "move": "irb"}

_SHORTEST, _LONGEST = 1e-12, 1e6
"""Plausible times of a quantum computer, seconds."""
_ANY = 1e6
"""Placeholder for a missing kind of figure, until all missing kinds are known."""

_NAMED = 5
"""Most places that an assumption lists."""


@frozen
class Observation:
    """A number of a calibration set or of its metrics; times in seconds.

    `domain` is `metrics`, `characterization` or `gates`. `method` (`rb`, `irb`, `ssro`, ...) is
    empty outside of metrics, `gate` and `implementation` are empty for figures of a component.
    `is_valid`: the server does not mark it invalid, and it is a finite number.
    """

    domain: str
    method: str
    gate: str
    implementation: str
    locus: Locus
    quantity: str
    value: float
    suffixes: Mapping[str, str] = field(factory=dict)
    uncertainty: float | None = None
    is_valid: bool = True

    @property
    def title(self) -> str:
        """Name of the figure without its locus: `t1_time`, `irb cz fidelity`."""
        return " ".join(filter(None, (self.method, self.gate, self.quantity)))


def observations(data: Any) -> Iterator[Observation]:
    """The valid numbers in an observation set of a server."""
    return (item for item in all_observations(data) if item.is_valid)


def all_observations(data: Any) -> Iterator[Observation]:
    """The observations in an observation set of a server whose names have a known form.

    Those that are invalid, or no finite number, have the value NaN.
    """
    listed = data.get("observations") if isinstance(data, Mapping) else None
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, Mapping) or not isinstance(item.get("dut_field"), str):
            continue
        number = _number(item.get("value"))
        is_valid = number is not None and item.get("invalid") is not True
        parsed = _read(item["dut_field"], number if is_valid and number is not None else nan)
        if parsed is not None:
            error = _number(item.get("uncertainty"))
            uncertainty = error if error is not None and error >= 0 else None
            yield evolve(parsed, uncertainty=uncertainty, is_valid=is_valid)


def _number(value: object) -> float | None:
    """`value` as a finite float, or None; Python's integers may exceed any float."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST < value < _MOST:
        return None
    return float(value)


def _read(name: str, value: float) -> Observation | None:
    path, *suffixes = name.split(":")
    domain, *parts = path.split(".")
    pairs = dict(text.split("=", 1) for text in suffixes if "=" in text)
    match domain, parts:
        case "characterization", ["model", component, quantity]:
            return Observation(domain, "", "", "", (component,), quantity, value, pairs)
        case "gates", [gate, kind, locus, quantity]:
            return Observation(domain, "", gate, kind, _locus(locus), quantity, value, pairs)
        case "metrics", [method, gate, kind, locus, quantity]:
            return Observation(domain, method, gate, kind, _locus(locus), quantity, value, pairs)
        case "metrics", [method, locus, quantity]:
            return Observation(domain, method, "", "", _locus(locus), quantity, value, pairs)
    return None


def _locus(text: str) -> Locus:
    return tuple(text.split("__"))


def first_values(
    figures: Iterable[Observation], domain: str, quantity: str, method: str = "", gate: str = ""
) -> dict[Locus, float]:
    """The first value of a quantity by locus; IQM's tools also take the first of duplicates."""
    values: dict[Locus, float] = {}
    for figure in figures:
        kind = (figure.domain, figure.method, figure.gate, figure.quantity)
        if kind == (domain, method, gate, quantity):
            values.setdefault(figure.locus, figure.value)
    return values


Defaults = Mapping[tuple[str, Locus], str]
"""Names of implementations by gate and locus; the empty locus stands for all others."""


def default_implementations(raw_architecture: Any) -> Defaults:
    """The default implementations of gates in a dynamic quantum architecture, as far as it says."""
    gates = raw_architecture.get("gates") if isinstance(raw_architecture, Mapping) else None
    defaults: dict[tuple[str, Locus], str] = {}
    for gate, info in gates.items() if isinstance(gates, Mapping) else ():
        if not isinstance(info, Mapping):
            continue
        if isinstance(default := info.get("default_implementation"), str):
            defaults[gate, ()] = default
        overrides = info.get("override_default_implementation")
        for locus, name in overrides.items() if isinstance(overrides, Mapping) else ():
            if isinstance(locus, str) and isinstance(name, str):
                defaults[gate, tuple(locus.split(","))] = name
    return defaults


def defaults_first(items: Iterable[Observation], defaults: Defaults) -> list[Observation]:
    """Figures of the implementations that circuits use, then those of others; else in order."""

    def is_other(item: Observation) -> bool:
        default = defaults.get((item.gate, item.locus), defaults.get((item.gate, ())))
        return bool(item.implementation) and default not in (None, item.implementation)

    return sorted(items, key=is_other)


def measured_profile(
    architecture: Architecture, metrics: Any, calibration: Any, raw_architecture: Any = None
) -> ErrorProfile:
    """The error profile of quality metrics, with durations of the calibration set.

    The first two are observation sets of a server, the last is its dynamic quantum architecture,
    which says whose figures count where a gate has several implementations; it and `calibration`
    may be None. A component or locus without a
    figure gets the median of the others, and missing durations are those of a built-in target of
    the same kind; `assumptions` lists them. Raises ValueError for kinds of figures that are missing
    altogether.
    """
    defaults = default_implementations(raw_architecture)
    builder = _ProfileBuilder(
        architecture,
        defaults_first(observations(metrics), defaults),
        defaults_first(observations(calibration), defaults),
    )
    return builder.build()


@define
class _ProfileBuilder:
    architecture: Architecture
    metrics: Sequence[Observation]
    calibration: Sequence[Observation]
    assumptions: list[str] = field(factory=list)
    lacking: list[str] = field(factory=list)
    """Kinds of figures without any usable value."""

    def build(self) -> ErrorProfile:
        names = self.architecture.components
        t1, t2 = self._times("t1_time", names), self._times("t2_time", names)
        if long := [name for name in names if t2[name] > 2 * t1[name]]:
            self._assume("T2 is cut to twice T1", long)
            t2 |= {name: 2 * t1[name] for name in long}
        gates = [gate for gate in _METHODS if self.architecture.gates.get(gate)]
        durations = {gate: self._duration(gate) for gate in gates}
        depolarizing = {gate: self._errors(gate, t1, t2, durations[gate]) for gate in gates}
        loci = [(qubit,) for qubit in self.architecture.qubits]
        up = self._assignment("error_0_to_1", loci)
        down = self._assignment("error_1_to_0", loci)
        profile = ErrorProfile(
            t1=t1,
            t2=t2,
            depolarizing=depolarizing,
            durations=durations,
            readout={locus[0]: (up[locus], down[locus]) for locus in loci},
            source=f"quality metrics of the calibration set {self.architecture.calibration_set_id}",
            assumptions=(
                *self.assumptions,
                "Errors are those of each gate alone: no crosstalk, no leakage, no drift.",
            ),
        )
        if self.lacking:
            kinds = ", ".join(dict.fromkeys(self.lacking))
            raise ValueError(f"the quality metrics have no usable {kinds}")
        return profile

    def _times(self, quantity: str, names: Sequence[str]) -> dict[str, float]:
        """Nanoseconds by component."""
        reported = first_values(self.metrics, "characterization", quantity)
        positive = {locus: value * _NS for locus, value in reported.items() if _is_time(value)}
        completed = self._completed(positive, [(name,) for name in names], quantity)
        return {name: completed[(name,)] for name in names}

    def _duration(self, gate: str) -> float:
        """Nanoseconds: the median of the gate's loci, or that of a built-in target."""
        reported = first_values(self.calibration, "gates", "duration", gate=gate)
        known = [value * _NS for value in reported.values() if _is_time(value)]
        if known:
            return median(known)
        similar = "sirius" if self.architecture.resonators else "garnet"
        profile = error_profile(similar)
        duration = profile.durations.get(gate, profile.durations["cz"]) if profile else 0.0
        self.assumptions.append(f"The duration of {gate} is {similar}'s, {duration:g} ns.")
        return duration

    def _errors(
        self, gate: str, t1: Mapping[str, float], t2: Mapping[str, float], duration: float
    ) -> dict[Locus, float]:
        reported = first_values(self.metrics, "metrics", "fidelity", _METHODS[gate], gate)
        both_orders = {locus[::-1]: value for locus, value in reported.items()} | reported
        known = {locus: value for locus, value in both_orders.items() if 0 <= value <= 1}
        loci = self.architecture.gates[gate]
        completed = self._completed(known, loci, f"{gate} fidelity")
        return {
            locus: depolarizing_of_fidelity(
                completed[locus], [(t1[n], t2[n]) for n in locus], duration
            )
            for locus in loci
        }

    def _assignment(self, quantity: str, loci: Sequence[Locus]) -> dict[Locus, float]:
        reported = first_values(self.metrics, "metrics", quantity, "ssro", "measure")
        fidelity = first_values(self.metrics, "metrics", "fidelity", "ssro", "measure")
        errors = {locus: 1 - value for locus, value in fidelity.items()} | reported
        known = {locus: value for locus, value in errors.items() if 0 <= value <= 1}
        return self._completed(known, loci, f"readout {quantity}")

    def _completed(
        self, known: Mapping[Locus, float], loci: Sequence[Locus], what: str
    ) -> dict[Locus, float]:
        """A value for each of `loci`: its own, or the median of the others."""
        values = [known[locus] for locus in loci if locus in known]
        if not values:
            self.lacking.append(what.replace("_", " "))
            return dict.fromkeys(loci, _ANY)
        middle = median(values)
        if missing := ["-".join(locus) for locus in loci if locus not in known]:
            self._assume(f"No {what.replace('_', ' ')} is told: the median of the others", missing)
        return {locus: known.get(locus, middle) for locus in loci}

    def _assume(self, text: str, places: Sequence[str]) -> None:
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        self.assumptions.append(f"{text} ({', '.join(places[:_NAMED])}{more}).")


def _is_time(seconds: float) -> bool:
    return _SHORTEST <= seconds <= _LONGEST

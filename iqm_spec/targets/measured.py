"""The error profile of a machine that is not built in, made of its server's quality metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from attrs import define, field

from iqm_spec.targets.architecture import Architecture, Locus
from iqm_spec.targets.catalogue import error_profile
from iqm_spec.targets.fidelity import depolarizing_of
from iqm_spec.targets.metrics import Observation, first_of, observations
from iqm_spec.targets.profile import ErrorProfile

_NS = 1e9
_METHODS = {"prx": "rb", "cz": "irb", "move": "irb"}
_SHORTEST, _LONGEST = 1e-12, 1e6
"""Seconds of a time that can be a machine's."""
_ANY = 1e6
"""Stands for a kind of figure that is lacking, until all that are have been found."""
_NAMED = 5
"""Places that an assumption names at most."""


def measured_profile(architecture: Architecture, metrics: Any, calibration: Any) -> ErrorProfile:
    """The profile of a machine's quality metrics, with durations of its calibration set.

    Both are observation sets as the server gives them; `calibration` may be None. A component or
    locus without its figure gets the median of the others, and durations that are not there are
    those of a built-in machine of the same kind: `assumptions` says which. ValueError says what
    the metrics lack altogether.
    """
    return _Maker(architecture, list(observations(metrics)), list(observations(calibration))).make()


@define
class _Maker:
    architecture: Architecture
    metrics: Sequence[Observation]
    calibration: Sequence[Observation]
    assumptions: list[str] = field(factory=list)
    lacking: list[str] = field(factory=list)
    """Kinds of figures of which there is not one that can be."""

    def make(self) -> ErrorProfile:
        names = self.architecture.components
        t1, t2 = self._times("t1_time", names), self._times("t2_time", names)
        if long := [name for name in names if t2[name] > 2 * t1[name]]:
            self._assume("T2 is cut to twice T1", long)
            t2 |= {name: 2 * t1[name] for name in long}
        gates = [gate for gate in _METHODS if self.architecture.gates.get(gate)]
        durations = {gate: self._duration(gate) for gate in gates}
        profile = ErrorProfile(
            t1=t1,
            t2=t2,
            depolarizing={gate: self._errors(gate, t1, t2, durations[gate]) for gate in gates},
            durations=durations,
            readout=self._readout(),
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
        told = first_of(self.metrics, "characterization", quantity)
        positive = {locus: value * _NS for locus, value in told.items() if _is_time(value)}
        whole = self._completed(positive, [(name,) for name in names], quantity)
        return {name: whole[(name,)] for name in names}

    def _duration(self, gate: str) -> float:
        """Nanoseconds: the median of the gate's loci, or that of a built-in machine."""
        told = first_of(self.calibration, "gates", "duration", gate=gate)
        known = [value * _NS for value in told.values() if _is_time(value)]
        if known:
            return median(known)
        like = "sirius" if self.architecture.resonators else "garnet"
        usual = error_profile(like)
        duration = usual.durations.get(gate, usual.durations["cz"]) if usual else 0.0
        self.assumptions.append(f"The duration of {gate} is {like}'s, {duration:g} ns.")
        return duration

    def _errors(
        self, gate: str, t1: Mapping[str, float], t2: Mapping[str, float], duration: float
    ) -> dict[Locus, float]:
        told = first_of(self.metrics, "metrics", "fidelity", _METHODS[gate], gate)
        either_way = {locus[::-1]: value for locus, value in told.items()} | told
        known = {locus: value for locus, value in either_way.items() if 0 <= value <= 1}
        loci = self.architecture.gates[gate]
        whole = self._completed(known, loci, f"{gate} fidelity")
        return {
            locus: depolarizing_of(whole[locus], [(t1[n], t2[n]) for n in locus], duration)
            for locus in loci
        }

    def _readout(self) -> dict[str, tuple[float, float]]:
        loci = [(qubit,) for qubit in self.architecture.qubits]
        up = self._assignment("error_0_to_1", loci)
        down = self._assignment("error_1_to_0", loci)
        return {locus[0]: (up[locus], down[locus]) for locus in loci}

    def _assignment(self, quantity: str, loci: Sequence[Locus]) -> dict[Locus, float]:
        told = first_of(self.metrics, "metrics", quantity, "ssro", "measure")
        fidelity = first_of(self.metrics, "metrics", "fidelity", "ssro", "measure")
        either = {locus: 1 - value for locus, value in fidelity.items()} | told
        known = {locus: value for locus, value in either.items() if 0 <= value <= 1}
        return self._completed(known, loci, f"readout {quantity}")

    def _completed(
        self, known: Mapping[Locus, float], loci: Sequence[Locus], what: str
    ) -> dict[Locus, float]:
        """A value for each of `loci`: its own, or the median of the others."""
        own = [known[locus] for locus in loci if locus in known]
        if not own:
            self.lacking.append(what.replace("_", " "))
            return dict.fromkeys(loci, _ANY)
        middle = median(own)
        if missing := ["-".join(locus) for locus in loci if locus not in known]:
            self._assume(f"No {what.replace('_', ' ')} is told: the median of the others", missing)
        return {locus: known.get(locus, middle) for locus in loci}

    def _assume(self, text: str, places: Sequence[str]) -> None:
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        self.assumptions.append(f"{text} ({', '.join(places[:_NAMED])}{more}).")


def _is_time(seconds: float) -> bool:
    return _SHORTEST <= seconds <= _LONGEST

"""How much a machine errs: relaxation times, depolarizing parameters, durations, readout errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import isfinite
from typing import Any

from attrs import frozen

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json
from iqm_spec.targets.architecture import Locus

FORMAT = "iqm-spec/error-profile/1"


@frozen
class ErrorProfile:
    """The figures that a noise model is made of, by component, gate and locus.

    A gate's error is thermal relaxation of its components for the gate's duration, followed by a
    depolarizing channel; `source` says where the figures come from, `assumptions` what is assumed.
    """

    t1: Mapping[str, float]
    """Component to its energy relaxation time T1, nanoseconds."""
    t2: Mapping[str, float]
    """Component to its dephasing time T2, nanoseconds; at most 2 T1."""
    depolarizing: Mapping[str, Mapping[Locus, float]]
    """Gate (`prx`, `cz`, `move`) to locus to the parameter of its depolarizing channel."""
    durations: Mapping[str, float]
    """Gate to its duration, nanoseconds."""
    readout: Mapping[str, tuple[float, float]]
    """Qubit to (probability of reading 1 from state 0, of reading 0 from state 1)."""
    source: str
    assumptions: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Sha256 of the figures alone: what simulated counts depend on."""
        data = dict(self.to_json())
        for key in ("source", "assumptions"):
            del data[key]
        return digest(data)

    def to_json(self) -> Mapping[str, Json]:
        """What `error_profile_from_json` reads again; a locus is `QB1,QB2`."""
        return {
            "format": FORMAT,
            "t1_ns": dict(self.t1),
            "t2_ns": dict(self.t2),
            "depolarizing": {
                gate: {",".join(locus): error for locus, error in errors.items()}
                for gate, errors in self.depolarizing.items()
            },
            "durations_ns": dict(self.durations),
            "readout": {qubit: {"0": p10, "1": p01} for qubit, (p10, p01) in self.readout.items()},
            "source": self.source,
            "assumptions": list(self.assumptions),
        }


def error_profile_from_json(data: Any) -> ErrorProfile:
    """The profile that `to_json` wrote, or that a user wrote so; ValueError says what is wrong."""
    data = _mapping(data, "the error profile")
    if (found := data.get("format", FORMAT)) != FORMAT:
        raise ValueError(f"format must be {FORMAT}, got {found!r}")
    if strangers := sorted(set(data) - _KEYS):
        raise ValueError(f"unknown key {strangers[0]!r}; the keys are {', '.join(sorted(_KEYS))}")
    profile = ErrorProfile(
        t1=_numbers(data.get("t1_ns"), "t1_ns"),
        t2=_numbers(data.get("t2_ns"), "t2_ns"),
        depolarizing={
            gate: {
                tuple(locus.split(",")): error
                for locus, error in _numbers(errors, f"depolarizing.{gate}", most=1.0).items()
            }
            for gate, errors in _mapping(data.get("depolarizing"), "depolarizing").items()
        },
        durations=_numbers(data.get("durations_ns"), "durations_ns"),
        readout={
            qubit: _readout(errors, f"readout.{qubit}")
            for qubit, errors in _mapping(data.get("readout"), "readout").items()
        },
        source=str(data.get("source", "")),
        assumptions=tuple(map(str, data.get("assumptions", ()))),
    )
    _check_whole(profile)
    return profile


_KEYS = {
    *("format", "source", "assumptions"),
    *("t1_ns", "t2_ns", "depolarizing", "durations_ns", "readout"),
}


def _check_whole(profile: ErrorProfile) -> None:
    """Every component of a gate needs times, every gate a duration, and T2 at most 2 T1."""
    for name, t1 in profile.t1.items():
        if t1 <= 0 or not 0 < profile.t2.get(name, 0) <= 2 * t1:
            raise ValueError(f"t2_ns.{name} must be above 0 and at most twice t1_ns.{name} ({t1})")
    for gate, errors in profile.depolarizing.items():
        if gate not in profile.durations:
            raise ValueError(f"durations_ns.{gate} is missing")
        for name in (name for locus in errors for name in locus):
            if name not in profile.t1:
                raise ValueError(f"t1_ns.{name} is missing, and {gate} acts on {name}")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, got {type(value).__name__}")
    return value


def _numbers(data: Any, where: str, *, most: float | None = None) -> Mapping[str, float]:
    """Finite numbers by name, none below 0 or above `most`."""
    values = _mapping(data, where)
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ValueError(f"{where}.{name} must be a number, got {value!r}")
        if value < 0 or (most is not None and value > most):
            raise ValueError(f"{where}.{name} must lie between 0 and {most or 'infinity'}")
    return {name: float(value) for name, value in values.items()}


def _readout(errors: Any, where: str) -> tuple[float, float]:
    values = _numbers(errors, where, most=1.0)
    if set(values) != {"0", "1"}:
        raise ValueError(f'{where} must give the error of both states, as {{"0": 0.02, "1": 0.02}}')
    return values["0"], values["1"]

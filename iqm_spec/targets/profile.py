"""Error profiles: relaxation times, depolarizing parameters, durations, readout errors.

A gate's error channel is thermal relaxation of each component for the gate's duration, then
depolarizing, rho -> (1 - p) rho + p I / d. Process fidelities of independent channels multiply, and
depolarizing takes F to (1 - p) F + p / d^2 (M. Nielsen, Phys. Lett. A 303, 249, 2002, for the
average fidelity (d F + 1) / (d + 1)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import exp, isfinite, prod
from typing import Any

from attrs import frozen

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json
from iqm_spec.targets.architecture import Locus

FORMAT = "iqm-spec/error-profile/1"

Times = tuple[float, float]
"""T1 and T2 of a component, in the unit of the duration."""


@frozen
class ErrorProfile:
    """Figures of a noise model by component, gate and locus.

    `source` says where the figures come from; `assumptions` lists what is assumed.
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
    idle: bool = False
    """Whether components also relax while they idle, each with its own times.

    If not, nothing relaxes but in gates, and of two components each with the times of the other, as
    in iqm-client's fake backends.
    """

    def __hash__(self) -> int:
        """Profiles hash by their figures, whose mappings do not."""
        return hash(self.digest)

    @cached_property
    def digest(self) -> str:
        """Sha256 of the figures on which simulated counts depend."""
        data = dict(self.to_json())
        for key in ("source", "assumptions"):
            del data[key]
        return digest(data)

    def to_json(self) -> Mapping[str, Json]:
        """JSON for `error_profile_from_json`; a locus is `QB1,QB2`."""
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
            **({"idle": True} if self.idle else {}),
        }


def error_profile_from_json(data: Any) -> ErrorProfile:
    """The profile that `to_json` or a user wrote. Raises ValueError that says what is wrong."""
    data = _mapping(data, "the error profile")
    if (stated_format := data.get("format", FORMAT)) != FORMAT:
        raise ValueError(f"format must be {FORMAT}, got {stated_format!r}")
    if unknown := sorted(set(data) - _KEYS):
        raise ValueError(f"unknown key {unknown[0]!r}; the keys are {', '.join(sorted(_KEYS))}")
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
        idle=_flag(data.get("idle", False), "idle"),
    )
    _require_complete(profile)
    return profile


_KEYS = {
    *("format", "source", "assumptions", "idle"),
    *("t1_ns", "t2_ns", "depolarizing", "durations_ns", "readout"),
}


def _require_complete(profile: ErrorProfile) -> None:
    """Raises ValueError for missing times or durations, and where T2 exceeds 2 T1."""
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


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{where} must be true or false, got {value!r}")
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


def locus_fidelity(profile: ErrorProfile, gate: str, locus: Locus) -> float | None:
    """Average fidelity of a gate on a locus, in either order; None where there is no figure."""
    errors = profile.depolarizing.get(gate, {})
    depolarizing = errors.get(locus, errors.get(locus[::-1]))
    if depolarizing is None:
        return None
    times = [(profile.t1[name], profile.t2[name]) for name in locus]
    return average_fidelity(depolarizing, times, profile.durations[gate])


def average_fidelity(depolarizing: float, times: Sequence[Times], duration: float) -> float:
    """Average gate fidelity of a gate on components with `times`."""
    d = 2.0 ** len(times)
    process = (1 - depolarizing) * _relaxation_fidelity(times, duration) + depolarizing / d**2
    return (d * process + 1) / (d + 1)


def depolarizing_of_fidelity(fidelity: float, times: Sequence[Times], duration: float) -> float:
    """The depolarizing parameter, 0 to 1, that with relaxation gives an average gate fidelity.

    0 where relaxation alone makes the gate worse than `fidelity`.
    """
    d = 2.0 ** len(times)
    process = ((d + 1) * fidelity - 1) / d
    relaxed = _relaxation_fidelity(times, duration)
    if relaxed <= 1 / d**2:
        return 0.0
    return min(1.0, max(0.0, (relaxed - process) / (relaxed - 1 / d**2)))


def _relaxation_fidelity(times: Sequence[Times], duration: float) -> float:
    """Process fidelity of thermal relaxation at zero temperature."""
    return prod((1 + exp(-duration / t1) + 2 * exp(-duration / t2)) / 4 for t1, t2 in times)

"""Machines whose qubits differ, and whose figures move from one calibration set to the next.

The logarithm of each figure is that of the built-in error profile plus normal deviates: one for
the machine, and one for each calibration set that moved it. A deviate comes from a hash of the
seed, the machine, the figure and the set, so that it is the same in every emulator and does not
depend on which other figures there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from math import exp, isfinite
from statistics import NormalDist
from typing import Any

from attrs import asdict, evolve, frozen

from iqm_spec.emulator.state import State
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json
from iqm_spec.targets import ErrorProfile, Locus, error_profile
from iqm_spec.targets.profile import average_fidelity, depolarizing_of_fidelity

USUAL_DRIFT = 0.1
"""Drift of a machine with a spread, unless another is asked for."""
LARGEST = 3.0
"""The largest spread or drift: figures differ by factors of 20."""
AT_START = 1
"""Number of the calibration set that is the default at first: the one without drift."""

_MOST_ERROR = 0.49
"""Of a gate or a readout: at one half, nothing is left to measure."""
_SHORTEST_LIFE = 5.0
"""T1 and T2 in units of the longest gate, at least."""
_MOST_T2 = 2 * (1 - 1e-9)
"""T2 in units of T1, at most: 2, less what rounding may add."""


@frozen
class Unevenness:
    """How the machines of an emulator differ from the built-in profiles.

    `spread` and `drift` are standard deviations of the natural logarithm of each figure: from the
    built-in profile, and from one calibration set to the next. None stands for what `spread`
    implies.
    """

    spread: float = 0.0
    seed: int = 0
    drift: float | None = None
    idle: bool | None = None
    """Whether components also relax while they idle."""

    @property
    def usual_drift(self) -> float:
        """Drift of a calibration set for which none is named."""
        if self.drift is not None:
            return self.drift
        return USUAL_DRIFT if self.spread else 0.0

    @property
    def relaxes_idle(self) -> bool:
        """Whether components relax while they idle: on machines that are uneven, by default."""
        return bool(self.spread or self.drift) if self.idle is None else self.idle


ALL_EVEN = Unevenness()


@frozen
class Deviation:
    """How the figures of a calibration set differ from those of the built-in profile.

    `steps` are the numbers of the sets that moved them, and by how much (standard deviations of
    logarithms; below 0 for a set that came before the first one). `number` is the set's own.
    """

    spread: float = 0.0
    seed: int = 0
    steps: tuple[tuple[int, float], ...] = ()
    number: int = AT_START
    idle: bool = False

    @property
    def is_even(self) -> bool:
        """Whether the figures are those of the built-in profile."""
        return not self.spread and not self.steps

    @property
    def identity(self) -> tuple[object, ...]:
        """What the figures depend on, besides the machine; empty for those that are built in."""
        return () if self.is_even else (self.spread, self.seed, *self.steps)

    def to_json(self) -> dict[str, Json]:
        """What `deviation_from_json` reads again."""
        return asdict(self)


EVEN = Deviation()


def deviation_from_json(data: Mapping[str, Any]) -> Deviation:
    """The deviation that `to_json` wrote."""
    return Deviation(**{**data, "steps": tuple((int(n), float(size)) for n, size in data["steps"])})


def require_size(value: float, name: str) -> None:
    """UsageError unless `value` can be a spread or a drift."""
    if not (isfinite(value) and 0 <= value <= LARGEST):
        raise UsageError(f"the {name} must be between 0 and {LARGEST:g}, got {value:g}")


@lru_cache(maxsize=256)
def deviating_profile(machine: str, deviation: Deviation) -> ErrorProfile:
    """The error profile of a built-in machine under a calibration set.

    T1, T2, the error (1 - average fidelity) of each gate and each readout error are multiplied by
    their own factor, then cut to what is physical: T2 to 2 T1, errors to less than one half, and
    the error of a gate to no less than relaxation alone makes.
    """
    profile = error_profile(machine)
    if profile is None:
        raise ValueError(f"{machine} has no error profile")
    profile = evolve(profile, idle=deviation.idle)
    if deviation.is_even:
        return profile

    def factor(*figure: str) -> float:
        return exp(_logarithm(machine, deviation, ".".join(figure)))

    shortest = _SHORTEST_LIFE * max(profile.durations.values())
    t1 = {name: max(shortest, ns * factor("t1", name)) for name, ns in profile.t1.items()}
    t2 = {
        name: min(_MOST_T2 * t1[name], max(shortest, ns * factor("t2", name)))
        for name, ns in profile.t2.items()
    }
    depolarizing: dict[str, dict[Locus, float]] = {}
    for gate, by_locus in profile.depolarizing.items():
        duration = profile.durations[gate]
        depolarizing[gate] = {}
        for locus, strength in by_locus.items():
            even = [(profile.t1[name], profile.t2[name]) for name in locus]
            error = 1 - average_fidelity(strength, even, duration)
            error = min(_MOST_ERROR, error * factor(gate, *locus))
            times = [(t1[name], t2[name]) for name in locus]
            depolarizing[gate][locus] = depolarizing_of_fidelity(1 - error, times, duration)
    readout = {
        qubit: (
            min(_MOST_ERROR, errors[0] * factor("readout", qubit, "0")),
            min(_MOST_ERROR, errors[1] * factor("readout", qubit, "1")),
        )
        for qubit, errors in profile.readout.items()
    }
    return evolve(
        profile,
        t1=t1,
        t2=t2,
        depolarizing=depolarizing,
        readout=readout,
        source=f"{profile.source}, each figure multiplied by a factor of its own",
    )


def _logarithm(machine: str, deviation: Deviation, figure: str) -> float:
    """The natural logarithm of a figure's factor."""
    steps = (("machine", deviation.spread), *deviation.steps)
    return sum(
        size * _normal(deviation.seed, machine, step, figure) for step, size in steps if size
    )


def _normal(*words: object) -> float:
    """A standard normal deviate that depends on `words` alone."""
    hashed = hashlib.sha256("/".join(map(str, words)).encode()).digest()
    # never 0 or 1, where the quantile is endless
    uniform = (int.from_bytes(hashed[:6], "big") + 0.5) / 2**48
    return NormalDist().inv_cdf(uniform)


# --- what a state directory remembers ------------------------------------------------------------

_FILE = "calibration/machines.json"


def unevenness(state: State) -> Unevenness:
    """How uneven the machines of a state directory are."""
    stored = state.read(_FILE)
    return ALL_EVEN if stored is None else Unevenness(**stored)


def remember(state: State, changes: Mapping[str, Any]) -> None:
    """Make the machines of a state directory as uneven as `changes` (fields, by name) say.

    A field that is None stays as it was.
    """
    explicit = {name: value for name, value in changes.items() if value is not None}
    if explicit:
        with state.lock("machines"):
            state.write(_FILE, asdict(evolve(unevenness(state), **explicit)))

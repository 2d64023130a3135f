"""What an emulator is started with, and the same as JSON for the process that serves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from attrs import asdict, field, fields, frozen

from iqm_spec.emulator.computers import computers
from iqm_spec.emulator.deviation import require_size
from iqm_spec.errors import UsageError
from iqm_spec.json_types import Json
from iqm_spec.targets import known_targets

LIMITS = {
    "max_circuits_per_job": 500,
    "max_shots_per_circuit": 20_000,
    "max_executions_per_job": 1_000_000,
    "max_instructions_per_circuit": 100_000,
    "max_queued_jobs_per_user": 100,
    "max_payload_bytes": 50 * 2**20,
}
"""Limits unless others are asked for. IQM publishes none for Resonance: circuits are those of a
batch in iqm-benchmarks, shots were named by IQM for its devices in 2024 (Qrisp, pull request 84),
the rest FiQCI's own settings and, for the bytes of a payload, a guess."""


@frozen
class TimeWindow:
    """A stretch of time on one computer: modelled seconds since the state directory was made."""

    alias: str
    start: float
    end: float

    def __attrs_post_init__(self) -> None:
        if not (isfinite(self.start) and isfinite(self.end) and self.start < self.end):
            raise UsageError(f"the time from {self.start:g} to {self.end:g} is empty or endless")


@frozen
class Options:
    """How the emulated server behaves. Times are modelled seconds: real ones times `speed`."""

    state: Path | None = None
    """Directory of everything that is remembered; None makes a new temporary one."""
    speed: float = 1.0
    """Modelled seconds per real second."""
    queue_seconds: float = 0.0
    """How long each job waits before it starts, besides the jobs before it."""
    on_premises: str = ""
    """A machine to serve alone, as `default`, with the answers of an on-premises server."""
    slots: tuple[TimeWindow, ...] = ()
    """Booked timeslots. Without one, a job for a timeslot is refused."""
    windows: tuple[TimeWindow, ...] = ()
    """When pay-as-you-go jobs run; a computer without windows takes them at all times."""
    timeslot_only: tuple[str, ...] = ()
    """Computers that refuse pay-as-you-go jobs."""
    dut_labels: Mapping[str, str] = field(factory=dict)
    """Labels of chips by computer, where they are to be those that a client looks for."""
    limits: Mapping[str, int] = field(factory=dict)
    """Limits that differ from `LIMITS`, by name."""
    rate_limit: bool = True
    """Whether the rate limit holds."""
    credits: float | None = None
    """Credits to spend on machines (mocks are free); None for as many as asked for."""
    token_env: str = ""
    """Environment variable with the only token that is accepted; else any token is."""
    seed: int | None = None
    """Makes counts depend on this and the payload; else they depend on the job's random id."""
    spread: float | None = None
    """How much qubits and couplings differ: the standard deviation of the natural logarithm of each
    figure. This and the next three are as they were in the state directory where they are None, and
    in a new one 0 or what the spread implies."""
    calibration_seed: int | None = None
    """What machine it is of those with such a spread, and how it drifts."""
    drift: float | None = None
    """How much a new calibration set moves figures: the standard deviation of logarithms."""
    idle: bool | None = None
    """Whether components relax while they idle."""
    faults: tuple[Mapping[str, Json], ...] = ()
    """Rules of `docs/emulator.md` that are there from the start."""

    def __attrs_post_init__(self) -> None:
        if not (isfinite(self.speed) and self.speed > 0):
            raise UsageError(f"the speed must be above 0 and finite, got {self.speed:g}")
        if not (isfinite(self.queue_seconds) and self.queue_seconds >= 0):
            raise UsageError(f"the queue cannot last {self.queue_seconds:g} seconds")
        if self.on_premises and self.on_premises not in known_targets():
            raise UsageError(
                f"no machine is called {self.on_premises}", hint=", ".join(known_targets())
            )
        if self.token_env and not os.environ.get(self.token_env):
            raise UsageError(f"there is no token in the environment variable {self.token_env}")
        if self.credits is not None and not (isfinite(self.credits) and self.credits >= 0):
            raise UsageError(f"there cannot be {self.credits:g} credits to spend")
        for size, name in ((self.spread, "spread"), (self.drift, "drift")):
            if size is not None:
                require_size(size, name)
        for name, value in self.limits.items():
            if name not in LIMITS:
                hint = f"there are {', '.join(LIMITS)}"
                raise UsageError(f"no limit is called {name}", hint=hint)
            if value < 1:
                raise UsageError(f"the limit {name} must be at least 1, got {value}")
        known_aliases = computers(self.on_premises)
        spans = (*self.slots, *self.windows)
        named = (*self.timeslot_only, *self.dut_labels, *(span.alias for span in spans))
        for alias in named:
            if alias not in known_aliases:
                raise UsageError(
                    f"there is no computer {alias}", hint=f"there are {', '.join(known_aliases)}"
                )
        if self.on_premises and (self.slots or self.timeslot_only):
            raise UsageError("a server on premises has no timeslots")

    @property
    def unevenness(self) -> dict[str, Any]:
        """What is asked for of the fields of `Unevenness`."""
        seed = self.calibration_seed
        return {"spread": self.spread, "seed": seed, "drift": self.drift, "idle": self.idle}

    def limit(self, name: str) -> int:
        """The limit of this name."""
        return self.limits.get(name, LIMITS[name])

    def to_json(self) -> dict[str, Json]:
        """What `options_from_json` reads again."""
        data: dict[str, Json] = asdict(self)
        data["state"] = None if self.state is None else str(self.state)
        return data


def options_from_json(data: Mapping[str, Any]) -> Options:
    """The options that `to_json` wrote; `UsageError` for a name that is none."""
    names = {item.name for item in fields(Options)}
    if strangers := sorted(data.keys() - names):
        raise UsageError(f"the emulator has no option {strangers[0]}")
    values = dict(data)
    if values.get("state") is not None:
        values["state"] = Path(values["state"])
    for name in ("slots", "windows"):
        values[name] = tuple(TimeWindow(**item) for item in values.get(name, ()))
    for name in ("timeslot_only", "faults"):
        values[name] = tuple(values.get(name, ()))
    return Options(**values)


MACHINES_VARIABLE = "IQM_SPEC_EMULATOR"
"""Environment variable that says how uneven the machines of the built-in emulator are."""
_MACHINES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "spread": ("spread", float),
    "calibration-seed": ("calibration_seed", int),
    "drift": ("drift", float),
    "idle": ("idle", {"yes": True, "no": False}.__getitem__),
}


def machines_from_text(text: str) -> dict[str, Any]:
    """Options of `spread=0.5 calibration-seed=7 drift=0.1 idle=yes`, any of them left out.

    UsageError says what is wrong.
    """
    values = {}
    for item in text.replace(",", " ").split():
        name, _, value = item.partition("=")
        try:
            option, read = _MACHINES[name]
            values[option] = read(value)
        except (KeyError, ValueError):
            raise UsageError(
                f"{MACHINES_VARIABLE}: {item!r} is not understood",
                hint="write e.g. spread=0.5 calibration-seed=7 drift=0.1 idle=yes",
            ) from None
    return values

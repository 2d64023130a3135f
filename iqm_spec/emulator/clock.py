"""How long things take: a small model of QPU time, and when a job waits, runs and is ready.

Modelled seconds are real seconds times the emulator's speed. A job's timeline starts at the real
time of its acceptance and goes on in modelled seconds, so that durations read off it are those
of the model whatever the speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import frozen

from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit
from iqm_spec.targets import ErrorProfile

JOB_OVERHEAD_S = 0.8837
"""Start of a batch, once per job: FiQCI's fit to VTT's 54-qubit Q50 (FiQCI resource-estimator)."""
SHOT_S = 350e-6
"""Reset by waiting and readout, per shot: IT4Innovations' guide to billing on VLQ, an IQM machine.
The durations of the circuit's gates come on top, as in IQM's own lower bound."""
PREPARE_S = 0.25
"""Validation and compilation of a job. A guess: nothing is published."""
FINISH_S = 0.1
"""Post-processing of a job. A guess: nothing is published."""

_STATION, _SERVER = "iqm-station-control", "iqm-server"


@frozen
class Times:
    """A job's times: `created` is a real time in seconds since 1970, the rest modelled seconds.

    `waits` None: it never starts.
    """

    created: float
    waits: float | None
    runs: float
    speed: float

    @property
    def starts(self) -> float:
        """The real time at which it leaves the queue."""
        return float("inf") if self.waits is None else self.created + self.waits / self.speed

    @property
    def ends(self) -> float:
        """The real time at which it would be ready."""
        return self.starts + occupies(self.runs) / self.speed

    def timeline(self, now: float, outcome: str | None) -> list[dict[str, Json]]:
        """Entries reached by `now`; `outcome` is the last one's status once the job is terminal."""
        entries = [_entry(_SERVER, "created", self.created)]
        if self.waits is None or now < self.starts:
            return entries
        start = self.created + self.waits
        run = PREPARE_S + self.runs
        end = run + FINISH_S
        steps = [
            (_STATION, "received", 0.0),
            (_STATION, "validation_started", 0.02),
            (_STATION, "validation_ended", 0.05),
            (_STATION, "compilation_started", 0.05),
            (_STATION, "compilation_ended", 0.2),
            (_STATION, "pending_execution", 0.2),
            (_STATION, "execution_started", PREPARE_S),
            (_STATION, "execution_ended", run),
            (_STATION, "post_processing_started", run),
            (_STATION, "post_processing_ended", end),
        ]
        if outcome is not None:
            steps += [(_STATION, outcome, end), (_SERVER, outcome, end)]
        for source, status, offset in steps:
            if outcome is not None or now >= self.starts + offset / self.speed:
                entries.append(_entry(source, status, start + offset))
        return entries


def occupies(runs: float) -> float:
    """Modelled seconds between leaving the queue and being ready, of which `runs` on the QPU."""
    return PREPARE_S + runs + FINISH_S


def run_seconds(shots: int, circuit_durations: Sequence[float]) -> float:
    """Modelled QPU seconds of a job: its overhead, and each shot's wait, readout and gates."""
    return JOB_OVERHEAD_S + shots * sum(SHOT_S + duration for duration in circuit_durations)


def circuit_duration(circuit: NativeCircuit, profile: ErrorProfile) -> float:
    """Seconds from the first gate to the last: the longest chain of gates and delays."""
    busy = [0.0] * len(circuit.components)
    gates = {"r": "prx", "cc_r": "prx", "cz": "cz", "move": "move"}
    for op in circuit.ops:
        if op.name == "delay":
            takes = op.params[0]
        else:
            takes = profile.durations.get(gates.get(op.name, ""), 0.0) * 1e-9
        end = max(busy[q] for q in op.qubits) + takes
        for q in op.qubits:
            busy[q] = end
    return max(busy, default=0.0)


def timestamp(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def _entry(source: str, status: str, seconds: float) -> dict[str, Json]:
    return {"source": source, "status": status, "timestamp": timestamp(seconds)}


def cancelled_timeline(times: Times, cancelled: float) -> list[dict[str, Json]]:
    """What was reached by the real time `cancelled`, and the end."""
    passed = (cancelled - times.created) * times.speed
    return [
        *times.timeline(cancelled, None),
        _entry(_SERVER, "aborted", times.created + passed),
    ]

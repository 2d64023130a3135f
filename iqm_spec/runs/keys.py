"""Keys of what the Aer stage gets: equal keys hold equal counts, wherever and whenever computed."""

from __future__ import annotations

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store.events import Simulator

SIMULATION = "iqm-spec/aer/1"
"""Changes whenever the same question would get other counts from this program."""


def installed_simulator() -> Simulator:
    """The simulator of this environment; Aer is asked for its version without importing it."""
    from importlib.metadata import version

    return Simulator(version("qiskit-aer"), SIMULATION)


def aer_key(plan: Plan, point: PlannedPoint, simulator: Simulator) -> str:
    """Key of the record of one point: circuit, shots, noise, method, seeds and Aer's version."""
    aer = plan.header.aer
    return digest(
        {
            "format": simulator.way,
            "aer": simulator.aer,
            "circuit": point.circuit,
            "shots": point.shots,
            "noise": plan.header.noise[point.target],
            "method": aer.method,
            "device": aer.device,
            "seed": plan.header.seed,
            "repeat": point.repeat,
        }
    )


def random_seed(plan: Plan, point: PlannedPoint) -> int:
    """Seed of a point's sampling: of its circuit, shots, noise, repeat and spec's seed alone."""
    material: dict[str, Json] = {
        "circuit": point.circuit,
        "shots": point.shots,
        "noise": plan.header.noise[point.target],
        "seed": plan.header.seed,
        "repeat": point.repeat,
    }
    return int(digest(material)[:15], 16)

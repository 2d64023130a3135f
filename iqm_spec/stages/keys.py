"""Keys of results: of simulated records, and of the points, jobs and records of servers.

Equal keys of simulated records have equal counts, wherever and whenever they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.canonical import digest
from iqm_spec.json_types import Json
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store.events import SimulatorVersion

SIMULATION = "iqm-spec/aer/1"
"""Changes whenever this program would simulate other counts for the same point."""


def installed_simulator() -> SimulatorVersion:
    """The simulator of this environment; reads Aer's version without importing Aer."""
    from importlib.metadata import version

    return SimulatorVersion(version("qiskit-aer"), SIMULATION)


def aer_key(plan: Plan, point: PlannedPoint, simulator: SimulatorVersion) -> str:
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


def point_key(
    stage: StageName,
    server_id: str,
    calibration: str,
    point: PlannedPoint,
    *,
    reference: bool = False,
) -> str:
    """Key of a point at a server: circuit, shots, options, target, server id, calibration, repeat.

    `calibration` is the spec's policy. Nothing that only simulation uses (seed, noise) and nothing
    that only people read is in it. A `reference` circuit is measured
    separately, also where another point has the same circuit.
    """
    return digest(
        {
            "format": "iqm-spec/server-point/1",
            "stage": stage.value,
            "realm": server_id,
            "calibration": calibration,
            "target": point.target,
            "circuit": point.circuit,
            "shots": point.shots,
            "options": dict(point.options),
            "repeat": point.repeat,
            **({"reference": point.name} if reference else {}),
        }
    )


def job_key(stage: StageName, server_id: str, queue: str, shots: int, parts: Sequence[str]) -> str:
    """Key of a job: equal for everybody who submits the same circuits to the server.

    `parts` are `BatchPart.id`s, in the job's order.
    """
    return digest(
        {
            "format": "iqm-spec/server-job/1",
            "stage": stage.value,
            "realm": server_id,
            "queue": queue,
            "shots": shots,
            "parts": list(parts),
        }
    )


def record_key(point: str, job: str, attempt: int, job_id: str) -> str:
    """Key of the record of one circuit of one job; jobs paid twice differ in the server's id."""
    return f"{point}.{job[:16]}.{attempt}.{job_id}"

"""Keys of what is asked of a server: of each point, and of each job that carries points."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.canonical import digest
from iqm_spec.model import Stage
from iqm_spec.plan.plan import PlannedPoint


def point_key(
    stage: Stage, realm: str, calibration: str, point: PlannedPoint, *, reference: bool = False
) -> str:
    """Key of a point's record: circuit, shots, options, target, realm, calibration policy, repeat.

    Nothing that only simulation knows (seed, noise) and nothing that only people read is in it. A
    `reference` circuit is measured for itself, also where another point asks the same.
    """
    return digest(
        {
            "format": "iqm-spec/server-point/1",
            "stage": stage.value,
            "realm": realm,
            "calibration": calibration,
            "target": point.target,
            "circuit": point.circuit,
            "shots": point.shots,
            "options": dict(point.options),
            "repeat": point.repeat,
            **({"reference": point.name} if reference else {}),
        }
    )


def job_key(stage: Stage, realm: str, queue: str, shots: int, parts: Sequence[str]) -> str:
    """Key of a job: equal for all who would submit the same circuits now, whoever they are.

    `parts` are `Part.id`s, in the job's order.
    """
    return digest(
        {
            "format": "iqm-spec/server-job/1",
            "stage": stage.value,
            "realm": realm,
            "queue": queue,
            "shots": shots,
            "parts": list(parts),
        }
    )


def record_key(point: str, job: str, attempt: int, job_id: str) -> str:
    """Key of the record of one circuit of one job; the server's id tells jobs paid twice apart."""
    return f"{point}.{job[:16]}.{attempt}.{job_id}"

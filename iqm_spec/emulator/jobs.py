"""Jobs: accepted once into a file; everything later is told from that file and the clock."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from attrs import asdict, evolve, frozen

from iqm_spec.emulator.clock import Times, cancelled_timeline
from iqm_spec.emulator.machines import Computer
from iqm_spec.emulator.messages import Fate, Rejected
from iqm_spec.emulator.queueing import ahead
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json

TERMINAL = ("completed", "failed", "cancelled")


@frozen
class Job:
    """What was decided at acceptance: nothing of it ever changes."""

    id: str
    alias: str
    machine: str
    use_timeslot: bool
    tag: str | None
    payload_sha256: str
    calibration_set_id: str
    shots: int
    heralding: bool
    seed: str
    times: Times
    fate: Fate | None = None

    @property
    def computer(self) -> Computer:
        """Where it runs."""
        return Computer(self.alias, self.machine)

    def to_json(self) -> Mapping[str, Json]:
        """What `load` reads again."""
        data: dict[str, Json] = asdict(self)
        return data


@frozen
class View:
    """A job as it is at one moment. `result` (`made`, `failure`) is there once it was simulated."""

    job: Job
    status: str
    now: float
    cancelled: float | None
    result: Mapping[str, Any] | None

    @property
    def terminal(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in TERMINAL


def new_job_id() -> str:
    """A fresh random id."""
    return str(uuid4())


def seed_of(job_id: str, payload_sha256: str, seed: int | None) -> str:
    """What a job's counts depend on: its own random id or, with a seed, its payload."""
    text = job_id if seed is None else f"{seed}/{payload_sha256}"
    return hashlib.sha256(text.encode()).hexdigest()


def store(state: State, job: Job, payload: bytes) -> None:
    """Put an accepted job on the disk; the payload first, so that a job always has one."""
    state.write(f"jobs/{job.id}.payload", payload)
    state.write(f"jobs/{job.id}.json", job.to_json())


def load(state: State, job_id: str) -> Job:
    """The job of this id; 404 where there is none."""
    data = state.read(f"jobs/{_canonical(job_id)}.json")
    if data is None or state.has(f"jobs/{_canonical(job_id)}.deleted.json"):
        raise _not_found(job_id)
    fate = data.pop("fate")
    times = Times(**data.pop("times"))
    return Job(**data, times=times, fate=None if fate is None else Fate(**fate))


def view(state: State, job: Job, now: float | None = None) -> View:
    """The job as it is at the real time `now`, in seconds since 1970."""
    now = time.time() if now is None else now
    result = state.read(f"jobs/{job.id}.result.json")
    marker = state.read(f"jobs/{job.id}.cancelled.json")
    made = View(job, "", now, None if marker is None else marker["at"], result)
    return evolve(made, status=_status(made))


def _status(view: View) -> str:
    job, times = view.job, view.job.times
    kind = "" if job.fate is None else job.fate.kind
    ready = max(times.ends, view.result["made"]) if view.result else float("inf")
    if kind in ("failed", "cancelled"):
        ready = times.ends if kind == "failed" else times.starts
    # who cancelled after it was ready came too late, whatever the order of the files
    if view.cancelled is not None and view.cancelled < ready:
        return "cancelled"
    if kind == "stuck" or view.now < times.starts:
        return "waiting"
    if kind == "cancelled":
        return "cancelled"
    if view.now < ready:
        return "processing"
    return "failed" if kind == "failed" or (view.result or {}).get("failure") else "completed"


def cancel(state: State, job: Job) -> None:
    """Cancel a job; 403 where it has come to an end already."""
    if not view(state, job).terminal:
        state.create(f"jobs/{job.id}.cancelled.json", {"at": time.time()})
        if view(state, job).status == "cancelled":
            return
    raise Rejected(
        403,
        "illegal_job_status",
        f"job {job.id} is {view(state, job).status}: it cannot be cancelled",
    )


def delete(state: State, job: Job) -> None:
    """Forget a job, cancelling it first where it has not come to an end."""
    if not view(state, job).terminal:
        cancel(state, job)
    state.create(f"jobs/{job.id}.deleted.json", {"at": time.time()})


def describe(state: State, seen: View) -> dict[str, Json]:
    """The job as the API tells it."""
    job, times = seen.job, seen.job.times
    reached = seen.now if seen.cancelled is None else min(seen.now, seen.cancelled)
    started = seen.status != "waiting" and reached >= times.starts
    done = seen.status in ("completed", "failed")
    waiting = seen.status == "waiting"
    return {
        "id": job.id,
        "type": "circuit",
        "status": seen.status,
        "qc": {"id": job.computer.id, "alias": job.alias},
        "tag": job.tag,
        "queue_position": ahead(state, job.computer, job.id, seen.now) if waiting else None,
        "runtime_ms": round(times.runs * 1000) if done else None,
        "compilation": _compilation(job) if started else None,
        "execution": _execution(seen),
        "messages": [],
        "errors": _errors(seen),
        "timeline": _timeline(seen),
        "artifacts": _artifacts(seen),
    }


def _compilation(job: Job) -> Json:
    """The calibration set, and what the compiler expects of the run's time."""
    return {
        "calibration_set_id": job.calibration_set_id,
        "execution_runtime_estimate_ms": round(job.times.runs * 1000),
    }


def _execution(seen: View) -> Json:
    if seen.status not in ("processing", "completed"):
        return None
    value = seen.job.shots if seen.status == "completed" else 0
    return {"progress": {"shots": {"value": value, "max_value": seen.job.shots}}}


def _errors(seen: View) -> list[Json]:
    if seen.status != "failed":
        return []
    fate = seen.job.fate
    failure = (seen.result or {}).get("failure") or {}
    if fate is not None and fate.kind == "failed":
        failure = {"message": fate.message, "error_code": fate.error_code}
    return [
        {
            "message": failure["message"] or "the job failed",
            "error_code": failure["error_code"] or "internal_error",
            "source": "iqm-station-control",
        }
    ]


def _timeline(seen: View) -> list[dict[str, Json]]:
    if seen.status == "cancelled":
        return cancelled_timeline(seen.job.times, seen.cancelled or seen.job.times.starts)
    outcome = {"completed": "ready", "failed": "failed"}.get(seen.status)
    return seen.job.times.timeline(seen.now, outcome)


def _artifacts(seen: View) -> list[Json]:
    if seen.status != "completed":
        return []
    return [{"type": "measurements"}, {"type": "measurement_counts"}]


def _canonical(job_id: str) -> str:
    """The id as files are named by it; anything else than a uuid names no job."""
    try:
        return str(UUID(job_id))
    except ValueError as error:
        raise _not_found(job_id) from error


def _not_found(job_id: str) -> Rejected:
    return Rejected(404, "job_not_found", f"there is no job {job_id[:64]}")

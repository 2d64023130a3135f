"""Jobs: accepted once into a file; its later states follow from that file and the clock."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from attrs import asdict, evolve, frozen

from iqm_spec.emulator.clock import Times, cancelled_timeline, occupies
from iqm_spec.emulator.computers import EmulatedComputer
from iqm_spec.emulator.deviation import EVEN, Deviation, deviation_from_json
from iqm_spec.emulator.messages import ApiError, Fate
from iqm_spec.emulator.options import Options, TimeWindow
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json
from iqm_spec.targets import ErrorProfile

TERMINAL = ("completed", "failed", "cancelled")


@frozen
class EmulatedJob:
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
    deviation: Deviation = EVEN

    @property
    def computer(self) -> EmulatedComputer:
        """Where it runs."""
        return EmulatedComputer(self.alias, self.machine)

    @property
    def profile(self) -> ErrorProfile:
        """How much its computer errs, under the calibration set that it runs under."""
        return self.computer.profile_under(self.deviation)

    def to_json(self) -> Mapping[str, Json]:
        """What `load` reads again."""
        data: dict[str, Json] = asdict(self)
        return data


@frozen
class View:
    """A job as it is at one moment. `result` (`made`, `failure`) is there once it was simulated."""

    job: EmulatedJob
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


def store(state: State, job: EmulatedJob, payload: bytes) -> None:
    """Put an accepted job on the disk; the payload first, so that a job always has one."""
    state.write(f"jobs/{job.id}.payload", payload)
    state.write(f"jobs/{job.id}.json", job.to_json())


def load(state: State, job_id: str) -> EmulatedJob:
    """The job of this id; 404 where there is none."""
    data = state.read(f"jobs/{_canonical(job_id)}.json")
    if data is None or state.has(f"jobs/{_canonical(job_id)}.deleted.json"):
        raise _not_found(job_id)
    fate = data.pop("fate")
    times = Times(**data.pop("times"))
    stored = data.pop("deviation", None)
    return EmulatedJob(
        **data,
        times=times,
        fate=None if fate is None else Fate(**fate),
        deviation=EVEN if stored is None else deviation_from_json(stored),
    )


def view(state: State, job: EmulatedJob, now: float | None = None) -> View:
    """The job as it is at the real time `now`, in seconds since 1970."""
    now = time.time() if now is None else now
    result = state.read(f"jobs/{job.id}.result.json")
    marker = state.read(f"jobs/{job.id}.cancelled.json")
    unset = View(job, "", now, None if marker is None else marker["at"], result)
    return evolve(unset, status=_status(unset))


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


def cancel(state: State, job: EmulatedJob) -> None:
    """Cancel a job; 403 where it has come to an end already."""
    if not view(state, job).terminal:
        state.create(f"jobs/{job.id}.cancelled.json", {"at": time.time()})
        if view(state, job).status == "cancelled":
            return
    raise ApiError(
        403,
        "illegal_job_status",
        f"job {job.id} is {view(state, job).status}: it cannot be cancelled",
    )


def delete(state: State, job: EmulatedJob) -> None:
    """Forget a job, cancelling it first where it has not come to an end."""
    if not view(state, job).terminal:
        cancel(state, job)
    state.create(f"jobs/{job.id}.deleted.json", {"at": time.time()})


def describe(state: State, viewed: View) -> dict[str, Json]:
    """The job as the API describes it."""
    job, status, times, now = viewed.job, viewed.status, viewed.job.times, viewed.now
    reached = now if viewed.cancelled is None else min(now, viewed.cancelled)
    waiting = status == "waiting"
    started = not waiting and reached >= times.starts
    done = status in ("completed", "failed")
    runtime_ms = round(times.runs * 1000)
    compilation: Json = {
        "calibration_set_id": job.calibration_set_id,
        "execution_runtime_estimate_ms": runtime_ms,
    }
    shots_done = job.shots if status == "completed" else 0
    execution: Json = {"progress": {"shots": {"value": shots_done, "max_value": job.shots}}}
    timeline = (
        cancelled_timeline(times, viewed.cancelled or times.starts)
        if status == "cancelled"
        else times.timeline(now, {"completed": "ready", "failed": "failed"}.get(status))
    )
    artifacts: list[Json] = [{"type": "measurements"}, {"type": "measurement_counts"}]
    return {
        "id": job.id,
        "type": "circuit",
        "status": status,
        "qc": {"id": job.computer.id, "alias": job.alias},
        "tag": job.tag,
        "queue_position": ahead(state, job.computer, job.id, now) if waiting else None,
        "runtime_ms": runtime_ms if done else None,
        "compilation": compilation if started else None,
        "execution": execution if status in ("processing", "completed") else None,
        "messages": [],
        "errors": _errors(viewed) if status == "failed" else [],
        "timeline": timeline,
        "artifacts": artifacts if status == "completed" else [],
    }


def _errors(viewed: View) -> list[Json]:
    fate = viewed.job.fate
    failure = (viewed.result or {}).get("failure") or {}
    if fate is not None and fate.kind == "failed":
        failure = {"message": fate.message, "error_code": fate.error_code}
    return [
        {
            "message": failure["message"] or "the job failed",
            "error_code": failure["error_code"] or "internal_error",
            "source": "iqm-station-control",
        }
    ]


def _canonical(job_id: str) -> str:
    """The id as files are named by it; anything else than a uuid names no job."""
    try:
        return str(UUID(job_id))
    except ValueError as error:
        raise _not_found(job_id) from error


def _not_found(job_id: str) -> ApiError:
    return ApiError(404, "job_not_found", f"there is no job {job_id[:64]}")


@frozen
class Place:
    """A job's place in a computer's queue, in real seconds since 1970; None: it never starts."""

    job: str
    starts: float | None
    ends: float | None
    slot: bool = False
    """Whether it waits for a booked timeslot, not in the pay-as-you-go queue."""


def spans(
    state: State, options: Options, windows: Sequence[TimeWindow], alias: str
) -> list[TimeWindow]:
    """A computer's slots or windows in real seconds since 1970, earliest first."""
    real = [
        TimeWindow(
            alias, state.born + span.start / options.speed, state.born + span.end / options.speed
        )
        for span in windows
        if span.alias == alias
    ]
    return sorted(real, key=lambda span: span.start)


def queue(state: State, computer: EmulatedComputer, now: float) -> list[Place]:
    """Jobs that have not left the computer by `now`, in the order of acceptance."""
    places = [Place(**item) for item in state.read(_file(computer)) or []]
    return [
        place
        for place in places
        if (place.ends is None or place.ends > now)
        and not state.has(f"jobs/{place.job}.cancelled.json")
    ]


def ahead(state: State, computer: EmulatedComputer, job: str, now: float) -> int:
    """How many waiting jobs are before this one."""
    count = 0
    for place in queue(state, computer, now):
        if place.job == job:
            break
        count += place.starts is None or place.starts > now
    return count


def enqueue(
    state: State,
    options: Options,
    computer: EmulatedComputer,
    job: str,
    runs: float,
    now: float,
    slot: bool,
) -> float | None:
    """Give a job its place; modelled seconds until it starts, or None: never.

    To be called under the computer's lock. `ApiError` where its queue is closed or full.
    """
    places = queue(state, computer, now)
    waiting = sum(place.starts is None or place.starts > now for place in places)
    if waiting >= options.limit("max_queued_jobs_per_user"):
        raise ApiError(403, "quota_exceeded", f"{waiting} of your jobs are waiting already")
    busy = max((place.ends for place in places if place.ends is not None), default=now)
    earliest = max(now + options.queue_seconds / options.speed, busy)
    starts = _first(state, options, computer, earliest, slot)
    ends = None if starts is None else starts + occupies(runs) / options.speed
    places.append(Place(job, starts, ends, slot))
    state.write(_file(computer), [asdict(place) for place in places])
    return None if starts is None else (starts - now) * options.speed


def _first(
    state: State, options: Options, computer: EmulatedComputer, earliest: float, slot: bool
) -> float | None:
    """The first moment from `earliest` on at which such a job may start."""
    if slot:
        booked = spans(state, options, options.slots, computer.alias)
        usable = [span for span in booked if span.end > earliest]
        if not usable:
            raise ApiError(
                403, "no_booked_timeslots", f"no timeslot on {computer.alias} is booked for you"
            )
        return max(usable[0].start, earliest)
    if computer.alias in options.timeslot_only:
        raise ApiError(
            403, "timeslot_required", f"{computer.alias} takes jobs in booked timeslots only"
        )
    windows = spans(state, options, options.windows, computer.alias)
    if not windows:
        return earliest
    usable = [span for span in windows if span.end > earliest]
    return max(usable[0].start, earliest) if usable else None


def _file(computer: EmulatedComputer) -> str:
    return f"queues/{computer.id}.json"

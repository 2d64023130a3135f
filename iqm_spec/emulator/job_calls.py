"""The calls about jobs: submitting, watching, fetching, cancelling."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping

from attrs import evolve

from iqm_spec.emulator.calls import Context
from iqm_spec.emulator.checks import Submission, checked
from iqm_spec.emulator.clock import Times, circuit_duration, run_seconds
from iqm_spec.emulator.computers import EmulatedComputer, calibration
from iqm_spec.emulator.jobs import (
    EmulatedJob,
    View,
    cancel,
    delete,
    describe,
    enqueue,
    load,
    new_job_id,
    seed_of,
    store,
    view,
)
from iqm_spec.emulator.messages import ApiError, ApiRequest, ApiResponse, Fate
from iqm_spec.emulator.worker import counts_artifact, counts_of, measurements_artifact


def _submit(context: Context, request: ApiRequest) -> ApiResponse:
    computer = context.computer_of(request)
    if request.path["type"] != "circuit":
        raise ApiError(400, "invalid_input", f"unsupported job type {request.path['type'][:32]!r}")
    request.flag("use_timeslot")  # ApiError here, before the body is looked at
    tag = request.query.get("tag")
    submission = checked(request.body, tag, calibration(context.state, computer), context.options)
    durations = [circuit_duration(item.circuit, computer.profile) for item in submission.circuits]
    runs = run_seconds(submission.shots, durations)
    fate = request.fate or _too_long(submission, computer, durations)
    job = _accept(context, request, computer, submission, runs, fate)
    context.simulator.want(job)
    return ApiResponse(200, describe(context.state, view(context.state, job)), job=job.id)


def _accept(
    context: Context,
    request: ApiRequest,
    computer: EmulatedComputer,
    submission: Submission,
    runs: float,
    fate: Fate | None,
) -> EmulatedJob:
    """Under the computer's lock: a place in the queue, the credits, the job's files."""
    state, options = context.state, context.options
    sha256 = hashlib.sha256(request.body).hexdigest()
    job_id = new_job_id()
    slot = request.flag("use_timeslot")
    with state.lock(f"queue-{computer.id}"):
        # a booked slot was paid when it was booked
        price = 0.0 if slot or options.on_premises else float(computer.price) * runs
        if options.credits is not None and price and _spent(context) + price > options.credits:
            raise ApiError(403, "not_enough_credits", f"the job needs about {price:.2f} credits")
        now = time.time()
        waits = enqueue(state, options, computer, job_id, runs, now, slot)
        if price:
            with state.lock("credits"):
                state.write("credits.json", {"spent": _spent(context) + price})
        job = EmulatedJob(
            id=job_id,
            alias=computer.alias,
            machine=computer.machine,
            use_timeslot=slot,
            tag=request.query.get("tag"),
            payload_sha256=sha256,
            calibration_set_id=submission.calibration_set_id,
            shots=submission.shots,
            heralding=submission.heralding,
            seed=seed_of(job_id, sha256, options.seed),
            times=Times(now, waits, runs, options.speed),
            fate=fate,
            deviation=submission.deviation,
        )
        store(state, job, request.body)
    return job


def _too_long(
    submission: Submission, computer: EmulatedComputer, durations: list[float]
) -> Fate | None:
    """Circuits that outlast the asked fraction of the shortest T2 fail when they are compiled."""
    if submission.max_duration_over_t2 <= 0:
        return None
    profile = computer.profile_under(submission.deviation)
    for number, (item, seconds) in enumerate(zip(submission.circuits, durations, strict=True)):
        t2 = min(profile.t2[name] for name in item.circuit.components) * 1e-9
        if seconds > submission.max_duration_over_t2 * t2:
            text = f"circuit {number} lasts {seconds * 1e6:.3g} us; T2 is {t2 * 1e6:.3g} us"
            return Fate("failed", text, "circuit_too_long")
    return None


def _spent(context: Context) -> float:
    return float((context.state.read("credits.json") or {"spent": 0.0})["spent"])


def _job(context: Context, request: ApiRequest) -> ApiResponse:
    return ApiResponse(200, describe(context.state, _view(context, request)))


def _view(context: Context, request: ApiRequest) -> View:
    """The job in the address; without a result it is simulated, whichever emulator accepted it."""
    job = load(context.state, request.path["job"])
    context.computer(job.alias)
    viewed = view(context.state, job)
    if not viewed.terminal and viewed.result is None:
        context.simulator.want(job)
    return viewed


def _payload(context: Context, request: ApiRequest) -> ApiResponse:
    job = load(context.state, request.path["job"])
    payload = context.state.read_bytes(f"jobs/{job.id}.payload") or b""
    headers = {"content-type": "application/json", "IQM-Job-Type": "circuit"}
    return ApiResponse(200, payload, headers)


def _measurements(context: Context, request: ApiRequest) -> ApiResponse:
    job = _finished(context, request).job
    return ApiResponse(200, measurements_artifact(job, counts_of(context.state, job)))


def _counts(context: Context, request: ApiRequest) -> ApiResponse:
    job = _finished(context, request).job
    return ApiResponse(200, counts_artifact(counts_of(context.state, job)))


def _finished(context: Context, request: ApiRequest) -> View:
    viewed = _view(context, request)
    if viewed.status != "completed":
        raise ApiError(
            404, "artifact_not_found", f"job {viewed.job.id} is {viewed.status}: no artifacts"
        )
    return viewed


def _cancel(context: Context, request: ApiRequest) -> ApiResponse:
    job = load(context.state, request.path["job"])
    cancel(context.state, job)
    return evolve(ApiResponse(200, describe(context.state, view(context.state, job))), job=job.id)


def _delete(context: Context, request: ApiRequest) -> ApiResponse:
    job = load(context.state, request.path["job"])
    delete(context.state, job)
    return ApiResponse(204, b"", job=job.id)


def _book(context: Context, request: ApiRequest) -> ApiResponse:
    context.resonance_only()
    context.computer_of(request)
    raise ApiError(403, "forbidden", "booking a timeslot needs the role Scheduler")


WATCHES: Mapping[str, Callable[[Context, ApiRequest], ApiResponse]] = {
    "job": _job,
    "payload": _payload,
    "measurements": _measurements,
    "measurement-counts": _counts,
}
"""Calls that read a job."""

WRITES: Mapping[str, Callable[[Context, ApiRequest], ApiResponse]] = {
    "submit": _submit,
    "cancel": _cancel,
    "delete": _delete,
    "book": _book,
}
"""Calls that change something: these are in the ledger."""

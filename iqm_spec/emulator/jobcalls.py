"""The calls about jobs: submitting, watching, fetching, cancelling."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping

from attrs import evolve

from iqm_spec.emulator.calibration import calibration
from iqm_spec.emulator.calls import Context
from iqm_spec.emulator.checks import Submission, checked
from iqm_spec.emulator.clock import Times, circuit_duration, run_seconds
from iqm_spec.emulator.jobs import (
    Job,
    View,
    cancel,
    delete,
    describe,
    load,
    new_job_id,
    seed_of,
    store,
    view,
)
from iqm_spec.emulator.machines import Computer
from iqm_spec.emulator.messages import Answer, Ask, Fate, Rejected
from iqm_spec.emulator.queueing import enqueue
from iqm_spec.emulator.simulate import counts_artifact, counts_of, measurements_artifact


def _submit(context: Context, ask: Ask) -> Answer:
    computer = context.computer_of(ask)
    if ask.path["type"] != "circuit":
        raise Rejected(400, "invalid_input", f"unsupported job type {ask.path['type'][:32]!r}")
    ask.flag("use_timeslot")  # Rejected here, before the body is looked at
    tag = ask.query.get("tag")
    submission = checked(ask.body, tag, calibration(context.state, computer), context.options)
    durations = [circuit_duration(item.circuit, computer.profile) for item in submission.circuits]
    runs = run_seconds(submission.shots, durations)
    fate = ask.fate or _too_long(submission, computer, durations)
    job = _accept(context, ask, computer, submission, runs, fate)
    context.simulator.want(job)
    return Answer(200, describe(context.state, view(context.state, job)), job=job.id)


def _accept(
    context: Context,
    ask: Ask,
    computer: Computer,
    submission: Submission,
    runs: float,
    fate: Fate | None,
) -> Job:
    """Under the computer's lock: a place in the queue, the credits, the job's files."""
    state, options = context.state, context.options
    sha256 = hashlib.sha256(ask.body).hexdigest()
    job_id = new_job_id()
    slot = ask.flag("use_timeslot")
    with state.lock(f"queue-{computer.id}"):
        _afford(context, computer, runs, slot)
        now = time.time()
        waits = enqueue(state, options, computer, job_id, runs, now, slot)
        _charge(context, computer, runs, slot)
        job = Job(
            id=job_id,
            alias=computer.alias,
            machine=computer.machine,
            use_timeslot=slot,
            tag=ask.query.get("tag"),
            payload_sha256=sha256,
            calibration_set_id=submission.calibration_set_id,
            shots=submission.shots,
            heralding=submission.heralding,
            seed=seed_of(job_id, sha256, options.seed),
            times=Times(now, waits, runs, options.speed),
            fate=fate,
        )
        store(state, job, ask.body)
    return job


def _too_long(submission: Submission, computer: Computer, durations: list[float]) -> Fate | None:
    """Circuits that outlast the asked fraction of the shortest T2 fail when they are compiled."""
    if submission.max_duration_over_t2 <= 0:
        return None
    for number, (item, seconds) in enumerate(zip(submission.circuits, durations, strict=True)):
        t2 = min(computer.profile.t2[name] for name in item.circuit.components) * 1e-9
        if seconds > submission.max_duration_over_t2 * t2:
            text = f"circuit {number} lasts {seconds * 1e6:.3g} us; T2 is {t2 * 1e6:.3g} us"
            return Fate("failed", text, "circuit_too_long")
    return None


def _price(context: Context, computer: Computer, runs: float, slot: bool) -> float:
    """Credits that the job will cost; a booked slot was paid when it was booked."""
    return 0.0 if slot or context.options.on_premises else float(computer.price) * runs


def _afford(context: Context, computer: Computer, runs: float, slot: bool) -> None:
    credits = context.options.credits
    price = _price(context, computer, runs, slot)
    if credits is not None and price and _spent(context) + price > credits:
        raise Rejected(403, "not_enough_credits", f"the job needs about {price:.2f} credits")


def _charge(context: Context, computer: Computer, runs: float, slot: bool) -> None:
    price = _price(context, computer, runs, slot)
    if price:
        with context.state.lock("credits"):
            context.state.write("credits.json", {"spent": _spent(context) + price})


def _spent(context: Context) -> float:
    return float((context.state.read("credits.json") or {"spent": 0.0})["spent"])


def _job(context: Context, ask: Ask) -> Answer:
    seen = _seen(context, ask)
    return Answer(200, describe(context.state, seen))


def _seen(context: Context, ask: Ask) -> View:
    """The job in the address; one without a result is simulated, whoever accepted it."""
    job = load(context.state, ask.path["job"])
    context.computer(job.alias)
    seen = view(context.state, job)
    if not seen.terminal and seen.result is None:
        context.simulator.want(job)
    return seen


def _payload(context: Context, ask: Ask) -> Answer:
    job = load(context.state, ask.path["job"])
    payload = context.state.read_bytes(f"jobs/{job.id}.payload") or b""
    headers = {"content-type": "application/json", "IQM-Job-Type": "circuit"}
    return Answer(200, payload, headers)


def _measurements(context: Context, ask: Ask) -> Answer:
    seen = _finished(context, ask)
    return Answer(200, measurements_artifact(seen.job, counts_of(context.state, seen.job)))


def _counts(context: Context, ask: Ask) -> Answer:
    seen = _finished(context, ask)
    return Answer(200, counts_artifact(counts_of(context.state, seen.job)))


def _finished(context: Context, ask: Ask) -> View:
    seen = _seen(context, ask)
    if seen.status != "completed":
        raise Rejected(
            404, "artifact_not_found", f"job {seen.job.id} is {seen.status}: no artifacts"
        )
    return seen


def _cancel(context: Context, ask: Ask) -> Answer:
    job = load(context.state, ask.path["job"])
    cancel(context.state, job)
    return evolve(Answer(200, describe(context.state, view(context.state, job))), job=job.id)


def _delete(context: Context, ask: Ask) -> Answer:
    job = load(context.state, ask.path["job"])
    delete(context.state, job)
    return Answer(204, b"", job=job.id)


def _book(context: Context, ask: Ask) -> Answer:
    context.resonance_only()
    context.computer_of(ask)
    raise Rejected(403, "forbidden", "booking a timeslot needs the role Scheduler")


WATCHES: Mapping[str, Callable[[Context, Ask], Answer]] = {
    "job": _job,
    "payload": _payload,
    "measurements": _measurements,
    "measurement-counts": _counts,
}
"""Calls that read a job."""

WRITES: Mapping[str, Callable[[Context, Ask], Answer]] = {
    "submit": _submit,
    "cancel": _cancel,
    "delete": _delete,
    "book": _book,
}
"""Calls that change something: these are in the ledger."""

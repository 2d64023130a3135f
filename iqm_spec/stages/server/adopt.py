"""Adopts a job id for an attempt whose outcome is unknown, or releases the attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from iqm_spec.errors import Refused, StoreCorrupt, UsageError
from iqm_spec.json_types import Json
from iqm_spec.stages.server.attempts import Attempt, Phase, event_time
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import Store
from iqm_spec.store.events import JobAdopted, JobReleased

ADOPTABLE = (Phase.UNKNOWN, Phase.INTENDED, Phase.SUBMITTED, Phase.RELEASED)
RELEASABLE = (Phase.UNKNOWN, Phase.FAILED, Phase.SUBMITTED)


BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=15)
"""A server creates a job between the intent and the end of the POST; clocks differ a little."""


def adopt(
    store: Store,
    of_run: Sequence[Attempt],
    job_id: str,
    payload: Json,
    created: datetime | None = None,
) -> Attempt:
    """Adopts `job_id` for the attempt that has the body `payload`; returns the attempt.

    An attempt that has an id already keeps both: it was paid twice, and verdicts say so. Refused
    where no attempt has that payload, or the job was `created` at another time.
    """
    candidates = [attempt for attempt in of_run if attempt.phase in ADOPTABLE]
    for attempt in of_run:
        if job_id in attempt.ids:
            raise UsageError(f"job {job_id} is known already", hint="`iqm-spec resume` fetches it")
    same = [attempt for attempt in candidates if _is_body(store, attempt, payload)]
    if not same:
        raise Refused(
            f"job {job_id} is none of the jobs whose outcome is unknown: its payload differs",
            hint=_differences(store, candidates, payload),
            code="refused.payload",
        )
    chosen = min(same, key=lambda attempt: ADOPTABLE.index(attempt.phase))
    intended = datetime.fromisoformat(chosen.intent.at)
    if created is not None and not intended - BEFORE <= created <= intended + AFTER:
        raise Refused(
            f"job {job_id} has the same payload, but was made at {created:%Y-%m-%d %H:%M} UTC; job "
            f"{short_job_key(chosen)} was to be submitted at {intended:%Y-%m-%d %H:%M} UTC",
            hint="it may be somebody else's; where the clocks are wrong, give --anyway",
            code="refused.time",
        )
    store.job(chosen.job).add(JobAdopted(chosen.number, job_id, event_time()))
    return chosen


def release(store: Store, of_run: Sequence[Attempt], name: str) -> Attempt:
    """Lets the circuits of a job be submitted again; its key or its id begins with `name`."""
    if not name:
        raise UsageError("an empty name is no job's", hint="`iqm-spec status RUN` names the jobs")
    matching = [
        attempt
        for attempt in of_run
        if attempt.job.startswith(name) or any(i.startswith(name) for i in attempt.ids)
    ]
    open_ones = [attempt for attempt in matching if attempt.phase in RELEASABLE]
    if len(open_ones) != 1:
        listed = ", ".join(f"{short_job_key(a)} ({a.phase})" for a in matching or of_run) or "none"
        what = "could be several jobs" if open_ones else "is no job that can be released"
        raise UsageError(f"{name} {what}", hint=f"jobs of the run: {listed}")
    (attempt,) = open_ones
    if attempt.phase is Phase.SUBMITTED:
        raise Refused(
            f"job {attempt.ids[0]} is at the server",
            hint="`iqm-spec resume` fetches it, `iqm-spec cancel` ends it",
            code="refused.release",
        )
    store.job(attempt.job).add(JobReleased(attempt.number, event_time()))
    return attempt


def body_of(store: Store, attempt: Attempt) -> Json:
    """The payload of an attempt; StoreCorrupt where its journal names none."""
    if attempt.intent.body is None:
        raise StoreCorrupt(f"the intent of job {attempt.job[:12]} names no payload")
    return store.get_json(attempt.intent.body)


def _is_body(store: Store, attempt: Attempt, payload: Json) -> bool:
    from iqm_spec.canonical import canonical
    from iqm_spec.server_api.payload import normalized

    body = canonical(body_of(store, attempt))
    for form in (normalized, canonical):
        try:
            return form(payload) == body
        except ValueError:  # no such payload, or one that no canonical JSON holds
            continue
    return False


def _differences(store: Store, of_run: Sequence[Attempt], payload: Json) -> str:
    """In which fields the payload differs from the nearest attempt."""
    if not of_run or not isinstance(payload, dict):
        return "there is no job in this run whose outcome is unknown"
    differences = []
    for attempt in of_run:
        body = body_of(store, attempt)
        if isinstance(body, dict):
            keys = sorted(k for k in {*body, *payload} if body.get(k) != payload.get(k))
            differences.append(f"{short_job_key(attempt)} differs in {', '.join(keys)}")
    return "; ".join(differences[:3])

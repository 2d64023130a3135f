"""Imports jobs that another program submitted into the results folder. Submits nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from iqm_spec.engine.journal import NewRun, RunJournal
from iqm_spec.errors import MOST_URGENT_FIRST, ExitCode, Interrupted, IqmSpecError, Refused
from iqm_spec.importing.foreign import Candidate, ForeignJob, candidates, match
from iqm_spec.model import Mode, StageName
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.events import StageDone
from iqm_spec.stages.keys import job_key
from iqm_spec.stages.registry import SERVER_STAGES, stage_named
from iqm_spec.stages.server.attempts import (
    Attempt,
    Phase,
    ServerWork,
    attempts,
    circuits_of_attempts,
    covering,
    event_time,
    point_keys,
    read_attempts,
    settled_work,
)
from iqm_spec.stages.server.batch import job_to_price_of
from iqm_spec.stages.server.collect import collect
from iqm_spec.stages.server.judge import why_failed
from iqm_spec.stages.server.locks import submission_lock
from iqm_spec.stages.server.rows import derive, server_rows
from iqm_spec.stages.server.server_info import ServerInfo, Session
from iqm_spec.stages.server.submit import job_intent
from iqm_spec.stages.server.tariff import CostOptions, sources_of, tariff_of
from iqm_spec.stages.shots import keys_with_memory
from iqm_spec.store import Store
from iqm_spec.store.events import JobAdopted

if TYPE_CHECKING:
    from iqm_spec.cost.estimate import Tariff
    from iqm_spec.spec.check import CheckedSpec


Tell = Callable[[str, float], None]


@frozen
class Imported:
    """The result of an import.

    `run` is the new run, None if the folder had every id already. `attempts` are the attempts by
    job id, `known` the ids that the folder had already, `troubles` says which results could not be
    read.
    """

    run: str | None
    attempts: Mapping[str, Attempt]
    known: frozenset[str]
    stages: tuple[StageDone, ...] = ()
    troubles: tuple[str, ...] = ()
    code: ExitCode = field(default=ExitCode.DONE)


def known_attempts(store: Store, server_id: str) -> dict[str, Attempt]:
    """All attempts of a server in the folder, by job id."""
    return {
        job_id: attempt
        for stage in SERVER_STAGES
        for attempt in read_attempts(store, stage.name, server_id)
        for job_id in attempt.ids
    }


def bring_in(
    jobs: Sequence[ForeignJob],
    job_ids: Sequence[str],
    plan: Plan,
    checked: CheckedSpec,
    session: Session,
    store: Store,
    tell: Tell,
) -> Imported:
    """Store all jobs in the folder, or none (raises Refused), and fetch the results of ended ones.

    `job_ids` are all job ids of the command, `jobs` those that the folder does not have. Of the
    others, jobs that had not ended are read again.
    """
    for job in jobs:
        if job.stage not in checked.spec.stages:
            raise Refused(
                f"job {job.id} ran on {job.computer}, and the spec has no {job.stage} stage",
                hint=f"add `{job.stage}` to `stages`; an import submits nothing",
                code="refused.import",
            )
    stages = tuple(
        stage.name for stage in SERVER_STAGES if any(job.stage is stage.name for job in jobs)
    )
    narrowed = evolve(checked, spec=evolve(checked.spec, stages=stages))
    journal = RunJournal(store, NewRun(narrowed, plan, stages, session.server_id))
    new = {job.id for job in jobs}
    try:
        with submission_lock(store):
            matched = _matched(jobs, plan, session, store)
            tariff = _tariff(jobs, checked, session, store)
            for job, fits in matched:
                _note(job, fits, plan, session, store, journal.run_id(), tariff)
        known = known_attempts(store, session.server_id)
        memory = keys_with_memory(
            plan.points, point_keys(plan, StageName.HARDWARE, session.server_id)
        )
        unfinished = [known[job_id] for job_id in job_ids if known[job_id].open]
        troubles = _fetch(unfinished, session, store, tell, memory)
        derived: dict[StageName, list[str]] = {}
        if any(known[job_id].intent.stage == StageName.HARDWARE.value for job_id in job_ids):
            rows = server_rows(store, plan, StageName.HARDWARE, session.server_id)
            derived[StageName.HARDWARE] = derive(store, plan, rows)
        works = {stage: settled_work(plan, stage, session.server_id, store) for stage in stages}
        imported = {
            job_id: attempt
            for job_id, attempt in known_attempts(store, session.server_id).items()
            if job_id in job_ids
        }
        ended = [_ended(stage, work, imported.values(), troubles) for stage, work in works.items()]
        code = _code(imported.values(), troubles)
        if jobs:
            for stage, work in works.items():
                used = [(a.job, a.number, a.id) for a in work.attempts()]
                journal.used(stage, session.server_id, used, derived.get(stage, ()))
            journal.ended(ended, code)
    except IqmSpecError as error:
        journal.failed(error)
        raise
    except KeyboardInterrupt:
        journal.failed(Interrupted("interrupted"))
        raise
    run = journal.run_id() if jobs else None
    return Imported(run, imported, frozenset(job_ids) - new, tuple(ended), tuple(troubles), code)


def _matched(
    jobs: Sequence[ForeignJob], plan: Plan, session: Session, store: Store
) -> list[tuple[ForeignJob, list[Candidate]]]:
    """Every job with the points of its circuits; raises Refused for all jobs that do not match."""
    if not jobs:
        return []
    circuits = circuits_of(store, plan, plan.points)
    listed: dict[StageName, list[Candidate]] = {}
    taken: dict[StageName, set[str]] = {}
    for stage in {job.stage for job in jobs}:
        keys = point_keys(plan, stage, session.server_id)
        listed[stage] = candidates(plan.points, keys, circuits)
        covered = covering(read_attempts(store, stage, session.server_id))
        taken[stage] = {
            key
            for key, cover in covered.items()
            if any(attempt.phase is not Phase.FAILED for attempt in cover.parts.values())
        }
    matched, mismatches = [], []
    for job in jobs:
        fits, why = match(job, listed[job.stage], plan.header.calibration, taken[job.stage])
        if why:
            mismatches.append(f"job {job.id} does not match the spec: {why}")
        else:
            taken[job.stage] |= {candidate.key for candidate in fits}
            matched.append((job, fits))
    if mismatches:
        raise Refused(
            "; ".join(mismatches),
            hint="nothing was imported: every circuit of a job must match a point of the spec, on "
            "the same qubits, with the same shots and options",
            code="refused.import",
        )
    return matched


def _note(
    job: ForeignJob,
    fits: Sequence[Candidate],
    plan: Plan,
    session: Session,
    store: Store,
    run: str,
    tariff: Tariff,
) -> None:
    """Write the journal of the job: the same events as for an adopted unknown submission."""
    points = [fit.point for fit in fits]
    priced_job = job_to_price_of(job.computer, points, job.shots, points[0].options)
    is_paid = stage_named(job.stage).spends_credits
    cost = tariff.cost(priced_job) if is_paid else None
    mode = plan.header.mode if is_paid else Mode.PAY_AS_YOU_GO.value
    ids = [f"{fit.key}.0" for fit in fits]
    key = job_key(job.stage, session.server_id, mode, job.shots, ids)
    journal = store.job(key)
    number = 1 + max((attempt.number for attempt in attempts(key, journal.events())), default=0)
    journal.claim("claimed", number)
    journal.add(
        job_intent(
            priced_job,
            cost,
            attempt=number,
            imported=True,
            run=run,
            plan=plan.digest,
            stage=job.stage,
            session=session,
            target=job.target,
            queue=mode,
            calibration_set_id=job.payload["calibration_set_id"],
            body=store.put_json(dict(job.payload)),
            parts=tuple((fit.key, 0) for fit in fits),
        )
    )
    journal.add(JobAdopted(number, job.id, event_time()))


def _tariff(
    jobs: Iterable[ForeignJob], checked: CheckedSpec, session: Session, store: Store
) -> Tariff:
    """Prices and time models of the machines, for the estimates in the ledger."""
    paid = (job.computer for job in jobs if stage_named(job.stage).spends_credits)
    machines = list(dict.fromkeys(paid))
    prices = ServerInfo(session).prices(machines)
    options = CostOptions()
    sources = sources_of(options, checked.spec.budget, prices, session)
    return tariff_of(machines, session.server_id, store, options, sources)


def _fetch(
    unfinished: Sequence[Attempt],
    session: Session,
    store: Store,
    tell: Tell,
    memory: Collection[str],
) -> list[str]:
    """Store the results of jobs that have ended; returns which results could not be read."""
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import IMPORT_SECONDS, READS, Retry

    retry = Retry(READS, tell)
    ended = [
        attempt
        for attempt in unfinished
        if read_job(session.connection, attempt.ids[0], retry).terminal
    ]
    if not ended:
        return []
    deadline = time.monotonic() + IMPORT_SECONDS
    circuits = circuits_of_attempts(store, ended)
    outcomes = collect(ended, session, store, circuits, deadline, tell, memory)
    return [outcome.trouble for outcome in outcomes if outcome.trouble]


def _code(imported: Iterable[Attempt], troubles: Sequence[str]) -> ExitCode:
    """FAILED if a job failed or has unreadable results, WAITING if a job has not ended."""
    phases = {attempt.phase for attempt in imported}
    codes = {ExitCode.FAILED} if troubles or Phase.FAILED in phases else set()
    codes |= {ExitCode.WAITING} if Phase.SUBMITTED in phases and not troubles else set()
    return next((code for code in MOST_URGENT_FIRST if code in codes), ExitCode.DONE)


def _ended(
    stage: StageName, work: ServerWork, imported: Iterable[Attempt], troubles: Sequence[str]
) -> StageDone:
    """The status of the stage: `waiting` if points without a job are left for a run."""
    of_stage = [attempt for attempt in imported if attempt.intent.stage == stage.value]
    failed = [attempt for attempt in of_stage if attempt.phase is Phase.FAILED]
    complete = all(work.has(index) for index in range(len(work.keys)))
    points = sum(len(attempt.parts) for attempt in of_stage)
    total = count(len(work.keys), "point")
    reasons = [f"{count(len(of_stage), 'job')} imported: {points:,} of {total}"]
    for attempt in of_stage:
        if attempt.phase is Phase.FAILED:
            reasons.append(f"job {attempt.ids[0]} {why_failed(attempt)}")
        elif attempt.open and not troubles:
            reasons.append(f"still at the server: {attempt.ids[0]}; `iqm-spec resume` fetches it")
    if any(True for _ in work.left()):
        reasons.append("the other points have no jobs; `iqm-spec run` submits them")
    status = "failed" if failed or troubles else "passed" if complete else "waiting"
    return StageDone(
        stage=stage,
        status=status,
        reasons=(*reasons, *troubles),
        jobs=0,
        cached=work.cached,
        points=len(work.keys),
        emulated=any(attempt.intent.emulated for attempt in work.attempts()),
        code=_code(of_stage, troubles),
    )

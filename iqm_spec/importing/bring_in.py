"""Brings jobs that another program submitted into the results folder. Submits nothing."""

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
from iqm_spec.stages.registry import SERVER_STAGES
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
    """What became of some job ids.

    `run` is the new run, None where every id was known. `attempts` are the journals of the ids by
    id, `known` those that the folder had before, `troubles` results that could not be read.
    """

    run: str | None
    attempts: Mapping[str, Attempt]
    known: frozenset[str]
    stages: tuple[StageDone, ...] = ()
    troubles: tuple[str, ...] = ()
    code: ExitCode = field(default=ExitCode.DONE)


def known_attempts(store: Store, realm: str) -> dict[str, Attempt]:
    """Every job of a server that the folder knows, by its id."""
    return {
        job_id: attempt
        for stage in SERVER_STAGES
        for attempt in read_attempts(store, stage.name, realm)
        for job_id in attempt.ids
    }


def bring_in(
    jobs: Sequence[ForeignJob],
    asked: Sequence[str],
    plan: Plan,
    checked: CheckedSpec,
    session: Session,
    store: Store,
    tell: Tell,
) -> Imported:
    """Note the jobs in the folder, all or (Refused) none, and fetch what has ended.

    `jobs` are those of the ids `asked` for that the folder did not know; the known ones are looked
    at again where they were not known to have ended.
    """
    _require_stages(jobs, checked)
    stages = tuple(
        stage.name for stage in SERVER_STAGES if any(job.stage is stage.name for job in jobs)
    )
    narrowed = evolve(checked, spec=evolve(checked.spec, stages=stages))
    journal = RunJournal(store, NewRun(narrowed, plan, stages, session.realm))
    new = {job.id for job in jobs}
    try:
        with submission_lock(store):
            matched = _matched(jobs, plan, session, store)
            tariff = _tariff(jobs, checked, session, store)
            for job, fits in matched:
                _note(job, fits, plan, session, store, journal.run_id(), tariff)
        known = known_attempts(store, session.realm)
        wanted = _memory(plan, session)
        open_ones = [known[i] for i in asked if known[i].open]
        troubles = _fetch(open_ones, session, store, tell, wanted)
        derived: dict[StageName, list[str]] = {}
        if any(known[i].intent.stage == StageName.HARDWARE.value for i in asked):
            rows = server_rows(store, plan, StageName.HARDWARE, session.realm)
            derived[StageName.HARDWARE] = derive(store, plan, rows)
        works = {stage: settled_work(plan, stage, session.realm, store) for stage in stages}
        found = {i: one for i, one in known_attempts(store, session.realm).items() if i in asked}
        ended = [_ended(stage, work, found.values(), troubles) for stage, work in works.items()]
        code = _code(found.values(), troubles)
        if jobs:
            for stage, work in works.items():
                used = [(a.job, a.number, a.id) for a in work.attempts()]
                journal.used(stage, session.realm, used, derived.get(stage, ()))
            journal.ended(ended, code)
    except IqmSpecError as error:
        journal.failed(error)
        raise
    except KeyboardInterrupt:
        journal.failed(Interrupted("interrupted"))
        raise
    run = journal.run_id() if jobs else None
    return Imported(run, found, frozenset(asked) - new, tuple(ended), tuple(troubles), code)


def _require_stages(jobs: Iterable[ForeignJob], checked: CheckedSpec) -> None:
    for job in jobs:
        if job.stage not in checked.spec.stages:
            raise Refused(
                f"job {job.id} was sent to {job.computer}; the spec has no {job.stage} stage",
                hint=f"add `{job.stage}` to `stages`: nothing is submitted by an import",
                code="refused.import",
            )


def _matched(
    jobs: Sequence[ForeignJob], plan: Plan, session: Session, store: Store
) -> list[tuple[ForeignJob, list[Candidate]]]:
    """Every job with the points of its circuits; Refused tells of all jobs that do not fit."""
    if not jobs:
        return []
    circuits = circuits_of(store, plan, plan.points)
    listed: dict[StageName, list[Candidate]] = {}
    taken: dict[StageName, set[str]] = {}
    for stage in {job.stage for job in jobs}:
        keys = point_keys(plan, stage, session.realm)
        listed[stage] = candidates(plan.points, keys, circuits)
        held = covering(read_attempts(store, stage, session.realm))
        taken[stage] = {key for key, one in held.items() if not _has_failed(one.parts.values())}
    found, wrong = [], []
    for job in jobs:
        fits, why = match(job, listed[job.stage], plan.header.calibration, taken[job.stage])
        if why:
            wrong.append(f"job {job.id} does not fit the spec: {why}")
        else:
            taken[job.stage] |= {one.key for one in fits}
            found.append((job, fits))
    if wrong:
        raise Refused(
            "; ".join(wrong),
            hint="nothing was imported: every circuit of a job must be a point of the spec, on the "
            "same qubits, with the same shots and options",
            code="refused.import",
        )
    return found


def _has_failed(parts: Iterable[Attempt]) -> bool:
    return all(attempt.phase is Phase.FAILED for attempt in parts)


def _note(
    job: ForeignJob,
    fits: Sequence[Candidate],
    plan: Plan,
    session: Session,
    store: Store,
    run: str,
    tariff: Tariff,
) -> None:
    """A journal as that of a job whose answer was lost, and which was then adopted."""
    points = [fit.point for fit in fits]
    asked = job_to_price_of(job.computer, points, job.shots, points[0].options)
    cost = None if job.stage is StageName.MOCK else tariff.cost(asked)
    mode = plan.header.mode if job.stage is StageName.HARDWARE else Mode.PAY_AS_YOU_GO.value
    ids = [f"{one.key}.0" for one in fits]
    key = job_key(job.stage, session.realm, mode, job.shots, ids)
    journal = store.job(key)
    number = 1 + max((one.number for one in attempts(key, journal.events())), default=0)
    journal.claim("claimed", number)
    journal.add(
        job_intent(
            asked,
            cost,
            attempt=number,
            imported=True,
            run=run,
            plan=plan.digest,
            stage=job.stage.value,
            realm=session.realm,
            emulated=session.emulated,
            target=job.target,
            queue=mode,
            calibration_set_id=job.payload["calibration_set_id"],
            body=store.put_json(dict(job.payload)),
            parts=tuple((one.key, 0) for one in fits),
        )
    )
    journal.add(JobAdopted(number, job.id, event_time()))


def _tariff(
    jobs: Iterable[ForeignJob], checked: CheckedSpec, session: Session, store: Store
) -> Tariff:
    """What the machines' jobs are expected to have cost, for the ledger."""
    machines = list(dict.fromkeys(job.computer for job in jobs if job.stage is StageName.HARDWARE))
    told = ServerInfo(session).prices(machines)
    options = CostOptions()
    sources = sources_of(options, checked.spec.budget, told, session)
    return tariff_of(machines, session.realm, store, options, sources)


def _memory(plan: Plan, session: Session) -> frozenset[str]:
    """Keys of the points whose shots are kept."""
    return keys_with_memory(plan.points, point_keys(plan, StageName.HARDWARE, session.realm))


def _fetch(
    open_ones: Sequence[Attempt],
    session: Session,
    store: Store,
    tell: Tell,
    memory: Collection[str],
) -> list[str]:
    """Store the results of those that have ended; what could not be read comes back in words."""
    from iqm_spec.server_api.jobs import read_job
    from iqm_spec.server_api.retry import IMPORT_SECONDS, READS, Retry

    retry = Retry(READS, tell)
    ended = [a for a in open_ones if read_job(session.connection, a.ids[0], retry).terminal]
    if not ended:
        return []
    deadline = time.monotonic() + IMPORT_SECONDS
    circuits = circuits_of_attempts(store, ended)
    heard = collect(ended, session, store, circuits, deadline, tell, memory)
    return [one.trouble for one in heard if one.trouble]


def _code(found: Iterable[Attempt], troubles: Sequence[str]) -> ExitCode:
    """Of the jobs that were asked for: whether one failed, or is still to come."""
    phases = {attempt.phase for attempt in found}
    codes = {ExitCode.FAILED} if troubles or Phase.FAILED in phases else set()
    codes |= {ExitCode.WAITING} if Phase.SUBMITTED in phases and not troubles else set()
    return next((code for code in MOST_URGENT_FIRST if code in codes), ExitCode.DONE)


def _ended(
    stage: StageName, work: ServerWork, found: Iterable[Attempt], troubles: Sequence[str]
) -> StageDone:
    """How the stage stands: what an import leaves out waits for a run."""
    ours = [attempt for attempt in found if attempt.intent.stage == stage.value]
    failed = [attempt for attempt in ours if attempt.phase is Phase.FAILED]
    complete = all(work.has(index) for index in range(len(work.keys)))
    status = "failed" if failed or troubles else "passed" if complete else "waiting"
    return StageDone(
        stage=stage,
        status=status,
        reasons=tuple(_reasons(work, ours, troubles)),
        jobs=0,
        cached=work.cached,
        points=len(work.keys),
        emulated=any(attempt.intent.emulated for attempt in work.attempts()),
        code=_code(ours, troubles),
    )


def _reasons(work: ServerWork, ours: Sequence[Attempt], troubles: Sequence[str]) -> list[str]:
    points, total = sum(len(attempt.parts) for attempt in ours), len(work.keys)
    told = [f"{count(len(ours), 'job')} imported: {points:,} of {count(total, 'point')}"]
    for attempt in ours:
        if attempt.phase is Phase.FAILED:
            told.append(f"job {attempt.ids[0]} {why_failed(attempt)}")
        elif attempt.open and not troubles:
            told.append(f"still at the server: {attempt.ids[0]}; `iqm-spec resume` fetches it")
    if any(True for _ in work.left()):
        told.append("the other points were not asked for; `iqm-spec run` asks for them")
    return [*told, *troubles]

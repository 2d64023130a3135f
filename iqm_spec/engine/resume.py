"""Resumes an earlier run from the folder alone: no spec file, no circuit file, no generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from iqm_spec.calibration.stored import newest_calibration_set
from iqm_spec.engine.inputs import read_inputs
from iqm_spec.engine.journal import RunJournal
from iqm_spec.engine.run import PASSED, run_stages, server_info
from iqm_spec.engine.saved import SavedRun
from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.model import StageName
from iqm_spec.plan.prediction import todays_placement
from iqm_spec.stages.events import Event, RunDone, StageDone
from iqm_spec.stages.interface import RunInputs, RunOptions, StageContext
from iqm_spec.stages.registry import SERVER_STAGES, STAGES, stage_named
from iqm_spec.stages.server.attempts import Attempt, read_work, settled_work
from iqm_spec.stages.server.server_info import Session
from iqm_spec.stages.server.stored_machines import machines_key, stored_machines
from iqm_spec.store import Store
from iqm_spec.targets import ErrorProfile


def resume(
    saved: SavedRun,
    store: Store,
    options: RunOptions,
    session: Session | None = None,
    why_no_server: str = "",
) -> Iterator[Event]:
    """Run the stages that have not passed.

    Where none is left, nothing is written and the stored verdicts are reported.
    """
    stages = left(saved)
    if not stages:
        for done in passed(saved):
            # what changed since: folders that were merged, say
            news: Sequence[str] = ()
            if saved.server_id is not None:
                news = STAGES[done.stage].news(store, saved.plan, saved.server_id)
            new = [text for text in news if text not in done.reasons]
            yield evolve(done, reasons=(*new, *done.reasons))
        code = saved.state.end.exit or 0
        yield RunDone(run=saved.state.id, again=True, exit_code=code)
        return
    journal = RunJournal(store, saved.state.id)
    context = StageContext(
        plan=saved.plan,
        inputs=RunInputs(
            budget=budget(saved),
            error_profiles=noise(saved, store),
            calibration_sets=calibration_sets(saved, store),
        ),
        options=options,
        store=store,
        journal=journal,
        server=server_info(session, options),
        why_no_server=why_no_server,
    )
    yield from run_stages(stages, context, journal, saved.server_id, passed(saved))


def passed(saved: SavedRun) -> list[StageDone]:
    """The stages at the beginning of a run that passed or were waived."""
    ended = []
    for verdict in saved.stages:
        if verdict.status not in PASSED:
            break
        ended.append(
            StageDone(
                stage=StageName(verdict.stage),
                status=verdict.status,
                reasons=verdict.verdict,
                jobs=verdict.jobs,
                cached=verdict.cached,
                points=verdict.points,
                emulated=verdict.emulated,
                submitted=verdict.submitted,
            )
        )
    return ended


def left(saved: SavedRun) -> tuple[StageName, ...]:
    """The stages of a run that are left to run."""
    names = saved.state.start.wanted
    return tuple(StageName(name) for name in names[len(passed(saved)) :])


def calibration_sets(saved: SavedRun, store: Store) -> dict[str, str | None]:
    """The calibration sets of the run's machines, by alias."""
    if saved.server_id is None:
        return {}
    key = machines_key(saved.plan.header.spec.digest, saved.server_id)
    machines = stored_machines(store, key)
    return {} if machines is None else machines.calibration_sets


def noise(saved: SavedRun, store: Store) -> Mapping[str, ErrorProfile | None] | None:
    """The error profiles of the run's targets; None where they were not stored."""
    digest = saved.state.start.inputs
    return None if digest is None else read_inputs(store, digest).profiles


def budget(saved: SavedRun) -> Mapping[str, Any]:
    """The `budget` of the spec that the run was started with."""
    return saved.state.start.budget or {}


def since(saved: SavedRun, store: Store) -> list[str]:
    """Messages about a run's jobs that its stored verdicts do not have yet."""
    if saved.server_id is None:
        return []
    news: list[str] = []
    for verdict in saved.stages:
        stage = stage_named(verdict.stage)
        if not stage.needs_server or verdict.status == "skipped":
            continue
        reasons = stage.news(store, saved.plan, saved.server_id)
        news += [reason for reason in reasons if reason not in verdict.verdict]
        settled = stage.is_settled(store, saved.plan, saved.server_id)
        if verdict.status == "unknown" and settled:
            news.append(
                f"since then every job of the {stage.name} stage is known: `iqm-spec resume "
                f"{saved.state.id}` goes on"
            )
    return news


def attempts_of(saved: SavedRun, store: Store, *, settle: bool = False) -> list[Attempt]:
    """Every attempt to submit points of a run, superseded and released ones too.

    With `settle`, intents of processes that ended are first marked as unknown.
    """
    if saved.server_id is None:
        raise UsageError(f"run {saved.state.id} went to no server")
    read = settled_work if settle else read_work
    return [
        attempt
        for stage in SERVER_STAGES
        for attempt in read(saved.plan, stage.name, saved.server_id, store).all_attempts
    ]


def calibration_news(saved: SavedRun, store: Store) -> list[str]:
    """What newer calibration sets, as far as the folder has them, mean for a run."""
    news = []
    try:
        planned_sets = calibration_sets(saved, store)
    except (ValueError, StoreCorrupt):
        return []
    for alias, planned in planned_sets.items():
        try:
            newest = newest_calibration_set(store, saved.server_id or "", alias)
            if newest is None or planned is None or newest.id == planned:
                continue
            profile = newest.error_profile()
            today = todays_placement(store, saved.plan, newest.architecture, profile)
        except (ValueError, StoreCorrupt):  # figures that are missing, or damaged
            continue
        when = newest.calibrated_at
        dated = "" if when is None else f" of {when:%Y-%m-%d %H:%M} UTC"
        if today is not None:
            news.append(f"{alias} has a newer calibration set, {newest.id}{dated}; {today.words}")
    return news

"""Checks what came from a server without asking it again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from iqm_spec.canonical import digest
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.plan.build import read_plan
from iqm_spec.plan.circuits import circuits_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.replay.check import Check, Mismatch, check_of, differing, named
from iqm_spec.stages.derived import derived_key, measured_records
from iqm_spec.stages.registry import SERVER_STAGES
from iqm_spec.stages.rows import Row
from iqm_spec.stages.server.attempts import (
    Attempt,
    Phase,
    plan_of,
    point_keys,
    read_attempts,
    read_work,
)
from iqm_spec.stages.server.judge import short_job_key
from iqm_spec.store import Store


def check_measured(store: Store, saved: SavedRun) -> Iterator[Check]:
    """Bodies of jobs, counts and distances of the machine, and what the mock was asked."""
    if saved.realm is None:
        return
    for stage in [stage.name for stage in SERVER_STAGES]:
        if stage.value in saved.plan.header.stages:
            yield from _check_bodies(store, saved, stage, saved.realm)
    rows = [row for row in saved.each_row(store) if row.stage == "hardware" and row.record]
    if rows:
        yield check_of("hardware counts", len(rows), _wrong_counts(rows))
        known = [row for row in rows if row.derived is None or row.comparison]
        left = len(rows) - len(known)
        note = (
            f"counts of {count(left, 'point')} have no distances to check them by" if left else ""
        )
        wrong = _wrong_distances(store, saved, rows)
        yield check_of("hardware distances", len(known), wrong, note)


def _check_bodies(store: Store, saved: SavedRun, stage: StageName, realm: str) -> Iterator[Check]:
    """Each job's request, made again from the plan's circuits, is the one that was sent.

    Jobs that stand for the run's points, and whatever the run itself asked: what failed, waits,
    was refused or given up is checked as what came back.
    """
    every = read_attempts(store, stage, realm)  # those that name no point of the plan too
    asked = [one for one in every if one.intent.run == saved.state.id]
    own_ids = {(one.job, one.number) for one in asked}
    stand = read_work(saved.plan, stage, realm, store).attempts()
    standing = [one for one in stand if (one.job, one.number) not in own_ids]
    found = [one for one in (*standing, *asked) if one.phase is not Phase.CLAIMED]
    own = [one for one in found if not one.intent.imported]
    left = len(found) - len(own)
    note = f"{left} more of a script's: their requests were not made here" if left else ""
    if found:
        yield check_of(f"{stage.value} requests", len(own), _other_bodies(store, own), note)


def _other_bodies(store: Store, own: Sequence[Attempt]) -> Iterator[Mismatch]:
    plans: dict[str, tuple[Plan, dict[str, PlannedPoint]]] = {}
    for attempt in own:
        named_, body = plan_of(attempt), attempt.intent.body
        if named_ not in plans:
            plans[named_] = _with_keys(read_plan(store, named_), attempt)
        plan, points = plans[named_]
        name = attempt.id or short_job_key(attempt)
        if any(key not in points for key, _ in attempt.parts):
            yield Mismatch(f"job {name}", "its circuits are not those of the plan that it names")
        elif digest(json.loads(_request(store, plan, attempt, points))) != body:
            yield Mismatch(f"job {name}", "its request is not that of the plan's circuits")


def _with_keys(plan: Plan, attempt: Attempt) -> tuple[Plan, dict[str, PlannedPoint]]:
    """A plan with its points by their keys at the stage and server of an attempt."""
    keys = point_keys(plan, StageName(attempt.intent.stage), attempt.intent.realm)
    points: dict[str, PlannedPoint] = {}
    for key, point in zip(keys, plan.points, strict=True):
        points.setdefault(key, point)  # of those that ask the same, the first was sent
    return plan, points


def _request(
    store: Store, plan: Plan, attempt: Attempt, by_key: Mapping[str, PlannedPoint]
) -> bytes:
    from iqm_spec.server_api.payload import job_body

    intent = attempt.intent
    points = [by_key[key] for key, _ in attempt.parts]
    circuits = circuits_of(store, plan, points)
    pairs = [(point.name, circuits[point.circuit_key]) for point in points]
    return job_body(pairs, intent.shots, intent.calibration_set_id, points[0].options)


def _wrong_counts(rows: Sequence[Row]) -> Iterator[Mismatch]:
    for row in rows:
        counts, returned = row.counts, row.record.shots_returned if row.record else 0
        if sum(counts.values()) != returned:
            yield Mismatch(
                named(row.point, row.stage),
                f"its counts add up to {sum(counts.values())}, and {returned} shots were returned",
            )


def _wrong_distances(store: Store, saved: SavedRun, rows: Sequence[Row]) -> Iterator[Mismatch]:
    counted = [
        (derived_key(row.sources), row.point.circuit_key, row.counts)
        for row in rows
        if row.record is not None
    ]
    made = measured_records(store, saved.plan, counted)
    for row, line in zip(rows, made, strict=True):
        if row.derived is None:
            yield Mismatch(named(row.point, row.stage), "its distances are not in the folder")
        elif wrong := differing(row.derived, line):
            told = " and ".join(wrong)
            yield Mismatch(named(row.point, row.stage), f"{told} came out otherwise")

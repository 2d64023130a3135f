"""Simulates a run's points again, from its stored plan, circuits and noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field

from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.replay.check import (
    Mismatch,
    ReplayCheck,
    check_of,
    differing,
    mismatch_of,
    named,
)
from iqm_spec.stages.aer import AerOutcome, run_jobs
from iqm_spec.stages.aer.stage import jobs_of, simulated_record, simulations_of
from iqm_spec.stages.derived import derived_record
from iqm_spec.stages.keys import aer_key, installed_simulator
from iqm_spec.statistics.significance import compare_counts, holm
from iqm_spec.store import Store
from iqm_spec.store.objects import Environment
from iqm_spec.store.records import AER_DERIVED, AER_RECORDS
from iqm_spec.targets import ErrorProfile

SIGNIFICANT = 0.001
"""Corrected p-values below this are not explained by other random numbers."""

Profiles = Mapping[str, ErrorProfile | None]
Tell = Callable[[int, int], None]
"""Called with the number of finished points and their total."""


@define
class _Differences:
    """Differences between stored and new results, so far."""

    changed: str
    """Versions and platform that differ from those of the run, in words; empty if none do."""
    ended: bool
    """Whether the stage has a verdict, so that nothing should be missing."""
    left: int = 0
    """Number of points that the run did not reach."""
    records: list[Mismatch] = field(factory=list)
    derived: list[Mismatch] = field(factory=list)
    others: list[tuple[str, float]] = field(factory=list)
    """Points whose counts differ, with other versions, and their p-values."""


def repeat_aer(
    store: Store, saved: SavedRun, profiles: Profiles, workers: int, tell: Tell
) -> list[ReplayCheck]:
    """Check the simulated records and their distances.

    With the versions and platform of the run, counts must be equal bit for bit. Otherwise,
    different counts are compared as samples of one distribution.
    """
    plan = saved.plan
    keyed: dict[str, PlannedPoint] = {}
    for point in plan.points:
        keyed.setdefault(aer_key(plan, point, saved.simulator), point)
    differences = _Differences(changed_since(store, saved), "aer" in saved.judged)
    simulations = simulations_of(store, plan, jobs_of(keyed), profiles)
    done = 0
    for _, outcomes in run_jobs(simulations, workers):
        _compare(store, keyed, outcomes, differences)
        done += len(outcomes)
        tell(done, len(keyed))
    others, left = differences.others, differences.left
    corrected = holm([p for _, p in others])
    unlikely = [
        Mismatch(what, f"its counts have another distribution (p = {p:.2g}, corrected)")
        for (what, _), p in zip(others, corrected, strict=True)
        if p < SIGNIFICANT
    ]
    return [
        check_of(
            "Aer records",
            len(keyed) - left,
            [*differences.records, *unlikely],
            _note(differences),
            loose=len(others) - len(unlikely),
        ),
        check_of("Aer distances", len(keyed) - len(others) - left, differences.derived),
    ]


def check_noise(plan: Plan, profiles: Profiles) -> ReplayCheck:
    """Compare the stored error profiles with the digests in the plan."""
    wrong = []
    for alias, digest in plan.header.noise.items():
        profile = profiles.get(alias)
        if (None if profile is None else profile.digest) != digest:
            why = "the stored error profile does not match the plan"
            wrong.append(Mismatch(f"noise of {alias}", why))
    return check_of("error profiles", len(plan.header.noise), wrong)


def changed_since(store: Store, saved: SavedRun) -> str:
    """Which versions and platform differ from those of the run, in words; empty if none do."""
    from iqm_spec.engine.inputs import environment

    then, now = saved.environment(store), environment()
    simulator, installed = saved.simulator, installed_simulator()
    changes = [
        f"{name} {was} then, {now.versions.get(name)} now"
        for name, was in saved.versions(store).items()
        if name in _DECIDES and was != now.versions.get(name)
    ]
    if then is not None and then.platform != now.platform:
        changes.append(f"{_platform(then)} then, {_platform(now)} now")
    if simulator.way != installed.way:
        changes.append(f"way of simulating {simulator.way} then, {installed.way} now")
    return "; ".join(changes)


_DECIDES = ("numpy", "qiskit", "qiskit-aer")
"""Packages that counts depend on."""


def _platform(environment: Environment) -> str:
    return f"{environment.platform.system} on {environment.platform.machine}"


def _compare(
    store: Store,
    keyed: Mapping[str, PlannedPoint],
    outcomes: list[AerOutcome],
    differences: _Differences,
) -> None:
    keys = [outcome.key for outcome in outcomes]
    records, derived = store.find(AER_RECORDS, keys), store.find(AER_DERIVED, keys)
    for outcome in outcomes:
        what = named(keyed[outcome.key], "aer")
        stored = records.get(outcome.key)
        if stored is None:
            if differences.ended:
                differences.records.append(Mismatch(what, "its record is missing"))
            else:
                differences.left += 1
            continue
        fields = differing(stored.record, simulated_record(outcome))
        if "counts" in fields and differences.changed:
            p = compare_counts(stored.record.counts, outcome.counts).p_value
            differences.others.append((what, p))
            continue
        if fields:
            differences.records.append(mismatch_of(what, fields))
        line = derived.get(outcome.key)
        if line is None:
            differences.derived.append(Mismatch(what, "its distances are missing"))
            continue
        made = derived_record(outcome.key, outcome.ideal, outcome.comparison, outcome.why_no_ideal)
        if fields := differing(line.record, made):
            differences.derived.append(mismatch_of(what, fields))


def _note(differences: _Differences) -> str:
    others, left, notes = len(differences.others), differences.left, []
    if differences.changed:
        agreement = (
            f"{others:,} have other counts, compared as samples of one distribution"
            if others
            else "all agree, although versions differ"
        )
        notes.append(f"{agreement}: {differences.changed}")
    if left:
        notes.append(f"the run did not reach {count(left, 'point')}")
    return "; ".join(notes)

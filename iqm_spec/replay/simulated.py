"""Simulates a run's points again, from its plan, circuits and noise as the folder has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import define, field

from iqm_spec.engine.saved import SavedRun
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.replay.check import Mismatch, ReplayCheck, check_of, differing, named
from iqm_spec.stages.aer import AerOutcome, run_jobs
from iqm_spec.stages.aer.stage import jobs_of, simulated_record, simulations_of
from iqm_spec.stages.derived import derived_record
from iqm_spec.stages.keys import aer_key, installed_simulator
from iqm_spec.statistics.significance import compare_counts, holm
from iqm_spec.store import Store
from iqm_spec.store.objects import Environment
from iqm_spec.store.records import AER_DERIVED, AER_RECORDS, DerivedRecord
from iqm_spec.targets import ErrorProfile

SIGNIFICANT = 0.001
"""Corrected p-values below this cannot be laid to other random numbers."""

Profiles = Mapping[str, ErrorProfile | None]
Tell = Callable[[int, int], None]
"""Hears how many points are done, of how many."""


@define
class _Found:
    """What came out otherwise, so far."""

    changed: str
    """What is not as it was when the run was made, in words; empty where all is."""
    ended: bool
    """Whether the stage came to a verdict, so that nothing should be missing."""
    left: int = 0
    """Points that the run did not get to."""
    records: list[Mismatch] = field(factory=list)
    derived: list[Mismatch] = field(factory=list)
    others: list[tuple[str, float]] = field(factory=list)
    """Points with other counts under other versions, and how likely these are by chance."""


def repeat_aer(
    store: Store, saved: SavedRun, profiles: Profiles, workers: int, tell: Tell
) -> list[ReplayCheck]:
    """Checks of the records and of what is derived from them.

    Bit for bit where versions and platform are those of the run. Where they are not, other counts
    are compared as samples of one distribution.
    """
    plan = saved.plan
    keyed = _keyed(plan, saved)
    found = _Found(changed_since(store, saved), "aer" in saved.judged)
    jobs = jobs_of(keyed)
    asked = simulations_of(store, plan, jobs, profiles)
    done = 0
    for _, outcomes in run_jobs(asked, workers):
        _compare(store, keyed, outcomes, found)
        done += len(outcomes)
        tell(done, len(keyed))
    return [
        _records(len(keyed), found),
        check_of("Aer distances", len(keyed) - len(found.others) - found.left, found.derived),
    ]


def _records(total: int, found: _Found) -> ReplayCheck:
    unlikely = _unlikely(found)
    loose = len(found.others) - len(unlikely)
    wrong = [*found.records, *unlikely]
    return check_of("Aer records", total - found.left, wrong, _note(found), loose)


def check_noise(plan: Plan, profiles: Profiles) -> ReplayCheck:
    """The stored error profiles are those that the plan names."""
    named_ = plan.header.noise
    wrong = [
        Mismatch(f"noise of {alias}", "the stored error profile is not the one the plan names")
        for alias, digest in named_.items()
        if _digest(profiles.get(alias)) != digest
    ]
    return check_of("error profiles", len(named_), wrong)


def changed_since(store: Store, saved: SavedRun) -> str:
    """Which versions and platform differ from those of the run, in words; empty where none."""
    from iqm_spec.engine.inputs import environment

    then, now = saved.environment(store), environment()
    simulator, installed = saved.simulator, installed_simulator()
    told = [
        f"{name} {was} then, {now.versions.get(name)} now"
        for name, was in saved.versions(store).items()
        if name in _DECIDES and was != now.versions.get(name)
    ]
    if then is not None and then.platform != now.platform:
        told.append(f"{_platform(then)} then, {_platform(now)} now")
    if simulator.way != installed.way:
        told.append(f"way of simulating {simulator.way} then, {installed.way} now")
    return "; ".join(told)


_DECIDES = ("numpy", "qiskit", "qiskit-aer")
"""Packages that counts depend on."""


def _platform(environment: Environment) -> str:
    return f"{environment.platform.system} on {environment.platform.machine}"


def _digest(profile: ErrorProfile | None) -> str | None:
    return None if profile is None else profile.digest


def _keyed(plan: Plan, saved: SavedRun) -> dict[str, PlannedPoint]:
    keyed: dict[str, PlannedPoint] = {}
    for point in plan.points:
        keyed.setdefault(aer_key(plan, point, saved.simulator), point)
    return keyed


def _compare(
    store: Store, keyed: Mapping[str, PlannedPoint], outcomes: list[AerOutcome], found: _Found
) -> None:
    keys = [outcome.key for outcome in outcomes]
    records, derived = store.find(AER_RECORDS, keys), store.find(AER_DERIVED, keys)
    for outcome in outcomes:
        what = named(keyed[outcome.key], "aer")
        held = records.get(outcome.key)
        if held is None:
            if found.ended:
                found.records.append(Mismatch(what, "its record is not in the folder"))
            else:
                found.left += 1
            continue
        wrong = differing(held.record, simulated_record(outcome))
        if "counts" in wrong and found.changed:
            p = compare_counts(held.record.counts, outcome.counts).p_value
            found.others.append((what, p))
            continue
        if wrong:
            found.records.append(Mismatch(what, f"{_and(wrong)} came out otherwise"))
        more = derived.get(outcome.key)
        found.derived += _derived(what, more.record if more else None, outcome)


def _derived(what: str, stored: DerivedRecord | None, outcome: AerOutcome) -> Iterator[Mismatch]:
    if stored is None:
        yield Mismatch(what, "its distances are not in the folder")
        return
    made = derived_record(outcome.key, outcome.ideal, outcome.comparison, outcome.why_no_ideal)
    if wrong := differing(stored, made):
        yield Mismatch(what, f"{_and(wrong)} came out otherwise")


def _unlikely(found: _Found) -> list[Mismatch]:
    corrected = holm([p for _, p in found.others])
    return [
        Mismatch(what, f"its counts are of another distribution (p = {p:.2g}, corrected)")
        for (what, _), p in zip(found.others, corrected, strict=True)
        if p < SIGNIFICANT
    ]


def _note(found: _Found) -> str:
    notes = [_of_versions(found)]
    notes += [f"the run did not get to {count(found.left, 'point')}"] if found.left else []
    return "; ".join(note for note in notes if note)


def _of_versions(found: _Found) -> str:
    if not found.changed:
        return ""
    if not found.others:
        return f"as they were, though {found.changed}"
    return (
        f"{len(found.others):,} have other counts, compared as samples of one distribution: "
        f"{found.changed}"
    )


def _and(names: list[str]) -> str:
    return " and ".join(names)

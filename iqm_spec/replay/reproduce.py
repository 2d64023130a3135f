"""All checks of one run, in the order in which each makes sense of the next."""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.engine.inputs import read_inputs
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.plan.plan import Plan
from iqm_spec.replay.check import Mismatch, ReplayCheck
from iqm_spec.replay.measured import check_measured, check_told
from iqm_spec.replay.simulated import Profiles, Tell, check_noise, repeat_aer
from iqm_spec.replay.stored import (
    check_analyses,
    check_circuits,
    check_simulated_shots,
    check_spec,
    check_verdict,
)
from iqm_spec.store import Store, verify
from iqm_spec.targets import error_profile, known_targets


def reproduce(
    store: Store, saved: SavedRun, workers: int = 1, tell: Tell = lambda done, total: None
) -> Iterator[ReplayCheck]:
    """Checks of a stored run, from its folder alone: nothing is asked of a server or written.

    Files first; where one is damaged nothing else is looked at. Then circuits, simulated counts,
    measured ones and verdicts.
    """
    files = _check_files(store)
    yield files
    if files.mismatches:
        return
    if spec := check_spec(store, saved):
        yield spec
    yield check_circuits(store, saved.plan)
    if StageName.AER.value in saved.state.start.wanted:
        profiles = _profiles(store, saved)
        noise = check_noise(saved.plan, profiles)
        yield noise
        if not noise.mismatches:
            yield from repeat_aer(store, saved, profiles, workers, tell)
        if shots := check_simulated_shots(store, saved):
            yield shots
    yield from check_measured(store, saved)
    yield check_told(store, saved)
    if verdict := check_verdict(store, saved):
        yield verdict
    if analyses := check_analyses(store, saved):
        yield analyses


def _check_files(store: Store) -> ReplayCheck:
    found = verify(store)
    wrong = tuple(Mismatch(item.path, f"{item.code}: {item.message}") for item in found.problems)
    return ReplayCheck("files", found.checked, wrong)


def _profiles(store: Store, saved: SavedRun) -> Profiles:
    """Those that the run kept; of a run that kept none, those of this version that it named."""
    inputs = saved.state.start.inputs
    if inputs is not None:
        return read_inputs(store, inputs).profiles
    return _built_in(saved.plan)


def _built_in(plan: Plan) -> Profiles:
    noise = plan.header.noise
    return {
        alias: None if digest is None or alias not in known_targets() else error_profile(alias)
        for alias, digest in noise.items()
    }

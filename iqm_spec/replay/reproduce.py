"""All checks of a run, in order: each relies on the checks before it."""

from __future__ import annotations

from collections.abc import Iterator

from iqm_spec.engine.inputs import read_inputs
from iqm_spec.engine.saved import SavedRun
from iqm_spec.model import StageName
from iqm_spec.replay.check import Mismatch, ReplayCheck, check_of
from iqm_spec.replay.measured import check_journals, check_measured
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
    """Check a stored run from its folder alone. Contacts no server and writes nothing.

    Files come first; if one is damaged, nothing else is checked. Then spec, circuits, simulated
    and measured counts, journals, verdicts and analyses. `tell` is called with the number of
    simulated points and their total.
    """
    verification = verify(store)
    mismatches = [
        Mismatch(item.path, f"{item.code}: {item.message}") for item in verification.problems
    ]
    yield check_of("files", verification.checked, mismatches)
    if mismatches:
        return
    if spec := check_spec(store, saved):
        yield spec
    yield check_circuits(store, saved.plan)
    if StageName.AER.value in saved.state.start.wanted:
        inputs = saved.state.start.inputs
        profiles: Profiles
        if inputs is not None:
            profiles = read_inputs(store, inputs).profiles
        else:  # the built-in ones that the plan names
            profiles = {
                alias: error_profile(alias) if digest and alias in known_targets() else None
                for alias, digest in saved.plan.header.noise.items()
            }
        noise = check_noise(saved.plan, profiles)
        yield noise
        if not noise.mismatches:
            yield from repeat_aer(store, saved, profiles, workers, tell)
        if shots := check_simulated_shots(store, saved):
            yield shots
    yield from check_measured(store, saved)
    yield check_journals(store, saved)
    if verdict := check_verdict(store, saved):
        yield verdict
    if analyses := check_analyses(store, saved):
        yield analyses

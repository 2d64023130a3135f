"""Faults at every step of a run at a server: nothing is paid twice, nothing is lost.

Some of the scenarios of `python -m tools.make_fault_table`: every step, every class of fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench
from tests.faults.matrix import STEPS, Scenario, scenarios
from tests.faults.play import play

pytestmark = pytest.mark.slow

PLAYED = {
    "SIGKILL": ("claimed", "intended", "posting", "answered", "waiting", "storing", "mock"),
    "SIGTERM": ("posting", "waiting"),
    "SIGINT": ("answered",),
    "ENOSPC": ("answered",),
    "EIO": ("claimed", "fetching"),
    "drop-before": ("posting",),
    "drop-after": ("posting", "mock"),
    "garbage with 200": ("posting",),
    "slower than the timeout": ("posting",),
    "502 HTML": ("reading", "waiting"),
    "520 HTML, processed": ("posting",),
    "429": ("posting",),
    "401": ("waiting",),
    "403 credits": ("posting",),
    "422": ("mock",),
    "errors: null": ("waiting",),
    "job-failed": ("waiting",),
    "no server": ("intended",),
    "server restarts": ("posting",),
    "two processes": ("claimed", "answered"),
    "a copied folder": ("intended", "fetching"),
}
"""Steps by fault."""


def played() -> list[Scenario]:
    return [one for one in scenarios() if one.step in PLAYED.get(one.fault, ())]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("scenario", played(), ids=lambda one: one.id)
def test_nothing_is_paid_twice_or_lost(scenario: Scenario, bench: Bench, tmp_path: Path) -> None:
    outcome = play(scenario, bench, tmp_path / "scene")
    assert not outcome.broken
    assert outcome.accepted >= 2
    assert outcome.lost == 0
    assert outcome.twice == scenario.twice


def test_the_choice_covers_every_step() -> None:
    assert {one.step for one in played()} == set(STEPS)
    assert len(played()) == sum(map(len, PLAYED.values()))


def test_a_run_is_carried_on_by_resume(tmp_path: Path) -> None:
    (scenario,) = [one for one in scenarios() if one.id == "SIGKILL-waiting"]
    with Bench(tmp_path / "bench", resumes=True, spawn=True) as bench:
        outcome = play(scenario, bench, tmp_path / "scene")
    assert not outcome.broken
    assert outcome.repairs == [("resume", 0)]

"""No answer of a server ends a command in a bug, a hang or a lost job: a short search.

The seed is the same every time, so that a rare find stops nobody else's work: `python -m
tests.answers` searches on, with a seed of its own, and repeats a trial by seed and number.
IQM_SPEC_ANSWERS sets the number of trials here, IQM_SPEC_ANSWERS_SEED the seed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from tests.answers.proxy import Change
from tests.answers.scenes import SCENES, Outcome, Stage, Trial, trial
from tests.forks import may_fork

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not may_fork(), reason="commands in a hurry are forked"),
]

TRIALS = int(os.environ.get("IQM_SPEC_ANSWERS") or 2 * len(SCENES))
SEED = int(os.environ.get("IQM_SPEC_ANSWERS_SEED") or 8)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("answers")) as made:
        yield made


def test_any_answer_is_borne(stage: Stage) -> None:
    print(f"python -m tests.answers --seed {SEED} --trials {TRIALS}")
    outcomes = [stage.play(trial(SEED, number)) for number in range(TRIALS)]
    broken = [str(outcome) for outcome in outcomes if outcome.broken]
    assert not broken, f"seed {SEED}:\n" + "\n".join(broken)
    assert sum(1 for outcome in outcomes if outcome.changed) > TRIALS // 2


def _without_shots(body: bytes) -> bytes:
    told = json.loads(body)
    if "counts" in told[0]:
        return json.dumps([{**one, "counts": {}} for one in told]).encode()
    return json.dumps([{key: [] for key in one} for one in told]).encode()


def _with_too_many(body: bytes) -> bytes:
    return json.dumps([{**one, "counts": {"00": 10**15}} for one in json.loads(body)]).encode()


def codes(outcome: Outcome) -> list[tuple[str, int]]:
    assert not outcome.broken, outcome
    return [(name, code) for name, code, _ in outcome.commands]


READ = [("export", 0), ("report", 0), ("status", 0)]


@pytest.mark.parametrize(
    ("scene", "call"),
    [("resume", "counts"), ("resume-shots", "measurements"), ("import", "counts")],
)
def test_a_job_without_a_single_shot(scene: str, call: str, stage: Stage) -> None:
    chosen = Trial(
        10_000 + list(SCENES).index(scene), scene, Change(call, 0, rewrite=_without_shots)
    )
    found = codes(stage.play(chosen))
    name = scene.partition("-")[0]
    # nothing is there to be analysed
    assert found == [(name, 0), (name, 0), *READ, ("analyze", 2), ("reproduce", 0), ("verify", 0)]


def test_a_job_that_is_read_at_the_second_import_has_its_distances(stage: Stage) -> None:
    chosen = Trial(20_000, "import", Change("counts", 0, rewrite=_with_too_many))
    found = codes(stage.play(chosen))
    rest = [("analyze", 0), ("reproduce", 0), ("verify", 0)]
    assert found == [("import", 5), ("import", 0), *READ, *rest]

"""No answer of a server ends a command in a bug, a hang or a lost job: a short random search.

`python -m tests.answers` searches for longer, and repeats a trial by seed and number.
IQM_SPEC_ANSWERS sets the number of trials, IQM_SPEC_ANSWERS_SEED the seed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.answers.scenes import SCENES, Stage, trial
from tests.forks import may_fork

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not may_fork(), reason="commands in a hurry are forked"),
]

TRIALS = int(os.environ.get("IQM_SPEC_ANSWERS") or 4 * len(SCENES))
SEED = int(os.environ.get("IQM_SPEC_ANSWERS_SEED") or random.SystemRandom().randrange(10**6))


def test_any_answer_is_borne(tmp_path: Path) -> None:
    print(f"python -m tests.answers --seed {SEED} --trials {TRIALS}")
    with Stage(tmp_path) as stage:
        outcomes = [stage.play(trial(SEED, number)) for number in range(TRIALS)]
    broken = [str(outcome) for outcome in outcomes if outcome.broken]
    assert not broken, f"seed {SEED}:\n" + "\n".join(broken)
    assert sum(1 for outcome in outcomes if outcome.changed) > TRIALS // 2

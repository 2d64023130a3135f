"""Search for answers that the command line cannot bear.

    python -m tests.answers [--seed S] [--first N] [--trials N] [--scene NAME] [--keep DIR]

Plays trials number N, N + 1, ... of a seed and tells of every one that breaks a law; the same seed
and number give the same trial. With `--keep` folders of broken trials stay in DIR.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.answers.scenes import SCENES, Stage, trial


def main() -> int:
    """Exit code 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.answers", description=__doc__)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--scene", choices=list(SCENES))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    played, broken, changed = Counter[str](), 0, 0
    begun = time.monotonic()
    with TemporaryDirectory() as folder, Stage(given.keep or Path(folder)) as stage:
        for number in range(given.first, given.first + given.trials):
            chosen = trial(given.seed, number)
            if given.scene not in (None, chosen.scene):
                continue
            outcome = stage.play(chosen)
            played[chosen.scene] += 1
            broken += bool(outcome.broken)
            changed += bool(outcome.changed)
            if outcome.broken or given.verbose:
                print(outcome, flush=True)
    seconds = time.monotonic() - begun
    print(f"{played.total()} trials in {seconds:.0f} s: {changed} with changed answers, ", end="")
    print(f"{broken} broke a law; by scene {dict(played)}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())

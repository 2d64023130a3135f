"""What the check of transpiled circuits costs of a first run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tools.bench.report import Line, Section, at_most
from tools.bench.rounds import ROOT, Run, measure, script

ROUNDS = 5
SPECS = ("ghz", "qaoa", "mirror")


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """Experiments of the repository, run up to the Aer stage in an empty folder."""

    def first_run(name: str) -> Run:
        results = folder / name
        shutil.rmtree(results, ignore_errors=True)
        return script("check_share.py", str(ROOT / "experiments" / f"{name}.yaml"), str(results))()

    sides = {name: lambda name=name: first_run(name) for name in SPECS}
    found = measure(sides, SPECS[0], rounds or ROUNDS, tell)
    lines: list[Line] = []
    for name in SPECS:
        share = found.ratio(lambda run, n=name: run[n].told["check"] / run[n].told["run"])  # type: ignore[misc]
        seconds = found.ratio(lambda run, n=name: run[n].told["check"])  # type: ignore[misc]
        reach = found.runs[name][0].told["reach"]
        told = f"{reach['agreed']} circuits in {seconds.median * 1000:.0f} ms"
        lines.append(at_most(f"{name}.yaml, share of the run", share, 0.05, None, told))
    words = (
        "The first run of an experiment up to its Aer stage, without start-up, and the share of "
        "the comparison of circuits with an independent reading of their source "
        "([transpiling.md](transpiling.md))."
    )
    return Section("The check of circuits", words, lines)

"""100,000 points: checked, planned, run; and a million expanded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tools.bench import specs
from tools.bench.report import Line, Section, at_most
from tools.bench.rounds import Ratio, Side, iqm_spec, measure, process, script

MANY = 100_000
_SMALL, _CHECK, _PLAN, _PLAN_SMALL = "validate 1", "validate", "plan", "plan 1"


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """Seconds over start-up, and memory."""
    big = specs.ansatz(folder, MANY, noise="ideal")
    small = specs.ansatz(folder, 1, noise="ideal")
    dry = ("--dry-run", "--results", folder / "none")
    sides: dict[str, Side] = {
        _SMALL: lambda: process(*iqm_spec("validate", small)),
        _CHECK: lambda: process(*iqm_spec("validate", big)),
        _PLAN_SMALL: lambda: process(*iqm_spec("run", small, *dry)),
        _PLAN: lambda: process(*iqm_spec("run", big, *dry)),
    }
    found = measure(sides, _SMALL, rounds or 3, tell)
    check = found.ratio(lambda run: run[_CHECK].seconds - run[_SMALL].seconds)
    plan = found.ratio(lambda run: run[_PLAN].seconds - run[_PLAN_SMALL].seconds)
    tell("a run of all points")
    shutil.rmtree(folder / "many", ignore_errors=True)
    whole = process(*iqm_spec("run", big, "--results", folder / "many", "-j", "2"))
    files = sum(1 for path in (folder / "many").rglob("*") if path.is_file())
    million = script("expand.py", "1000000")()
    lines = [
        at_most("100,000 points validated and expanded, s over start-up", check, 1.5, None),
        at_most("100,000 points planned (dry run), s over start-up", plan, 30, None),
        _one("a run of 100,000 ideal points, peak memory in GiB", whole.peak_bytes / 2**30, 1.5),
        Line("the same, seconds with `-j 2`", f"{whole.seconds:.0f}"),
        Line("the same, files in the folder", f"{files:,}", "few", files < 10_000),
        _one("1,000,000 points expanded, growth in MiB", million.told["bytes"] / 2**20, 100),
        Line("the same, seconds", f"{million.told['work']:.1f}"),
    ]
    words = (
        "A 5-qubit ansatz swept over its angle, 1,000 shots. Memory is the sum over all processes."
    )
    return Section("Planning and memory", words, lines)


def _one(what: str, value: float, goal: float) -> Line:
    return at_most(what, Ratio(value, value, value), goal, None)

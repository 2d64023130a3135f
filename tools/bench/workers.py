"""Two workers beside two processes that share nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tools.bench import specs
from tools.bench.report import Line, Section, at_least, same
from tools.bench.rounds import Run, Side, iqm_spec, measure, process
from tools.bench.sweeps import fresh

ROUNDS = 3
POINTS = 40
_TWO, _APART, _START = "-j 2", "two processes", "one point"


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """10 noisy qubits."""
    whole = specs.ansatz(folder, POINTS, qubits=10)
    half = specs.ansatz(folder, POINTS // 2, qubits=10)
    small = specs.ansatz(folder, 1)
    sides: dict[str, Side] = {
        _TWO: fresh_two(whole, folder),
        _APART: lambda: _apart(half, folder),
        _START: fresh(small, folder),
    }
    found = measure(sides, _APART, rounds or ROUNDS, tell)
    ratio = found.ratio(
        lambda run: (
            (run[_APART].seconds - run[_START].seconds) / (run[_TWO].seconds - run[_START].seconds)
        )
    )
    seconds = found.ratio(lambda run: run[_TWO].seconds)
    lines = [
        at_least(
            f"{POINTS} noisy points of 10 qubits",
            ratio,
            0.85,
            same(found, _APART),
            f"-j 2: {seconds.median:.1f} s",
        ),
        Line("records of `-j 1` and `-j 2`", _equal(whole, folder), "identical"),
    ]
    words = (
        "`-j 2` compared with two simultaneous runs of half the points each, in separate folders: "
        "the share of the machine's capacity that two workers reach. Start-up is subtracted from "
        "both."
    )
    return Section("Workers", words, lines)


def fresh_two(spec: Path, folder: Path) -> Side:
    def side() -> Run:
        shutil.rmtree(folder / "two", ignore_errors=True)
        return process(*iqm_spec("run", spec, "--results", folder / "two", "-j", "2"))

    return side


def _apart(spec: Path, folder: Path) -> Run:
    commands = []
    for name in ("left", "right"):
        shutil.rmtree(folder / name, ignore_errors=True)
        commands.append(iqm_spec("run", spec, "--results", folder / name, "-j", "1"))
    start = time.perf_counter()
    none = subprocess.DEVNULL
    both = [subprocess.Popen(list(map(str, one)), stdout=none, stderr=none) for one in commands]
    if any(child.wait() for child in both):
        raise SystemExit("a run failed")
    return Run(time.perf_counter() - start, 0, {})


def _equal(spec: Path, folder: Path) -> str:
    """Whether the records' packs have the same names, which are their digests."""
    names = []
    for workers in ("1", "2"):
        results = folder / f"equal{workers}"
        process(*iqm_spec("run", spec, "--results", results, "-j", workers))
        names.append({path.name for path in (results / "objects").glob("*/*.jsonl")})
    return "identical" if names[0] == names[1] else f"different in {len(names[0] ^ names[1])} files"

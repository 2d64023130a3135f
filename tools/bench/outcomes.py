"""Memory and time of a point with very many different outcomes: its run, its analysis, its export.

python -m tools.bench.outcomes [--tree CHECKOUT] [OUTCOMES ...] measures another checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from tools.bench.report import Line, Section
from tools.bench.rounds import ROOT, SCRIPTS

SIZES = (10_000, 100_000, 1_000_000)
_SPEC = """\
iqm_spec: 1
name: many-outcomes
target: garnet
stages: [hardware]
shots: {shots}
require: {{mock: {{waived: its random bits are of no use here}}}}
circuits:
  - generator: hardware_efficient
    args: {{num_qubits: 20, reps: 1}}
"""
_COMMANDS = {
    "run": (),
    "analyze": ("analyze",),
    "report": ("report",),
    "verify": ("verify",),
    "export to CSV": ("export", "--format", "csv", "-o", "counts.csv"),
    "export to JSON": ("export", "--format", "json", "-o", "counts.json"),
}
_BEFORE = {
    ("run", 10_000): 356,
    ("run", 100_000): 1362,
    ("run", 1_000_000): 11_202,
    ("analyze", 10_000): 278,
    ("analyze", 100_000): 2368,
    ("report", 100_000): 2370,
    ("verify", 100_000): 85,
    ("export to CSV", 100_000): 109,
    ("export to JSON", 100_000): 82,
}
"""MiB at commit c67bb8f, when a resample of all outcomes, 1,000 times, was one matrix.

`analyze` of a million is not among them: it would fill a machine of 24 GiB."""

_MOST_EACH = 350
"""Goal for `run` and `analyze`: bytes per outcome from 100,000 to 1,000,000 of them.

The counts take 150 of them: 80 for a string of 20 bits, 40 to 70 for its place in a dictionary.
"""


@frozen
class _Peak:
    mib: float
    seconds: float


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """Peak memory by command and number of outcomes; one run each."""
    found = {size: measured(folder / str(size), ROOT, size, tell) for size in SIZES}
    lines = []
    for command in _COMMANDS:
        for size in SIZES:
            peak, before = found[size][command], _BEFORE.get((command, size))
            told = "" if before is None else f"before: {before:,} MiB"
            figure = f"{peak.mib:,.0f} MiB, {peak.seconds:.1f} s"
            lines.append(Line(f"{command}, {size:,} outcomes", figure, told=told))
        few, many = found[SIZES[-2]][command], found[SIZES[-1]][command]
        each = (many.mib - few.mib) * 2**20 / (SIZES[-1] - SIZES[-2])
        judged = command in ("run", "analyze")
        goal = f"≤ {_MOST_EACH}" if judged else ""
        lines.append(
            Line(
                f"{command}, bytes per additional outcome",
                f"{each:.0f}",
                goal,
                each <= _MOST_EACH if judged else None,
            )
        )
    words = (
        "A 20-qubit circuit whose counts come from a server (`tools/bench/scripts/"
        "outcomes_server.py`) as this many different outcomes, most of them seen once: the peak "
        "memory of the command's process and its wall time; `run` also waits for the server. Of "
        "the bytes per outcome, the counts take 150, and the ideal probabilities the same. "
        "`before` is commit c67bb8f; `python -m tools.bench.outcomes --tree CHECKOUT` measures "
        "another checkout."
    )
    return Section("Many outcomes", words, lines)


def measured(folder: Path, tree: Path, size: int, tell: Callable[[str], None]) -> dict[str, _Peak]:
    """Each command's peak in a fresh results folder."""
    folder.mkdir(parents=True)
    spec = folder / "spec.yaml"
    spec.write_text(_SPEC.format(shots=2 * size), encoding="utf-8")
    server = [sys.executable, str(SCRIPTS / "outcomes_server.py"), str(size)]
    own = {**os.environ, "PYTHONPATH": str(ROOT), "IQM_TOKEN": "any"}
    results = ("--results", str(folder / "results"))
    found = {}
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True, env=own) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            run = ("run", str(spec), "--server", url, "--yes", *results)
            found["run"] = _peak(run, tree, folder)
        finally:
            process.terminate()
    for name, command in _COMMANDS.items():
        if command:
            found[name] = _peak((*command, *results), tree, folder)
        tell(f"{size:,} outcomes: {name} {found[name].mib:,.0f} MiB, {found[name].seconds:.1f} s")
    return found


def _peak(command: Sequence[str], tree: Path, folder: Path) -> _Peak:
    """The highest memory of one process, as the kernel tells it."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "IQM_TOKEN": "any"}
    line = [sys.executable, "-m", "iqm_spec", *command]
    start = time.perf_counter()
    with (folder / "out").open("w") as out:
        child = subprocess.Popen(line, stdout=out, stderr=out, env=environment, cwd=folder)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        text = (folder / "out").read_text(encoding="utf-8")[-2000:]
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{text}")
    return _Peak(used.ru_maxrss / 1024, time.perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.outcomes", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="OUTCOMES")
    parser.add_argument("--tree", type=Path, default=ROOT)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["IQM_SPEC_CACHE"] = f"{place}/cache"
        for size in asked.sizes or SIZES:
            measured(Path(place) / str(size), asked.tree.resolve(), size, print)
    return 0


if __name__ == "__main__":
    sys.exit(main())

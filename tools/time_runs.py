"""Prints wall times of each experiment's first run, and of the second, which is in the folder.

Then what it takes to expand 100,000 points of a sweep, one after the other.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from iqm_spec.model import CircuitSpec, SourceKind
from iqm_spec.spec.sweep_blocks import parse_blocks
from iqm_spec.spec.sweep_points import circuit_points

EXPERIMENTS = Path(__file__).parent.parent / "experiments"


def main() -> int:
    """Run every experiment twice into a fresh folder and print a Markdown table."""
    print("| experiment | first run, s | again, s |\n|---|---|---|")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        for spec in sorted(EXPERIMENTS.glob("*.[yt][ao]ml")):
            command = [sys.executable, "-m", "iqm_spec", "run", str(spec), "--until", "aer"]
            seconds = []
            for _ in range(2):
                started = time.perf_counter()
                subprocess.run(
                    [*command, "--results", folder],
                    check=True,
                    capture_output=True,
                    env=environment,
                )
                seconds.append(time.perf_counter() - started)
            print(f"| {spec.stem} | {seconds[0]:.2f} | {seconds[1]:.2f} |")
    expand()
    return 0


def expand() -> None:
    """Time the expansion of a grid of 1,000 by 100."""
    raw = [{"grid": {"a": {"linspace": [0, 1, 1000]}, "b": {"range": [0, 100]}}}]
    circuit = CircuitSpec(
        index=0, name="x", kind=SourceKind.GENERATOR, ref="x", args={"a": "${a}", "b": "${b}"}
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    blocks = parse_blocks(raw, ("sweep",), print)
    count = sum(1 for _ in circuit_points(circuit, blocks).points())
    seconds = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"\n{count:,} points expanded in {seconds:.2f} s, memory grown by {grown:.1f} MiB")


if __name__ == "__main__":
    sys.exit(main())

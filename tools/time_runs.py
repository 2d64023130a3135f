"""Prints wall times of each experiment's first run, and of the second, which is in the folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    return 0


if __name__ == "__main__":
    sys.exit(main())

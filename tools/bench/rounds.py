"""Paired rounds: every side once per round, in shuffled order, the reference twice.

The second run of the reference tells how far two runs of the same thing differ here and now.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

AGAIN = "same again"
ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"


@frozen
class Run:
    """One process: its wall time and highest memory, and the JSON that it printed, if any."""

    seconds: float
    peak_bytes: int
    told: Mapping[str, Any]


Side = Callable[[], Run]


@frozen
class Rounds:
    """What every side gave, round by round."""

    runs: Mapping[str, Sequence[Run]]

    def ratio(self, value: Callable[[Mapping[str, Run]], float]) -> Ratio:
        """A figure of each round, told by its median and extremes."""
        count = len(next(iter(self.runs.values())))
        each = [value({name: runs[i] for name, runs in self.runs.items()}) for i in range(count)]
        return Ratio(statistics.median(each), min(each), max(each))


@frozen
class Ratio:
    """Median, least and greatest over the rounds."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{_short(self.median)} [{_short(self.least)}, {_short(self.most)}]"


def measure(
    sides: Mapping[str, Side], reference: str, rounds: int, tell: Callable[[str], None]
) -> Rounds:
    """All sides, `rounds` times; `reference` is also there as `AGAIN`. The seed is printed."""
    everyone = {**sides, AGAIN: sides[reference]}
    runs: dict[str, list[Run]] = {name: [] for name in everyone}
    for number in range(rounds):
        order = list(everyone)
        random.Random(number).shuffle(order)
        for name in order:
            runs[name].append(everyone[name]())
        told = ", ".join(f"{name} {runs[name][-1].seconds:.2f} s" for name in everyone)
        tell(f"round {number + 1} of {rounds}: {told}")
    return Rounds(runs)


def process(*command: str | Path, check: bool = True, cwd: Path | None = None) -> Run:
    """Runs a command with compiled modules; its peak is the greatest sum over its processes."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(ROOT)
    start = time.perf_counter()
    with subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=cwd,
    ) as child:
        watch = _Watch(child.pid)
        out, err = child.communicate()
        seconds = time.perf_counter() - start
        peak = watch.stop()
    if check and child.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{err}")
    return Run(seconds, peak, _last_json(out))


def script(name: str, *arguments: str | Path) -> Side:
    """A side that is a script of `scripts/`."""
    return lambda: process(sys.executable, SCRIPTS / name, *arguments)


def iqm_spec(*arguments: str | Path) -> list[str | Path]:
    """The command line of this checkout."""
    return [sys.executable, "-m", "iqm_spec", *arguments]


class _Watch(threading.Thread):
    """Looks at the memory of a process and its children five times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.2):
            self._peak = max(self._peak, sum(map(_memory, _family(self._pid))))

    def stop(self) -> int:
        self._over.set()
        self.join()
        return self._peak


def _family(pid: int) -> list[int]:
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = path.read_text().split()
        except OSError:
            continue
        for child in children:
            found += _family(int(child))
    return found


def _memory(pid: int) -> int:
    """Bytes of a process, memory that it shares divided among those that share it."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _last_json(out: str) -> Mapping[str, Any]:
    """What a process printed, or its last line, where that is a JSON object."""
    for text in (out, *out.strip().splitlines()[-1:]):
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            return told
    return {}


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"

"""A completed job's results, fetched, decoded and stored, beside `IQMJob.result()`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from iqm_spec.emulator import Options, start
from tools.bench.report import Section, at_least, at_most
from tools.bench.rounds import AGAIN, SCRIPTS, Side, measure, process, script

ROUNDS = 1
CIRCUITS, SHOTS, QUBITS = 100, 20_000, 20
_VENDOR, _COUNTS, _SHOTS = "IQMJob.result()", "counts", "measurements"


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """100 circuits of 20,000 shots on 20 qubits."""
    limits = {"max_executions_per_job": CIRCUITS * SHOTS}
    with start(Options(speed=1e6, limits=limits)) as emulator:
        tell("the emulator runs the job")
        sizes = map(str, (CIRCUITS, SHOTS, QUBITS))
        job = str(process(sys.executable, SCRIPTS / "submit.py", emulator.url, *sizes).told["job"])
        with subprocess.Popen(
            [sys.executable, SCRIPTS / "replay.py", emulator.url], stdout=subprocess.PIPE, text=True
        ) as replay:
            assert replay.stdout is not None
            try:
                url = json.loads(replay.stdout.readline())["url"]
                return _compared(url, job, folder, rounds or ROUNDS, tell)
            finally:
                replay.kill()


def _compared(
    url: str, job: str, folder: Path, rounds: int, tell: Callable[[str], None]
) -> Section:
    ours = ("result_ours.py", url, job, str(CIRCUITS), str(QUBITS))
    sides: dict[str, Side] = {
        _VENDOR: script("result_vendor.py", url, job),
        _COUNTS: script(*ours, folder / "counts"),
        _SHOTS: script(*ours, folder / "shots", "measurements"),
    }
    for name in (_COUNTS, _SHOTS):  # so that the answers are in the server's memory
        sides[name]()
    found = measure(sides, _VENDOR, rounds, tell)
    for runs in zip(*found.runs.values(), strict=True):
        if len({json.dumps([run.told["outcomes"], run.told["first"]]) for run in runs}) > 1:
            raise SystemExit("the counts differ from IQMJob.result()'s")
    again = found.ratio(lambda run: run[AGAIN].told["work"] / run[_VENDOR].told["work"])
    lines = []
    for name, what, goal in (
        (_COUNTS, "from counts", 10),
        (_SHOTS, "from measurements, where a server has no counts", 5),
    ):
        quicker = found.ratio(lambda run, s=name: run[_VENDOR].told["work"] / run[s].told["work"])  # type: ignore[misc]
        smaller = found.ratio(lambda run, s=name: run[s].told["bytes"] / run[_VENDOR].told["bytes"])  # type: ignore[misc]
        seconds = found.ratio(lambda run, s=name: run[s].told["work"])  # type: ignore[misc]
        size = found.ratio(lambda run, s=name: run[s].told["bytes"] / 2**20)  # type: ignore[misc]
        lines.append(
            at_least(f"{what}: times faster", quicker, goal, again, f"{seconds.median:.1f} s")
        )
        lines.append(
            at_most(f"{what}: share of its memory", smaller, 0.25, None, f"{size.median:.0f} MiB")
        )
    words = (
        f"{CIRCUITS} circuits x {SHOTS:,} shots x {QUBITS} qubits from an HTTP server on loopback "
        "that answers from memory: fetched, decoded and (iqm-spec only) stored; the counts are "
        "compared. iqm-client reads measurements; iqm-spec reads counts if the server has them. "
        "Memory is the growth of the process."
    )
    return Section("Server results", words, lines)

"""A sweep beside the script that a user writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from tools.bench import specs
from tools.bench.report import Line, Section, at_least
from tools.bench.rounds import AGAIN, Run, Side, iqm_spec, measure, process, script

ROUNDS = 3
POINTS = 200
_HERE, _START, _SCRIPT = "iqm-spec", "iqm-spec, one point", "script"


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """Noisy, ideal, on a star, and a list of different circuits."""
    star = specs.ansatz(folder, POINTS, target="deneb")
    ideal = specs.ansatz(folder, POINTS, noise="ideal")
    noisy = specs.ansatz(folder, POINTS)
    compared: list[tuple[str, float, Path, Side, int]] = [
        ("200 noisy points", 40, noisy, script("per_point.py", "ansatz", "10"), POINTS),
        ("200 ideal points", 8, ideal, script("per_point.py", "ideal", "100"), POINTS),
        ("200 points on a star (MOVE)", 10, star, script("per_point.py", "star", "20"), POINTS),
        (
            "50 different circuits, noisy",
            4,
            specs.mixed(folder, 50),
            script("per_point.py", "mixed", folder, "10"),
            50,
        ),
    ]
    lines = [_compared(*one, folder, rounds, tell) for one in compared]
    words = (
        "The script (`tools/bench/scripts/per_point.py`) builds each point, calls "
        "`transpile_to_IQM` and runs it on iqm-client's fake backend (ideal: on `AerSimulator()`), "
        "one point after the other; it runs fewer points, and its time is scaled. The figure is "
        "the script's seconds without its imports, divided by the seconds of iqm-spec without "
        "those of a run of one point; the details compare complete processes, with imports."
    )
    return Section("A sweep against the script a user writes", words, lines)


def _compared(
    what: str,
    goal: float,
    spec: Path,
    other: Side,
    points: int,
    folder: Path,
    rounds: int | None,
    tell: Callable[[str], None],
) -> Line:
    target = "deneb" if "star" in what else "garnet"
    noise = "ideal" if "ideal" in what else "device"
    small = specs.ansatz(folder, 1, noise=noise, target=target)
    sides: dict[str, Side] = {
        _HERE: fresh(spec, folder),
        _START: fresh(small, folder),
        _SCRIPT: other,
    }
    tell(what)
    found = measure(sides, _SCRIPT, rounds or ROUNDS, tell)
    beyond = found.ratio(
        lambda run: scaled(run[_SCRIPT], points) / (run[_HERE].seconds - run[_START].seconds)
    )
    whole = found.ratio(
        lambda run: (
            (run[_SCRIPT].told["imports"] + scaled(run[_SCRIPT], points)) / run[_HERE].seconds
        )
    )
    again = found.ratio(lambda run: run[AGAIN].told["work"] / run[_SCRIPT].told["work"])
    ours = found.ratio(lambda run: run[_HERE].seconds)
    told = f"complete processes: {whole}; ours {ours.median:.2f} s"
    return at_least(what, beyond, goal, again, told)


def scaled(run: Run, points: int) -> float:
    """Seconds that the script would take for all points."""
    return float(run.told["work"]) * points / float(run.told["points"])


def fresh(spec: Path, folder: Path, *options: str) -> Side:
    """A run of `spec` into a folder that is not there yet."""

    def side() -> Run:
        results = folder / "fresh"
        shutil.rmtree(results, ignore_errors=True)
        return process(*iqm_spec("run", spec, "--results", results, "-j", "1", *options))

    return side

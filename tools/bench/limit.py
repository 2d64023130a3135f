"""A whole run beside bare Aer, which has nothing to do but to simulate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.bench import specs
from tools.bench.report import Line, Section, at_most
from tools.bench.rounds import AGAIN, Side, measure, script
from tools.bench.sweeps import fresh

ROUNDS = 3
_HERE, _START, _BARE = "iqm-spec", "iqm-spec, one point", "bare Aer"


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """5 qubits, where overhead counts, and 10, where simulation does."""
    count = rounds or ROUNDS
    lines = [
        _limit("500 noisy points, 5 qubits", 0.6, 5, 500, "device", folder, count, tell),
        _limit("500 ideal points, 5 qubits", 1.0, 5, 500, "ideal", folder, count, tell),
        _limit("20 noisy points, 10 qubits", 1.1, 10, 20, "device", folder, count, tell),
        _shares(folder, tell),
    ]
    words = (
        "Bare Aer (`tools/bench/scripts/bare_aer.py`) gets transpiled circuits in one run, with "
        "iqm-client's complete noise model and one thread, and reads the counts. The figure of "
        "iqm-spec is a complete run with transpiling, ideal distributions, distances and storing, "
        "without the start-up of a run of one point."
    )
    return Section("Against the limit", words, lines)


def _limit(
    what: str,
    goal: float,
    qubits: int,
    points: int,
    noise: str,
    folder: Path,
    rounds: int,
    tell: Callable[[str], None],
) -> Line:
    spec = specs.ansatz(folder, points, noise=noise, qubits=qubits)
    small = specs.ansatz(folder, 1, noise=noise, qubits=5)
    kind = "ideal" if noise == "ideal" else "noisy"
    sides: dict[str, Side] = {
        _HERE: fresh(spec, folder),
        _START: fresh(small, folder),
        _BARE: script("bare_aer.py", kind, str(qubits), str(points)),
    }
    tell(what)
    found = measure(sides, _BARE, rounds, tell)
    ratio = found.ratio(
        lambda run: (run[_HERE].seconds - run[_START].seconds) / run[_BARE].told["work"]
    )
    again = found.ratio(lambda run: run[AGAIN].told["work"] / run[_BARE].told["work"])
    bare = found.ratio(lambda run: run[_BARE].told["work"])
    return at_most(what, ratio, goal, again, f"bare {bare.median:.2f} s")


def _shares(folder: Path, tell: Callable[[str], None]) -> Line:
    spec = specs.ansatz(folder, 500)
    tell("shares of a run")
    found = measure({"run": script("shares.py", spec, folder / "shares")}, "run", 3, tell)
    told = found.ratio(lambda run: run["run"].told["kept"])
    other = found.ratio(lambda run: run["run"].told["distances"])
    return at_most(
        "decoding and storing, share of the 500 noisy points' run",
        told,
        0.1,
        None,
        f"distances to the ideal: {other.median:.2f}",
    )

"""The results folder at size: git, and verify beside sha256sum."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.bench import specs
from tools.bench.report import Line, Section, at_most, same
from tools.bench.rounds import Side, iqm_spec, measure, process

POINTS = 10_000
_SUM, _VERIFY = "sha256sum", "verify"


def _first_verify(results: Path) -> float:
    """Seconds of a `verify` that remembers nothing."""
    with TemporaryDirectory() as cache:
        return process("env", f"IQM_SPEC_CACHE={cache}", *iqm_spec("verify", results)).seconds


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """10,000 points."""
    spec = specs.ansatz(folder, POINTS, noise="ideal")
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    process(*iqm_spec("run", spec, "--results", results, "-j", "2"))
    first = _first_verify(results)
    sides: dict[str, Side] = {
        _SUM: lambda: process(
            "sh", "-c", "find . -type f -print0 | xargs -0 sha256sum", cwd=results
        ),
        _VERIFY: lambda: process(*iqm_spec("verify", results)),
        "start": lambda: process(*iqm_spec("--version")),
    }
    found = measure(sides, _SUM, rounds or 5, tell)
    ratio = found.ratio(lambda run: run[_VERIFY].seconds / run[_SUM].seconds)
    beyond = found.ratio(
        lambda run: (run[_VERIFY].seconds - run["start"].seconds) / run[_SUM].seconds
    )
    process("git", "init", "-q", ".", cwd=results)
    added = process("git", "add", "-A", cwd=results)
    status = process("git", "status", "--short", cwd=results)
    git = added.seconds + status.seconds
    files = [path for path in results.rglob("*") if path.is_file() and ".git" not in path.parts]
    size = sum(path.stat().st_size for path in files) / 2**20
    seconds = found.ratio(lambda run: run[_VERIFY].seconds)
    lines = [
        at_most(
            "`verify` over `sha256sum` of the same files",
            ratio,
            2,
            same(found, _SUM),
            f"{seconds.median:.2f} s",
        ),
        Line("the same, without the start of Python", str(beyond)),
        Line("the first `verify` on a machine, which parses all packs, s", f"{first:.2f}"),
        Line("`git add` and `git status`, s", f"{git:.2f}", "seconds", git < 5),
        Line("files, MiB", f"{len(files)}, {size:.0f}"),
    ]
    return Section("The folder at size", f"{POINTS:,} ideal points of a 5-qubit ansatz.", lines)

"""The lines of a section: what was compared, the figure, its goal, the control ratio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from tools.bench.rounds import AGAIN, Ratio, Rounds

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@frozen
class Line:
    """One comparison. `goal` is a bound in words, `met` whether the median keeps it."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None
    again: str = ""
    told: str = ""


@frozen
class Section:
    """A table with what stands above it."""

    title: str
    words: str
    lines: Sequence[Line]

    def markdown(self) -> str:
        rows = [
            f"| {one.what} | {one.figure} | {one.goal}{_mark(one)} | {one.again} | {one.told} |"
            for one in self.lines
        ]
        head = "| what | figure | goal | control ratio | details |\n|---|---|---|---|---|"
        return f"## {self.title}\n\n{self.words}\n\n{head}\n" + "\n".join(rows) + "\n"


def at_least(what: str, ratio: Ratio, goal: float, again: Ratio | None, told: str = "") -> Line:
    """A ratio that should be no smaller than `goal`."""
    return Line(what, str(ratio), f"≥ {goal:g}", ratio.median >= goal, _text(again), told)


def at_most(what: str, ratio: Ratio, goal: float, again: Ratio | None, told: str = "") -> Line:
    """A ratio that should be no greater than `goal`."""
    return Line(what, str(ratio), f"≤ {goal:g}", ratio.median <= goal, _text(again), told)


def same(rounds: Rounds, reference: str) -> Ratio:
    """The reference against itself, by wall time."""
    return rounds.ratio(lambda run: run[AGAIN].seconds / run[reference].seconds)


def write(sections: Sequence[Section]) -> None:
    """Puts sections into docs/performance.md, each between its own marks."""
    text = PAGE.read_text(encoding="utf-8")
    for section in sections:
        begin, end = f"<!-- {section.title}: begin -->", f"<!-- {section.title}: end -->"
        before, found, rest = text.partition(begin)
        _, also, after = rest.partition(end)
        if not found or not also:
            raise SystemExit(f"{PAGE} has no place for the section {section.title!r}")
        day = f"Measured on {datetime.now(UTC):%Y-%m-%d}."
        text = f"{before}{begin}\n{section.markdown()}\n{day}\n{end}{after}"
    PAGE.write_text(text, encoding="utf-8")


def show(sections: Sequence[Section]) -> Iterator[str]:
    """The same as text."""
    for section in sections:
        yield section.markdown()


def _mark(line: Line) -> str:
    return "" if line.met is None else (" ✓" if line.met else " **✗**")


def _text(again: Ratio | None) -> str:
    return "" if again is None else str(again)

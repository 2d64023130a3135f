"""How a run looks in a notebook: a small table, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import islice

from iqm_spec.notebook.point import Point
from iqm_spec.plan.label import short

MOST_ROWS = 20
_TOP = 3


def html(title: str, about: str, points: Iterable[Point]) -> str:
    """What a run is, and its first points."""
    shown = list(islice(points, MOST_ROWS + 1))
    rows = "".join(map(_row, shown[:MOST_ROWS]))
    more = "<p>... and more: <code>.to_dataframe()</code> has all</p>" * (len(shown) > MOST_ROWS)
    heads = ("circuit", "at", "stage", "shots", "most frequent", "fidelity")
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return (
        f"<div><strong>{escape(title)}</strong> {escape(about)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"
    )


def _row(point: Point) -> str:
    at = ", ".join(f"{axis}={short(value)}" for axis, value in point.values.items())
    at += f" #{point.repeat}" if point.repeat > 1 else ""
    top = sorted(point.outcomes.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    total = max(1, sum(point.outcomes.values()))
    outcomes = ", ".join(f"{bits} {count / total:.0%}" for bits, count in top)
    compared = point.comparison
    fidelity = (
        ""
        if compared is None
        else (f"{compared['hellinger_fidelity']:.3f} ± {compared['hellinger_fidelity_error']:.3f}")
    )
    stage = "emulated" if point.emulated else point.stage
    cells = (point.circuit_name, at, stage, f"{point.shots_returned or 0:,}", outcomes, fidelity)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"

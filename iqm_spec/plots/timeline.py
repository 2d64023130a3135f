"""Jobs over time: how long each waited, and how long it ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from iqm_spec.plots.style import (
    FAINT,
    SOFT,
    add_axes,
    add_tips,
    new_figure,
    round_ticks,
    series_color,
    shortened,
    styled,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_JOBS = 40

_WIDTH, _ROW = 900.0, 18.0
_RIGHT, _TOP, _BELOW = 16.0, 26.0, 36.0
_UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


_Span = tuple[int, float, float, str]
"""Row, start, length and tip of a bar."""


@frozen
class JobTimes:
    """One job, times in seconds of POSIX time; `started` and `ended` None where not known."""

    name: str
    created: float
    started: float | None
    ended: float | None
    tip: str = ""


@styled()
def timeline(jobs: Sequence[JobTimes]) -> Figure:
    """A row for each of the first jobs in the order of their submission."""
    from matplotlib.patches import Patch

    shown = sorted(jobs, key=lambda job: job.created)[:MOST_JOBS]
    first = min(job.created for job in shown)
    last = max(max(job.ended or 0.0, job.started or 0.0, job.created) for job in shown)
    unit, unit_name = next((u for u in _UNITS if last - first >= 2 * u[0]), _UNITS[-1])
    names = [shortened(job.name, 30) for job in shown]
    left = 16 + max(map(text_width, names))
    width, height = _WIDTH - _RIGHT - left, _TOP + _ROW * len(shown) + _BELOW
    limit = max((last - first) / unit, 1e-3) * 1.02
    pixel = limit / width

    figure = new_figure(_WIDTH, height)
    axes = add_axes(figure, left, _TOP, width, _ROW * len(shown))
    axes.set_xlim(0, limit)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(axis="x")
    ticks = round_ticks(0.0, limit, 8)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(range(len(shown)), names)

    waited: list[_Span] = []
    ran: list[_Span] = []
    for row, job in enumerate(shown):
        created = (job.created - first) / unit
        began = job.started if job.started is not None else job.ended
        if began is None:
            axes.text(created, row, "no end is known", va="center")
        else:
            length = max(pixel, (began - first) / unit - created)
            waited.append((row, created, length, job.tip))
        if job.started is not None and job.ended is not None:
            length = max(1.5 * pixel, (job.ended - job.started) / unit)
            ran.append((row, (job.started - first) / unit, length, job.tip))
    waiting: dict[str, Any] = {"facecolor": FAINT, "edgecolor": SOFT, "linewidth": 0.8}
    running: dict[str, Any] = {"facecolor": series_color(0), "linewidth": 0}
    for bars, style in ((waited, waiting), (ran, running)):
        for row, start, length, tip in bars:
            (bar,) = axes.barh(row, length, 0.67, start, **style)
            add_tips(bar, [tip])
    figure.legend(
        [Patch(**waiting), Patch(**running)], ["waiting", "running"], loc="upper left",
        bbox_to_anchor=(0, 1), ncols=2, handlelength=1.3, borderaxespad=0.2,
    )  # fmt: skip
    began_at = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    figure.text(
        (left + width / 2) / _WIDTH, 6 / height, f"{unit_name} since {began_at}", ha="center"
    )
    return figure

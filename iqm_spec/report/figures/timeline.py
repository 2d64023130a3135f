"""Jobs over time: how long each waited, and how long it ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import frozen

from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import Scale, ticks
from iqm_spec.report.figures.svg import Picture, cut, wide

WIDTH = 900.0
MOST_JOBS = 40
_ROW = 18.0

_UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@frozen
class Bar:
    """One job, times in seconds of POSIX time; `started` and `ended` None where not known."""

    name: str
    created: float
    started: float | None
    ended: float | None
    tip: str = ""


def timeline(jobs: Sequence[Bar], label: str) -> Picture:
    """A row for each job in the order of their submission."""
    shown = sorted(jobs, key=lambda job: job.created)[:MOST_JOBS]
    first = min(job.created for job in shown)
    last = max(max(job.ended or 0.0, job.started or 0.0, job.created) for job in shown)
    unit, name = next((u for u in _UNITS if last - first >= 2 * u[0]), _UNITS[-1])
    left = 16 + max(wide(cut(job.name, 30), 11) for job in shown)
    across = Scale(0.0, max((last - first) / unit, 1e-3) * 1.02, left, WIDTH - 16)
    top, bottom = 26.0, 26.0 + _ROW * len(shown)
    parts = [_legend(), _axis(across, (top, bottom), name, first)]
    for i, job in enumerate(shown):
        parts.append(_job(job, top + i * _ROW, across, first, unit))
    return Picture(WIDTH, bottom + 36, "".join(parts), label)


def _job(job: Bar, y: float, across: Scale, first: float, unit: float) -> str:
    def at(time: float) -> float:
        return across((time - first) / unit)

    parts = [svg.text(across.start - 6, y + 12, cut(job.name, 30), "s", "end")]
    began = job.started if job.started is not None else job.ended
    if began is not None:
        wait = max(1.0, at(began) - at(job.created))
        parts.append(svg.rect(at(job.created), y + 3, wait, _ROW - 6, "waiting", job.tip))
    else:
        parts.append(svg.text(at(job.created), y + 12, "no end is known", "s"))
    if job.started is not None and job.ended is not None:
        run = max(1.5, at(job.ended) - at(job.started))
        parts.append(svg.rect(at(job.started), y + 3, run, _ROW - 6, "running", job.tip))
    return "".join(parts)


def _legend() -> str:
    return (
        svg.rect(8, 5, 14, 10, "waiting")
        + svg.text(27, 14, "waiting", "s")
        + svg.rect(88, 5, 14, 10, "running")
        + svg.text(107, 14, "running", "s")
    )


def _axis(across: Scale, rows: tuple[float, float], unit: str, first: float) -> str:
    top, bottom = rows
    parts = []
    for tick in ticks(0.0, across.high, 8):
        x = across(tick)
        parts.append(svg.line(x, top, x, bottom, "grid"))
        parts.append(svg.text(x, bottom + 14, f"{tick:g}", "s", "middle"))
    began = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    middle = (across.start + across.end) / 2
    parts.append(svg.text(middle, bottom + 30, f"{unit} since {began}", "s", "middle"))
    return "".join(parts)

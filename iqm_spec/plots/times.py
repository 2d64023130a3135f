"""Predicted against measured QPU times, one plot per model, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.plots.style import (
    REFERENCE,
    SMALL,
    add_axes,
    add_tips,
    log_ticks,
    new_figure,
    series_color,
    styled,
    tick_label,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDE, _LEFT, _TOP, _BELOW, _RIGHT = 300.0, 70.0, 44.0, 46.0, 20.0
_LEAST = 1e-9
"""Seconds that stand for 0 on a logarithmic axis."""


@frozen
class TimedJob:
    """A job's measured and predicted QPU seconds; `wild` where the model cannot explain it."""

    measured: float
    predicted: float
    wild: bool
    tip: str = ""


@styled()
def predicted_against_measured(models: Mapping[str, Sequence[TimedJob]]) -> Figure:
    """The jobs of each model, by its title, with the line where both times are equal."""
    each = _LEFT + _SIDE + _RIGHT
    figure = new_figure(each * len(models), _TOP + _SIDE + _BELOW)
    for number, (title, jobs) in enumerate(models.items()):
        axes = add_axes(figure, number * each + _LEFT, _TOP, _SIDE, _SIDE)
        axes.set_title(title, fontsize=SMALL + 2, y=1.03)
        pairs = [(max(job.measured, _LEAST), max(job.predicted, _LEAST)) for job in jobs]
        times = [seconds for pair in pairs for seconds in pair]
        ends = min(times) / 1.2, max(times) * 1.2
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.minorticks_off()
        axes.set_xlim(ends)
        axes.set_ylim(ends)
        ticks = log_ticks(*ends)
        axes.set_xticks(ticks, [tick_label(tick) for tick in ticks])
        axes.set_yticks(ticks, [tick_label(tick) for tick in ticks])
        axes.grid()
        axes.set_xlabel("measured QPU time (s)")
        axes.set_ylabel("predicted QPU time (s)")
        axes.xaxis.set_label_coords(0.5, -0.1)
        axes.yaxis.set_label_coords(-0.16, 0.5)
        axes.plot(ends, ends, "--", color=series_color(REFERENCE), linewidth=1, label="equal")
        for wild in (False, True):
            own = [i for i, job in enumerate(jobs) if job.wild == wild]
            if not own:
                continue
            (marks,) = axes.plot(
                [pairs[i][0] for i in own],
                [pairs[i][1] for i in own],
                "x" if wild else "o",
                color=series_color(int(wild)),
                alpha=0.6,
                markersize=6,
                markeredgewidth=1.6 if wild else 0,
                label="wild" if wild else "job",
            )
            add_tips(marks, [jobs[i].tip for i in own])
        axes.legend(loc="upper left")
    return figure

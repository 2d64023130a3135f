"""Warnings on stderr about points of a stored run that have no results, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.cli import output
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.results.gaps import Gaps

_MOST_NAMED = 3

LOST = (
    "`iqm-spec verify` lists what is missing and `git checkout` restores what was committed; "
    "running the spec again computes the rest, with --replan where its plan is lost"
)
UNFINISHED = "run its spec again to compute only what is missing"


def warn_of_gaps(run: str, gaps: Gaps) -> int:
    """Warn about missing results; the exit code: corrupt (7) where results were lost."""
    for what, points in (("counts", gaps.counts), ("distances to the ideal", gaps.distances)):
        if points:
            why = "are lost" if gaps.lost else "are missing: the run did not reach them"
            share = gaps.share(points)
            output.say(f"warning: {run}: the {what} of {share} {why}: {_named(points)}")
    if gaps.events:
        numbers = ", ".join(map(str, gaps.events[:_MOST_NAMED]))
        rest = len(gaps.events) - _MOST_NAMED
        more = f" and {rest:,} more" if rest > 0 else ""
        output.say(
            f"warning: {run}: its journal has lost the event{'s' if len(gaps.events) > 1 else ''} "
            f"number {numbers}{more}: stages, jobs or results may be missing here"
        )
    for job, why in gaps.jobs[:_MOST_NAMED]:
        output.say(f"warning: {run}: the journal of job {job[:12]} {why}")
    if len(gaps.jobs) > _MOST_NAMED:
        output.say(f"... and of {len(gaps.jobs) - _MOST_NAMED:,} more jobs")
    if gaps.waiting:
        share = gaps.share(gaps.waiting)
        output.say(f"{run}: {share} wait for their jobs; `iqm-spec resume {run}` fetches them")
    if gaps.given_up:
        share = gaps.share(gaps.given_up)
        output.say(
            f"{run}: {share} are missing: their jobs have no results; the stage's verdict says "
            f"why; `iqm-spec resume {run}` tries again"
        )
    for stage in gaps.stages:
        output.say(f"{run}: the {stage} stage has not begun")
    if gaps:
        output.say(f"hint: {LOST if gaps.lost else UNFINISHED}")
    return int(ExitCode.CORRUPT if gaps.lost else ExitCode.DONE)


def _named(points: Sequence[PlannedPoint]) -> str:
    """The first few points by their names, the number of the others."""
    names = [label(point.name, point.values, point.repeat) for point in points[:_MOST_NAMED]]
    rest = len(points) - len(names)
    return printable("; ".join(names)) + (f"; and {rest:,} more" if rest else "")

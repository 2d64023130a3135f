"""Tells on stderr which points of a stored run have no results, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from iqm_spec.cli import output
from iqm_spec.diagnostics import printable
from iqm_spec.errors import ExitCode
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.runs.gaps import Gaps

_MOST_NAMED = 3

LOST = (
    "`iqm-spec verify` names what is gone and `git checkout` brings back what was committed; "
    "running the spec again computes the rest, with --replan where its plan is lost"
)
UNFINISHED = "run its spec again: only what is missing is computed"


def tell_gaps(run: str, found: Gaps) -> int:
    """Warn of what is missing; the exit code that it makes: corrupt (7) where it was lost."""
    for what, points in (("counts", found.counts), ("distances to the ideal", found.distances)):
        if points:
            why = "are lost" if found.lost else "are not there: the run did not get to them"
            share = found.share(points)
            output.say(f"warning: {run}: the {what} of {share} {why}: {_named(points)}")
    if found.events:
        numbers = ", ".join(map(str, found.events[:_MOST_NAMED]))
        rest = len(found.events) - _MOST_NAMED
        more = f" and {rest:,} more" if rest > 0 else ""
        output.say(
            f"warning: {run}: its journal has lost the event{'s' if len(found.events) > 1 else ''} "
            f"number {numbers}{more}: stages, jobs or results may be missing here"
        )
    for job, why in found.jobs[:_MOST_NAMED]:
        output.say(f"warning: {run}: the journal of job {job[:12]} {why}")
    if len(found.jobs) > _MOST_NAMED:
        output.say(f"... and of {len(found.jobs) - _MOST_NAMED:,} more jobs")
    if found.waiting:
        share = found.share(found.waiting)
        output.say(f"{run}: {share} wait for their jobs; `iqm-spec resume {run}` brings them in")
    if found.given_up:
        share = found.share(found.given_up)
        output.say(
            f"{run}: {share} are not there: their jobs brought nothing; the stage's verdict says "
            f"why; `iqm-spec resume {run}` looks again"
        )
    for stage in found.stages:
        output.say(f"{run}: the {stage} stage has not begun")
    if found:
        output.say(f"hint: {LOST if found.lost else UNFINISHED}")
    return int(ExitCode.CORRUPT if found.lost else ExitCode.DONE)


def _named(points: Sequence[PlannedPoint]) -> str:
    """The first few points by their names, the number of the others."""
    told = [label(point.name, point.values, point.repeat) for point in points[:_MOST_NAMED]]
    rest = len(points) - len(told)
    return printable("; ".join(told)) + (f"; and {rest:,} more" if rest else "")

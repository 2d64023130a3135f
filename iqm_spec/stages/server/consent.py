"""What a person is asked to agree to before anything is submitted that may cost credits."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from iqm_spec.cost.estimate import JobCost, total_credits, total_seconds
from iqm_spec.cost.ranges import Range
from iqm_spec.model import Stage
from iqm_spec.plan.label import count
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.desk import Session, computer_of


@frozen
class Bill:
    """Jobs that are about to be submitted, in numbers and words; `notes` are what to know first."""

    server: str
    emulated: bool
    computers: tuple[str, ...]
    mode: str
    jobs: int
    circuits: int
    executions: int
    credits: Range
    seconds: Range
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One sentence."""
        where = f"{self.server}{' (an emulator)' if self.emulated else ''}"
        return (
            f"submit {count(self.jobs, 'job')} ({count(self.circuits, 'circuit')}, "
            f"{self.executions:,} shots in all) to {', '.join(self.computers)} at {where}, "
            f"{self.mode}"
        )

    @property
    def price(self) -> str:
        """What it costs, in one line."""
        return (
            f"expected to cost {self.credits.expected:,.2f} credits ({self.credits.low:,.2f} to "
            f"{self.credits.high:,.2f}), {self.seconds.expected:,.1f} s of QPU time"
        )


def bill_of(
    session: Session,
    stage: Stage,
    queue: str,
    batches: Sequence[Batch],
    costs: Sequence[JobCost],
    notes: Sequence[str],
) -> Bill:
    """The bill of some batches."""
    return Bill(
        server=session.realm,
        emulated=session.emulated,
        computers=tuple(dict.fromkeys(computer_of(stage, batch.target) for batch in batches)),
        mode=queue,
        jobs=len(batches),
        circuits=sum(len(batch.parts) for batch in batches),
        executions=sum(batch.executions for batch in batches),
        credits=total_credits(costs),
        seconds=total_seconds(costs),
        notes=tuple(notes),
    )

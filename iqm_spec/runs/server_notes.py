"""What a server says of its machines, and of the time that jobs take, before any is submitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from iqm_spec.cost.words import amount
from iqm_spec.model import Stage
from iqm_spec.plan.label import count
from iqm_spec.runs.server_stage import ServerStage
from iqm_spec.server.offer import Offer
from iqm_spec.stages.server.batch import Batch
from iqm_spec.stages.server.state import Phase
from iqm_spec.stages.server.work import look


def machine_notes(offers: Iterable[Offer]) -> Iterator[str]:
    """Machines whose server says that they are not online, or not healthy."""
    for offer in offers:
        if offer.is_online is False:
            status = offer.operational_status
            yield f"{offer.alias} is not online (`{status}`): jobs wait until the machine is back"
        if offer.healthy is False:
            yield f"{offer.alias} is not healthy, its server says: jobs may wait or fail"


def estimate_note(it: ServerStage, jobs: Sequence[Batch]) -> Iterator[str]:
    """The server's own estimate of the jobs' run time, where the mock's copies of them have one."""
    mock = look(it.plan, Stage.MOCK, it.session.realm, it.store, write=False)
    keys = {mock.keys[part.point.index] for job in jobs for part in job.parts}
    copies = [
        attempt
        for attempt in mock.attempts(Phase.COMPLETED)
        if any(key in keys for key, _ in attempt.parts)
    ]
    seconds = [attempt.completion.server_estimate_seconds for attempt in copies]
    known = [float(one) for one in seconds if one is not None]
    if known and len(known) == len(seconds) and {k for a in copies for k, _ in a.parts} == keys:
        yield (
            f"the server itself estimated {amount(sum(known))} s for {count(len(copies), 'job')} "
            "of the same circuits on the mock"
        )

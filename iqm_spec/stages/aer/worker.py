"""What a worker process is sent, and what it sends back: plain frozen data, nothing of Aer's."""

from __future__ import annotations

from attrs import frozen

from iqm_spec.stages.aer.simulate import simulate
from iqm_spec.stages.aer.tasks import AerOutcome, AerTask, Setup


@frozen
class Chunk:
    """Tasks to simulate together. How tasks are chunked moves no count."""

    tasks: tuple[AerTask, ...]
    setup: Setup


def simulate_chunk(chunk: Chunk) -> list[AerOutcome]:
    """Outcomes of the chunk's tasks in order; for a process pool or a cluster to call."""
    return list(simulate(chunk.tasks, chunk.setup))

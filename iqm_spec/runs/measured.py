"""The QPU times that a results folder has measured: from recorded jobs to timings."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from iqm_spec.cost.shape import JobShape
from iqm_spec.cost.timings import Timing
from iqm_spec.stages.server.ledger import read_all_attempts
from iqm_spec.stages.server.state import Attempt, Phase
from iqm_spec.store import Store


@frozen
class Measured:
    """Jobs of one computer under the same conditions, with the seconds between start and end."""

    computer: str
    realm: str
    emulated: bool
    conditions: str
    timings: tuple[Timing, ...]


def timings_of(
    store: Store, *, computer: str | None = None, realm: str | None = None
) -> list[Measured]:
    """The measured jobs of a folder, of one computer or realm where that is named."""
    return [
        one
        for one in measured_in(read_all_attempts(store))
        if computer in (None, one.computer) and realm in (None, one.realm)
    ]


def measured_in(found: Iterable[Attempt]) -> list[Measured]:
    """The measured ones of some jobs by computer, realm and conditions; mocks measure nothing."""
    groups: dict[tuple[str, str, bool, str], list[Timing]] = {}
    for attempt in found:
        intent, seconds = attempt.intent, attempt.qpu_seconds
        if attempt.phase is not Phase.COMPLETED or intent.stage != "hardware":
            continue
        if seconds is None or seconds <= 0 or intent.shape is None:
            continue
        group = (intent.computer, intent.realm, intent.emulated, intent.conditions)
        timing = Timing(JobShape.from_json(intent.shape), float(seconds))
        groups.setdefault(group, []).append(timing)
    return [Measured(*group, timings=tuple(timings)) for group, timings in sorted(groups.items())]

"""All jobs of one stage and realm in a results folder, and what they mean for each point."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from attrs import frozen

from iqm_spec.model import Stage
from iqm_spec.stages.server.state import Attempt, Phase, attempts
from iqm_spec.store import Store

_WEIGHT = {
    Phase.FAILED: 0,
    Phase.INTENDED: 1,
    Phase.UNKNOWN: 1,
    Phase.SUBMITTED: 2,
    Phase.COMPLETED: 3,
}

AttemptId = tuple[str, int]
"""Job key and number of an attempt."""


@frozen
class Covered:
    """What has been asked of a server for one point: one attempt per part, by part number."""

    parts: Mapping[int, Attempt]

    @property
    def shots(self) -> int:
        """Shots that were asked for so far."""
        return sum(attempt.intent.shots for attempt in self.parts.values())

    @property
    def next_part(self) -> int:
        """Number of the next part."""
        return max(self.parts, default=-1) + 1


def read_attempts(store: Store, stage: Stage, realm: str) -> list[Attempt]:
    """Every attempt of the stage and realm that has come as far as an intent."""
    return [
        attempt
        for attempt in read_all_attempts(store)
        if (attempt.intent.stage, attempt.intent.realm) == (stage.value, realm)
    ]


def read_all_attempts(store: Store) -> list[Attempt]:
    """Every attempt in the folder that has come as far as an intent."""
    found = []
    for key in store.job_keys():
        of_job = attempts(key, store.job(key).events())
        found += [one.with_intent() for one in of_job if one.phase is not Phase.CLAIMED]
    return found


def covering(
    found: Collection[Attempt], *, ignored: Collection[AttemptId] = (), retry_failed: bool = False
) -> dict[str, Covered]:
    """By point key, the attempts that stand for the point: the best and newest of each part.

    `ignored` attempts do not count (they are to be asked afresh). With `retry_failed` (where
    asking costs nothing) neither do those that failed or whose outcome is unknown.
    """
    parts: dict[str, dict[int, Attempt]] = {}
    for attempt in found:
        if (attempt.job, attempt.number) in ignored or not _counts(attempt, retry_failed):
            continue
        for key, number in attempt.parts:
            held = parts.setdefault(key, {})
            if number not in held or _rank(held[number]) < _rank(attempt):
                held[number] = attempt
    return {key: Covered(held) for key, held in parts.items()}


def _counts(attempt: Attempt, retry_failed: bool) -> bool:
    if attempt.free:
        return False
    return not (retry_failed and attempt.phase in (Phase.FAILED, Phase.UNKNOWN))


def _rank(attempt: Attempt) -> tuple[int, int, str]:
    return _WEIGHT[attempt.phase], attempt.number, attempt.job


def distinct(covered: Mapping[str, Covered], keys: Collection[str]) -> Iterator[Attempt]:
    """The attempts that stand for some points, each once, in the order of the points."""
    seen: set[AttemptId] = set()
    for key in keys:
        for attempt in covered[key].parts.values() if key in covered else ():
            if (attempt.job, attempt.number) not in seen:
                seen.add((attempt.job, attempt.number))
                yield attempt

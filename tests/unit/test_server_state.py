"""What a job's events tell, joined: the same for every order in which they come together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.stages.server.attempts import PHASE_OF, Phase, attempts
from iqm_spec.store import Event
from iqm_spec.store.events import KINDS
from tests.journals import job_event

JOB = "f" * 64


def event(kind: str, attempt: int = 1, **fields: Any) -> Event:
    return job_event(attempt, kind, attempt, **fields)


INTENT = event("intent", parts=[["p", 0]], shots=10)


@pytest.mark.parametrize(
    ("kinds", "phase", "free"),
    [
        ([], Phase.CLAIMED, True),
        (["intent"], Phase.INTENDED, False),
        (["intent", "rejected"], Phase.REJECTED, True),
        (["intent", "unknown"], Phase.UNKNOWN, False),
        (["intent", "unknown", "released"], Phase.RELEASED, True),
        (["intent", "unknown", "adopted"], Phase.SUBMITTED, False),
        (["intent", "unknown", "released", "adopted"], Phase.SUBMITTED, False),
        (["intent", "submitted"], Phase.SUBMITTED, False),
        (["intent", "submitted", "failed"], Phase.FAILED, False),
        (["intent", "submitted", "failed", "released"], Phase.RELEASED, True),
        (["intent", "submitted", "completed"], Phase.COMPLETED, False),
        (["intent", "submitted", "failed", "completed"], Phase.COMPLETED, False),
    ],
)
def test_phases(kinds: list[str], phase: Phase, free: bool) -> None:
    events = [event("claimed"), *(event(kind, id="x") for kind in kinds)]
    (attempt,) = attempts(JOB, events)
    assert (attempt.phase, attempt.free) == (phase, free)


def test_two_ids_of_one_attempt_are_both_kept() -> None:
    events = [event("claimed"), INTENT, event("submitted", id="b"), event("adopted", id="a")]
    (attempt,) = attempts(JOB, events)
    assert attempt.ids == ("a", "b")


def test_of_two_that_were_completed_everybody_takes_the_same() -> None:
    ends = [event("completed", id=name, records=name * 64) for name in "ba"]
    events = [event("claimed"), INTENT, event("submitted", id="b"), event("adopted", id="a")]
    for order in (ends, ends[::-1]):
        (attempt,) = attempts(JOB, [*events, *order])
        assert attempt.id == "a"
        assert attempt.as_of("b").completion.records == "b" * 64
        assert attempt.as_of("c") is attempt


def test_attempts_stand_apart() -> None:
    events = [event("claimed"), INTENT, event("released"), event("claimed", 2), event("intent", 2)]
    first, second = attempts(JOB, events)
    assert (first.number, first.phase) == (1, Phase.RELEASED)
    assert (second.number, second.phase) == (2, Phase.INTENDED)


@given(
    st.lists(st.sampled_from(sorted({KINDS[of] for of in PHASE_OF} - {"claimed"})), max_size=6),
    st.randoms(),
)
def test_order_does_not_matter(kinds: list[str], random: st.DrawFn) -> None:
    events = [event("claimed"), *(event(kind, id=f"{i}") for i, kind in enumerate(kinds))]
    (straight,) = attempts(JOB, events)
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    (other,) = attempts(JOB, shuffled)
    assert (straight.phase, straight.ids) == (other.phase, other.ids)

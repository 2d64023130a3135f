"""Batches: nothing lost, nothing asked twice, no limit overstepped."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.native import CircuitSummary
from iqm_spec.plan.plan import PlannedPoint
from iqm_spec.stages.server.attempts import ServerWork
from iqm_spec.stages.server.batch import BatchPart, Bounds, batches


def part(
    index: int, shots: int, target: str = "garnet", repeat: int = 0, ops: int = 3
) -> BatchPart:
    point = PlannedPoint(
        index=index,
        id=f"{index:016x}",
        name="ghz",
        values=(("n", index),),
        repeat=repeat,
        shots=shots,
        target=target,
        options={"heralding": "none"},
        circuit_key="a" * 64,
        circuit="c" * 64,
        summary=CircuitSummary(1, 1, {"r": 1}),
    )
    circuit = NativeCircuit(("QB1",), (("c", 1),), (Op("r", (0,), (1.0, 0.0)),) * ops)
    return BatchPart(point, f"{index}-{repeat}", circuit, shots)


limits = st.builds(
    Bounds,
    circuits=st.none() | st.integers(1, 5),
    shots=st.none() | st.integers(1, 400),
    executions=st.none() | st.integers(1, 900),
)
wanted = st.lists(
    st.tuples(st.sampled_from([1, 7, 100, 1000]), st.sampled_from(["garnet", "sirius"])),
    max_size=12,
)


@given(wanted, limits, st.sampled_from(["spec", "interleaved"]))
def test_every_shot_is_asked_once_within_the_limits(
    asked: list[tuple[int, str]], bounds: Bounds, order: str
) -> None:
    parts = [part(i, shots, target) for i, (shots, target) in enumerate(asked)]
    jobs = batches(parts, {"garnet": bounds, "sirius": bounds}, order)
    got: Counter[str] = Counter()
    for job in jobs:
        assert {p.point.target for p in job.parts} == {job.target}
        assert {p.shots for p in job.parts} == {job.shots}
        assert len(job.parts) <= (bounds.circuits or 500)
        assert job.shots <= (bounds.shots or job.shots)
        assert job.executions <= (bounds.executions or job.executions)
        got.update({p.key: p.shots for p in job.parts})
    assert got == Counter({p.key: p.shots for p in parts})
    names = [p.id for job in jobs for p in job.parts]
    assert len(set(names)) == len(names)


def test_points_that_share_all_are_one_job_in_the_order_of_the_spec() -> None:
    jobs = batches([part(i, 100) for i in range(7)], {}, "spec")
    assert [[p.point.index for p in job.parts] for job in jobs] == [list(range(7))]


def test_interleaved_takes_a_repeat_of_each_point_and_turns_round() -> None:
    parts = [part(i, 10, repeat=r) for i in range(3) for r in range(2)]
    (job,) = batches(parts, {}, "interleaved")
    assert [(p.point.repeat, p.point.index) for p in job.parts] == [
        (0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0),
    ]  # fmt: skip


def test_large_shot_counts_are_split_evenly() -> None:
    jobs = batches([part(0, 1000)], {"garnet": Bounds(shots=300)}, "spec")
    assert [(job.shots, job.parts[0].number) for job in jobs] == [
        (250, 0), (250, 1), (250, 2), (250, 3),
    ]  # fmt: skip


def test_a_circuit_that_is_too_long_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"ghz n=0 has 30 instructions; garnet takes 20"):
        batches([part(0, 10, ops=30)], {"garnet": Bounds(instructions=20)}, "spec")


def test_a_reference_stands_before_every_so_many_of_the_others() -> None:
    others = [part(i, 10) for i in range(5)]
    references = [evolve(part(9, 10, repeat=r), key=f"ref-{r}") for r in range(3)]
    named = [evolve(p, point=evolve(p.point, name="ref")) for p in references]
    (job,) = batches([*others, *named], {}, "spec", {"ref": 2})
    order = [(p.point.name, p.point.repeat if p.point.name == "ref" else p.point.index)
             for p in job.parts]  # fmt: skip
    assert order == [
        ("ref", 0), ("ghz", 0), ("ghz", 1), ("ref", 1), ("ghz", 2), ("ghz", 3), ("ref", 2),
        ("ghz", 4),
    ]  # fmt: skip


def test_higher_priority_comes_first_and_in_own_jobs_with_split_by_priority() -> None:
    parts = [part(i, 100) for i in range(4)]
    for i, priority in enumerate((0, 2, 0, 1)):
        parts[i] = evolve(parts[i], point=evolve(parts[i].point, priority=priority))

    def cut(*, split_by_priority: bool) -> list[list[int]]:
        jobs = batches(parts, {}, "spec", split_by_priority=split_by_priority)
        return [[p.point.index for p in job.parts] for job in jobs]

    assert cut(split_by_priority=False) == [[1, 3, 0, 2]]
    assert cut(split_by_priority=True) == [[1], [3], [0, 2]]


def test_of_points_that_ask_the_same_the_most_valuable_counts() -> None:
    dear = evolve(part(1, 100).point, priority=3)
    work = ServerWork(("k", "k"), {}, (part(0, 100).point, dear))
    assert [(point.index, point.priority) for point, *_ in work.left()] == [(0, 3)]

"""Ranges, conditions, published times, and which model speaks for a job."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from iqm_spec.cost.estimate import JobToPrice, Tariff, total_credits, total_seconds
from iqm_spec.cost.job_shape import JobShape, job_shape, uniform_job
from iqm_spec.cost.machine_times import (
    MachineTimes,
    condition_notes,
    conditions_of,
    published_times,
    under_conditions,
)
from iqm_spec.cost.precision import shots_for, standard_error
from iqm_spec.cost.prices import Price, published_price, quotes
from iqm_spec.cost.ranges import ZERO, Range, total
from iqm_spec.cost.timeslots import BETWEEN_JOBS, MARGIN, jobs_fitting_timeslot, timeslot_for_jobs
from iqm_spec.errors import UsageError
from iqm_spec.model import CircuitSpec, SourceKind
from iqm_spec.spec.sweep_blocks import parse_blocks
from iqm_spec.spec.sweep_points import circuit_points

MACHINES = ("garnet", "emerald", "sirius", "deneb", "an-unknown-one")


@frozen
class Fixed:
    """A time model that says the same of every job."""

    seconds: Range

    def predict(self, shapes: Sequence[JobShape]) -> list[Range]:
        return [self.seconds] * len(shapes)


SHAPES = st.builds(
    uniform_job,
    num_qubits=st.integers(1, 54),
    depth=st.integers(0, 3000),
    circuits=st.integers(1, 500),
    shots=st.integers(1, 100_000),
)


def test_a_range_is_in_order() -> None:
    with pytest.raises(ValueError, match="no range"):
        Range(2, 1, 3)
    assert Range(1, 2, 3).times(2).plus(Range(1, 1, 1)) == Range(3, 5, 7)
    assert total([]) == ZERO


@pytest.mark.parametrize("machine", MACHINES)
@given(shape=SHAPES, more=st.integers(1, 50))
@settings(deadline=None, max_examples=40)
def test_published_times_grow_with_the_job(machine: str, shape: JobShape, more: int) -> None:
    times = published_times(machine)
    one, shots, circuits = times.predict(
        [
            shape,
            JobShape(shape.circuits, shape.shots + more, shape.qubits, shape.depth, shape.volume),
            JobShape(shape.circuits + more, shape.shots, shape.qubits, shape.depth, shape.volume),
        ]
    )
    assert 0 <= one.low <= one.expected <= one.high
    for larger in (shots, circuits):
        assert larger.low >= one.low
        assert larger.expected >= one.expected
        assert larger.high >= one.high


def test_published_times_hold_the_measured_jobs_of_every_sister() -> None:
    """Wide, but not for nothing: FiQCI's own rows of three machines lie inside."""
    import csv
    from pathlib import Path

    import iqm_spec.cost

    times = published_times("garnet")
    inside = rows = 0
    for table in ("aaltoq20", "helmi", "vtt-q50"):
        path = Path(iqm_spec.cost.__file__).parent / "data" / f"{table}.csv"
        for row in csv.DictReader(path.read_text().splitlines()):
            qubits, depth = int(row["num_qubits"]), int(row["depth"])
            layers = {1: 2, 2: 8}.get(qubits, 3.55 * qubits * depth)
            circuits = int(row.get("batches") or row["num_circuits"])
            (said,) = times.predict([uniform_job(qubits, layers, circuits, int(row["shots"]))])
            inside += said.low <= float(row["qpu_seconds"]) <= said.high
            rows += 1
    assert inside / rows > 0.95


@given(jobs=st.lists(SHAPES, max_size=6), price=st.floats(0, 10))
@settings(deadline=None, max_examples=40)
def test_cost_adds_up_over_jobs(jobs: list[JobShape], price: float) -> None:
    tariff = Tariff(
        {"garnet": MachineTimes(published_times("garnet"))},
        {"garnet": Price(price, "given", "the test", "")},
    )
    costs = [tariff.cost(JobToPrice("garnet", shape)) for shape in jobs]
    seconds, credits_ = total_seconds(costs), total_credits(costs)
    for end in ("low", "expected", "high"):
        whole = math.fsum(getattr(cost.seconds, end) for cost in costs)
        assert getattr(seconds, end) == pytest.approx(whole)
        assert getattr(credits_, end) == pytest.approx(price * whole)
    # one job of all circuits never takes longer than one job each, by the expected figure
    if jobs and len({shape.shots for shape in jobs}) == 1:
        together = JobShape(
            sum(s.circuits for s in jobs),
            jobs[0].shots,
            sum(s.qubits for s in jobs),
            sum(s.depth for s in jobs),
            sum(s.volume for s in jobs),
        )
        assert tariff.cost(JobToPrice("garnet", together)).seconds.expected <= seconds.expected * (
            1 + 1e-9
        )


@pytest.mark.parametrize(
    ("options", "conditions"),
    [
        ({}, "plain"),
        ({"heralding": "none", "active_reset_cycles": None}, "plain"),
        ({"heralding": "zeros"}, "heralding"),
        ({"active_reset_cycles": 2}, "active reset 2"),
        ({"heralding": "zeros", "active_reset_cycles": 1}, "heralding, active reset 1"),
    ],
)
def test_conditions(options: dict[str, object], conditions: str) -> None:
    assert conditions_of(options) == conditions  # type: ignore[arg-type]
    assert bool(condition_notes(conditions)) == (conditions != "plain")


def test_heralding_widens_upwards_and_active_reset_downwards() -> None:
    plain, overhead = Range(4, 5, 6), Range(0.5, 1, 2)
    heralded = under_conditions(plain, overhead, "heralding")
    assert (heralded.low, heralded.expected) == (4, 5)
    assert heralded.high > 6
    assert under_conditions(plain, overhead, "active reset 2") == Range(0.5, 5, 6)


SHAPE = uniform_job(2, 5, 10, 1000)


@pytest.mark.parametrize(
    ("given_", "measured", "conditions", "basis", "expected"),
    [
        (None, None, "plain", "published", 10.0),
        (Range(1, 2, 3), Range(4, 5, 6), "plain", "given", 2.0),
        (None, Range(4, 5, 6), "plain", "measured", 5.0),
        # says less than the published range, and holds what that expects
        (None, Range(1, 3, 500), "plain", "published", 10.0),
        # says less, but that the published figure is wrong
        (None, Range(11, 300, 5000), "plain", "measured", 300.0),
        (None, Range(4, 5, 6), "heralding", "measured", 5.0),
    ],
)
def test_which_model_speaks(
    given_: Range | None, measured: Range | None, conditions: str, basis: str, expected: float
) -> None:
    times = MachineTimes(
        Fixed(Range(2, 10, 20)),
        None if given_ is None else Fixed(given_),
        {} if measured is None else {"plain": Fixed(measured)},
    )
    said = times.predict(SHAPE, conditions)
    assert (said.basis, said.seconds.expected) == (basis, expected)


def test_shapes_of_different_circuits_add_up() -> None:
    assert job_shape([(2, 5), (3, 10)], 100) == JobShape(2, 100, 5, 15, 40)
    assert job_shape([(2, 5)] * 3, 100) == uniform_job(2, 5, 3, 100)
    assert JobShape.from_json(SHAPE.to_json()) == SHAPE
    assert SHAPE.executions == 10_000


def test_other_sellers_price_circuits_and_shots() -> None:
    found = {quote.seller: quote for quote in quotes("garnet", [SHAPE, SHAPE])}
    assert found["Amazon Braket"].amount == pytest.approx(20 * 0.30 + 20_000 * 0.00145)
    assert found["Scaleway"].currency == "EUR"
    assert all(quote.source and quote.date for quote in found.values())
    assert quotes("deneb", [SHAPE]) == []
    assert quotes("garnet", []) == []


def test_the_published_price_names_its_source_and_date() -> None:
    price = published_price()
    assert price.per_second == 0.3
    assert price.kind == "published"
    assert price.source
    assert price.date


@pytest.mark.parametrize(
    ("error", "quantity", "shots"),
    [(0.01, "probability", 2500), (0.01, "expectation", 10_000), (0.5, "probability", 1)],
)
def test_shots_and_errors(error: float, quantity: str, shots: int) -> None:
    assert shots_for(error, quantity) == shots
    assert standard_error(shots, quantity) <= error * (1 + 1e-9)
    assert shots == 1 or standard_error(shots - 1, quantity) > error


@given(error=st.floats(1e-4, 1))
def test_shots_for_an_error_are_enough_and_not_too_many(error: float) -> None:
    shots = shots_for(error)
    assert standard_error(shots) <= error * (1 + 1e-9)
    assert shots == 1 or standard_error(shots - 1) > error * (1 - 1e-9)


@pytest.mark.parametrize("error", [0, -1, 2, 1e-9, 1e-300, 4e-5, math.nan, math.inf])
def test_errors_that_cannot_be_had(error: float) -> None:
    with pytest.raises(UsageError):
        shots_for(error)


@given(
    jobs=st.lists(st.floats(0, 1000).map(lambda s: Range(s / 2, s, 2 * s)), max_size=8),
    slot=st.floats(0, 10_000),
)
def test_what_fits_in_a_slot_fits(jobs: list[Range], slot: float) -> None:
    fit = jobs_fitting_timeslot(jobs, slot)
    longest = sum(one.high + BETWEEN_JOBS.high for one in jobs[:fit])
    assert longest <= slot * (1 - MARGIN) + 1e-6
    if fit < len(jobs):
        assert longest + jobs[fit].high + BETWEEN_JOBS.high > slot * (1 - MARGIN) - 1e-6
    asked = timeslot_for_jobs(jobs)
    assert jobs_fitting_timeslot(jobs, asked.minutes * 60 + 1e-6) == len(jobs)


def test_priorities_of_circuit_and_block_add_up() -> None:
    circuit = CircuitSpec(
        index=0, name="x", kind=SourceKind.GENERATOR, ref="x", args={"n": "${n}"}, priority=10
    )
    raw = [{"grid": {"n": [1, 2]}, "priority": 1}, {"grid": {"n": [3]}}, {"grid": {"m": [1]}}]
    blocks = parse_blocks(raw, ("sweep",), lambda problem: None)
    found = [(dict(p.values)["n"], p.priority) for p in circuit_points(circuit, blocks).points()]
    assert found == [(1, 11), (2, 11), (3, 10)]

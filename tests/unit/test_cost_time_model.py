"""Time models: how well they predict what they have not seen, and what they never do."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from iqm_spec.cost.accuracy import (
    accuracy_of,
    accuracy_of_ranges,
    checked_fit,
    cross_check,
    predict_many,
)
from iqm_spec.cost.job_shape import Timing, uniform_job
from iqm_spec.cost.ranges import Range
from iqm_spec.cost.time_model import fit, model_from_json
from iqm_spec.cost.timing_tables import MACHINES
from iqm_spec.errors import UsageError
from tools import make_cost_table

LAWS = make_cost_table.INVENTED


def example(jobs: int, seed: int = 3) -> list[Timing]:
    return make_cost_table.invented(*LAWS["no floor"], seed)[:jobs]


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
def test_half_of_a_public_table_predicts_the_other(machine: str) -> None:
    found = make_cost_table.of_machine(machine, seeds=range(4))
    assert np.mean([one.median_error for one in found.ours]) <= 0.03
    assert np.mean([one.p90_error for one in found.ours]) <= 0.10
    assert 0.86 <= np.mean([one.coverage for one in found.ours]) <= 0.97
    assert np.mean([one.width for one in found.ours]) < 0.4
    if machine != "Helmi":  # whose formula was fitted to all of this table, and says it all
        theirs = np.mean([one.median_error for one in found.published])
        assert 3 * np.mean([one.median_error for one in found.ours]) < theirs


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_machines_that_nobody_has_seen(name: str) -> None:
    law, wild = LAWS[name]
    found = make_cost_table.outcome(
        lambda seed: make_cost_table.invented(law, wild, seed), seeds=range(4)
    )
    # no law of ours has both a start-up and a least time per circuit, or circuits that get cheaper
    unlike = "cheaper" in name or "start-up" in name
    assert np.mean([one.median_error for one in found.ours]) <= (0.05 if unlike else 0.03)
    assert np.mean([one.coverage for one in found.ours]) >= 0.86 * (1 - wild)
    assert np.mean([one.width for one in found.ours]) < (0.7 if unlike else 0.4)


@pytest.mark.slow
@pytest.mark.parametrize(("jobs", "factor"), [(3, 1.5), (5, 1.35), (10, 1.2)])
def test_few_jobs_make_no_claims(jobs: int, factor: float) -> None:
    found, inside = [], []
    law, _ = LAWS["no floor"]
    for seed in range(4):
        timings = make_cost_table.invented(law, 0, seed)
        ranges = fit(timings[:jobs]).predict([one.shape for one in timings])
        assert all(one.high >= factor * one.low for one in ranges)
        found += ranges[jobs:]
        inside += [one.qpu_seconds for one in timings[jobs:]]
    assert accuracy_of_ranges(found, inside).coverage >= 0.75


def test_three_jobs_at_least() -> None:
    with pytest.raises(UsageError, match="too few"):
        fit(example(2))
    assert cross_check(example(3)) is None
    assert accuracy_of(checked_fit(example(3), {})) is None


@pytest.mark.slow
def test_the_order_of_jobs_does_not_matter() -> None:
    timings = example(8)
    shuffled = random.Random(1).sample(timings, len(timings))
    first, second = checked_fit(timings, {}), checked_fit(shuffled, {})
    assert json.dumps(first.to_json()) == json.dumps(second.to_json())


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [3, 5, 16])
def test_a_model_survives_its_file(jobs: int) -> None:
    model = checked_fit(example(jobs), {"source": "here"})
    again = model_from_json(json.loads(json.dumps(model.to_json(), allow_nan=False)))
    shapes = [one.shape for one in example(120)]
    assert again.predict(shapes) == model.predict(shapes)
    assert accuracy_of(again) == accuracy_of(model)
    assert again.origin["source"] == "here"
    assert list(predict_many(again, shapes)) == model.predict(shapes)


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in parents:
            data = data[key]
        data[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("format", "iqm-spec/time-model/2"),
        put("terms", ["job"]),
        put("timings", []),
        put("timings", {}),
        put("timings.0", [1, 2, 3]),
        put("timings.0.5", float("nan")),
        put("timings.0.6", 99),
        put("timings.0.6", -1),
        put("timings.0.7", float("inf")),
        put("folds", []),
        put("chosen.coefficients", [1.0]),
        put("chosen.coefficients.0", -1.0),
        put("chosen.coefficients.0", float("nan")),
        put("chosen.coefficients.0", "much"),
        put("chosen.terms", ["magic"]),
        put("chosen.floor", "house"),
        put("chosen.least", -1),
        put("chosen", None),
        put("origin", 3),
    ],
)
def test_a_file_that_is_no_model_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    data = copy.deepcopy(fit(example(8)).to_json())
    change(data)
    with pytest.raises(UsageError, match="no time model"):
        model_from_json(data)


@pytest.mark.parametrize("data", [None, 3, [], {}, "model"])
def test_other_json_is_no_model(data: Any) -> None:
    with pytest.raises(UsageError, match="no time model"):
        model_from_json(data)


def test_wild_rows_are_named_and_change_little() -> None:
    tame = example(60)
    shapes = [one.shape for one in example(120)[60:]]
    wild = [Timing(one.shape, one.qpu_seconds * 8) for one in tame[::15]]
    model = fit([*[one for i, one in enumerate(tame) if i % 15], *wild])
    assert {t for t, w in zip(model.timings, model.wild, strict=True) if w} == set(wild)
    pairs = zip(fit(tame).predict(shapes), model.predict(shapes), strict=True)
    assert all(abs(b.expected / a.expected - 1) < 0.05 for a, b in pairs)


@pytest.mark.slow
def test_jobs_far_outside_the_data_are_wide() -> None:
    timings = [
        Timing(
            uniform_job(5, 10, circuits, 1000), 0.5 + 0.4 * circuits * (1 + 0.01 * (circuits % 3))
        )
        for circuits in (1, 2, 3, 4, 5, 6, 8, 10)
    ]
    near, many_shots, deep = fit(timings).predict(
        [uniform_job(5, 10, 5, 1000), uniform_job(5, 10, 5, 100_000), uniform_job(5, 1000, 5, 1000)]
    )
    assert near.high < 1.7 * near.low
    assert many_shots.high > 20 * many_shots.low  # circuits or their shots: who knows?
    assert deep.high > 20 * deep.low


def test_one_clock_tick_off_is_no_wild_row() -> None:
    timings = [Timing(uniform_job(2, 2, n, 100), 0.1 * n) for n in range(1, 12)]
    model = fit(timings)
    assert not any(model.wild)
    (found,) = model.predict([uniform_job(2, 2, 5, 100)])
    assert found.expected == pytest.approx(0.5, rel=1e-3)


def test_scores_are_counted_right() -> None:
    ranges = [Range(1, 2, 3), Range(1, 2, 3), Range(1, 2, 5)]
    found = accuracy_of_ranges(ranges, [2.0, 4.0, 1.0])
    assert found.median_error == pytest.approx(0.5)
    assert found.coverage == pytest.approx(2 / 3)
    assert found.width == pytest.approx(1.0)

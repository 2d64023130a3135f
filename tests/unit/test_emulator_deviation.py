"""Uneven machines: physical figures, drift from set to set, ids, and what is remembered."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.emulator.computers import (
    BETWEEN_SETS,
    CALIBRATED,
    UNCERTAINTY,
    Calibration,
    calibration,
    calibration_set,
    computers,
    dynamic_architecture,
    move_default,
    quality_metrics,
    withdraw,
)
from iqm_spec.emulator.deviation import (
    EVEN,
    Deviation,
    Unevenness,
    deviating_profile,
    deviation_from_json,
    remember,
    unevenness,
)
from iqm_spec.emulator.options import Options, machines_from_text, options_from_json
from iqm_spec.emulator.state import State, open_state
from iqm_spec.errors import UsageError
from iqm_spec.targets import (
    ErrorProfile,
    architecture,
    error_profile,
    error_profile_from_json,
    known_targets,
    measured_profile,
)
from iqm_spec.targets.profile import average_fidelity

GARNET = computers()["garnet"]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(tmp_path)


def gate_errors(profile: ErrorProfile, gate: str) -> dict[Any, float]:
    return {
        locus: 1
        - average_fidelity(
            strength, [(profile.t1[n], profile.t2[n]) for n in locus], profile.durations[gate]
        )
        for locus, strength in profile.depolarizing[gate].items()
    }


deviations = st.builds(
    Deviation,
    spread=st.floats(0, 3),
    seed=st.integers(0, 2**40),
    steps=st.lists(st.tuples(st.integers(0, 9), st.floats(-1, 3)), max_size=3).map(tuple),
    number=st.integers(0, 9),
    idle=st.booleans(),
)


@given(st.sampled_from(known_targets()), deviations)
def test_figures_are_physical(machine: str, deviation: Deviation) -> None:
    profile = deviating_profile(machine, deviation)
    # a profile that is not raises ValueError here
    assert error_profile_from_json(profile.to_json()) == profile
    assert profile.idle is deviation.idle
    for gate in profile.depolarizing:
        assert max(gate_errors(profile, gate).values()) < 0.5
    assert all(0 < p < 0.5 for errors in profile.readout.values() for p in errors)


@given(st.sampled_from(known_targets()), deviations)
def test_the_metrics_give_the_profile_that_jobs_are_simulated_with(
    machine: str, deviation: Deviation
) -> None:
    computer, simulated = computers()[machine], deviating_profile(machine, deviation)
    read = measured_profile(
        architecture(machine),
        quality_metrics(computer, "set", "chip", deviation),
        calibration_set(computer, "set", "chip", deviation),
        dynamic_architecture(computer, "set"),
    )
    assert read.t1 == pytest.approx(simulated.t1)
    assert read.t2 == pytest.approx(simulated.t2)
    assert read.durations == pytest.approx(simulated.durations)
    assert read.readout.keys() == simulated.readout.keys()
    for qubit, errors in read.readout.items():
        assert errors == pytest.approx(simulated.readout[qubit])
    for gate, strengths in simulated.depolarizing.items():
        assert read.depolarizing[gate] == pytest.approx(strengths, abs=1e-9)
    assert len(read.assumptions) == 1, "nothing is missing, nothing is cut"


def test_figures_are_log_normal() -> None:
    even, uneven = error_profile("emerald"), deviating_profile("emerald", Deviation(0.3, 5))
    assert even is not None
    logarithms = [math.log(uneven.t1[name] / even.t1[name]) for name in even.t1]
    logarithms += [
        math.log(uneven.readout[name][bit] / even.readout[name][bit])
        for name in even.readout
        for bit in (0, 1)
    ]
    count = len(logarithms)
    assert len(set(logarithms)) == count == 162
    assert abs(fmean(logarithms)) < 4 * 0.3 / count**0.5
    assert stdev(logarithms) == pytest.approx(0.3, rel=4 / (2 * count) ** 0.5)


def test_a_gate_errs_no_less_than_relaxation() -> None:
    profile = deviating_profile("garnet", Deviation(0.7, 3))
    only_relaxing = evolve(
        profile, depolarizing={"cz": dict.fromkeys(profile.depolarizing["cz"], 0.0)}
    )
    limits, errors = gate_errors(only_relaxing, "cz"), gate_errors(profile, "cz")
    assert all(errors[locus] >= limits[locus] for locus in limits)
    assert any(errors[locus] == limits[locus] for locus in limits)


def test_the_same_seed_gives_the_same_machine_and_another_seed_another() -> None:
    first, again = (deviating_profile.__wrapped__("garnet", Deviation(0.5, 7)) for _ in range(2))
    assert first == again
    assert first.t1["QB1"] == pytest.approx(64569.5356, rel=1e-6), "in every emulator, at any time"
    assert deviating_profile("garnet", Deviation(0.5, 8)).t1["QB1"] != first.t1["QB1"]


def test_nothing_deviates_by_default(state: State) -> None:
    built_in = error_profile("garnet")
    assert deviating_profile("garnet", EVEN) == built_in
    now = calibration(state, GARNET)
    assert [now.deviation_of(number).identity for number in range(2)] == [(), ()]
    assert now.set_id(1) == "d2ff3387-1b47-5ae8-80f1-389f56e52512"
    moved = move_default(state, GARNET)
    assert moved.deviation(None).is_even
    metrics: Any = quality_metrics(GARNET, moved.resolve(None), "chip", moved.deviation(None))
    assert metrics["end_timestamp"] == CALIBRATED.isoformat()
    assert {item["uncertainty"] for item in metrics["observations"]} == {None}
    assert not [item for item in metrics["observations"] if "echo" in item["dut_field"]]
    assert "drifts" not in state.read(f"calibration/{GARNET.id}.json")


# --- calibration sets ----------------------------------------------------------------------------


def log_factors(calibration_: Calibration, before: int, after: int) -> list[float]:
    profiles = [
        deviating_profile("garnet", calibration_.deviation_of(number)) for number in (before, after)
    ]
    return [math.log(profiles[1].t1[name] / profiles[0].t1[name]) for name in profiles[0].t1]


def test_each_set_differs_from_the_one_before_by_its_drift(state: State) -> None:
    remember(state, {"spread": 0.5, "seed": 7})
    move_default(state, GARNET)
    move_default(state, GARNET, 0.0)
    move_default(state, GARNET, 0.4)
    now = withdraw(state, GARNET, drift=0.02)
    assert (now.default, now.withdrawn) == (5, {4})
    assert now == calibration(state, GARNET), "all of it is in the state directory"
    sizes = [stdev([*log_factors(now, n, n + 1), 0.0]) for n in range(5)]
    # 20 qubits tell a standard deviation within a factor of 1.6, four times its standard error
    for size, expected in zip(sizes, (0.1, 0.1, 0.0, 0.4, 0.02), strict=True):
        assert expected / 1.6 <= size <= expected * 1.6
    first = deviating_profile("garnet", Deviation(0.5, 7))
    assert first == evolve(deviating_profile("garnet", now.deviation_of(1)), idle=False)
    assert len({now.set_id(number) for number in range(6)}) == 6


def test_a_newer_set_is_younger(state: State) -> None:
    remember(state, {"spread": 0.2})
    move_default(state, GARNET, 0.0)
    now = move_default(state, GARNET)
    ends = [
        quality_metrics(GARNET, now.set_id(n), "chip", now.deviation_of(n))["end_timestamp"]
        for n in range(4)
    ]
    assert ends == [(CALIBRATED + k * BETWEEN_SETS).isoformat() for k in (-1, 0, 1, 2)]


def test_an_even_machine_can_be_moved(state: State) -> None:
    before = calibration(state, GARNET)
    now = move_default(state, GARNET, 0.3)
    assert now.set_id(1) == before.set_id(1)
    deviation = now.deviation(None)
    assert (deviation.spread, deviation.steps, deviation.idle) == (0.0, ((2, 0.3),), False)
    assert move_default(state, GARNET).deviation(None).steps == ((2, 0.3),), "it stays moved"


def test_ids_depend_on_the_figures(tmp_path: Path) -> None:
    def ids(name: str, **changes: Any) -> list[str]:
        state = open_state(tmp_path / name)
        remember(state, changes)
        now = calibration(state, GARNET)
        return [now.set_id(number) for number in range(2)]

    even, uneven = ids("even"), ids("uneven", spread=0.5, seed=7)
    assert ids("again", spread=0.5, seed=7) == uneven
    assert ids("seed", seed=7) == even, "a seed alone changes nothing"
    assert ids("idle", idle=True) == even
    drifting = ids("drift", drift=0.1)
    assert (drifting[1], drifting[0] != even[0]) == (even[1], True)
    listed = [*even, *uneven, *ids("other", spread=0.5, seed=8), *ids("more", spread=0.6, seed=7)]
    assert len(set(listed)) == 8


def test_a_mock_has_the_figures_of_its_machine() -> None:
    deviation = Deviation(0.5, 7)
    mock, premises = computers()["garnet:mock"], computers("garnet")["default"]
    assert mock.profile_under(deviation) == GARNET.profile_under(deviation)
    assert premises.profile_under(deviation) == GARNET.profile_under(deviation)
    assert computers()["emerald"].profile_under(deviation).t1 != GARNET.profile_under(deviation).t1


def test_figures_have_uncertainties() -> None:
    deviation = Deviation(0.5, 7)
    metrics: Any = quality_metrics(GARNET, "set", "chip", deviation)
    listed: Mapping[str, Any] = {item["dut_field"]: item for item in metrics["observations"]}
    t2 = listed["characterization.model.QB3.t2_time"]
    assert t2["uncertainty"] == pytest.approx(UNCERTAINTY * t2["value"])
    assert listed["characterization.model.QB3.t2_echo_time"]["value"] == t2["value"]
    for name in (
        "metrics.rb.prx.drag_crf.QB1.fidelity:par=d2",
        "metrics.irb.cz.tgss.QB1__QB2.fidelity:par=d2",
        "metrics.ssro.measure.constant.QB1.fidelity",
    ):
        item = listed[name]
        assert item["uncertainty"] == pytest.approx(UNCERTAINTY * (1 - item["value"]))
    readout = listed["metrics.ssro.measure.constant.QB1.error_1_to_0"]
    assert readout["uncertainty"] == pytest.approx(UNCERTAINTY * readout["value"])
    echoes = [name for name in listed if "echo" in name]
    assert len(echoes) == 20
    star = quality_metrics(computers()["sirius"], "set", "chip", deviation)
    assert "characterization.model.CR1.t2_echo_time" not in json.dumps(star)


# --- what is remembered, and how it is asked for --------------------------------------------------


def test_a_state_directory_remembers_its_machines(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    remember(state, Options().unevenness)
    assert not (tmp_path / "calibration" / "machines.json").exists()
    remember(state, Options(spread=0.5, calibration_seed=7).unevenness)
    remember(state, Options(speed=5).unevenness)
    assert unevenness(open_state(tmp_path)) == Unevenness(0.5, 7)
    remember(state, Options(drift=0.2, idle=False).unevenness)
    assert unevenness(state) == Unevenness(0.5, 7, 0.2, False)
    remember(state, Options(spread=0.0).unevenness)
    assert unevenness(state) == Unevenness(0.0, 7, 0.2, False)


@pytest.mark.parametrize(
    ("machines", "drift", "idle"),
    [
        (Unevenness(), 0.0, False),
        (Unevenness(0.5), 0.1, True),
        (Unevenness(0.5, drift=0.0), 0.0, True),
        (Unevenness(drift=0.2), 0.2, True),
        (Unevenness(0.5, idle=False), 0.1, False),
        (Unevenness(idle=True), 0.0, True),
    ],
)
def test_what_a_spread_implies(machines: Unevenness, drift: float, idle: bool) -> None:
    assert (machines.usual_drift, machines.relaxes_idle) == (drift, idle)


@given(deviations)
def test_a_deviation_survives_json(deviation: Deviation) -> None:
    assert deviation_from_json(json.loads(json.dumps(deviation.to_json()))) == deviation


def test_the_options_survive_the_way_to_the_child() -> None:
    options = Options(spread=0.5, calibration_seed=7, drift=0.1, idle=False)
    assert options_from_json(json.loads(json.dumps(options.to_json()))) == options


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("spread=0.5", {"spread": 0.5}),
        (
            " spread=0.5, calibration-seed=7 drift=0.1 idle=yes ",
            {"spread": 0.5, "calibration_seed": 7, "drift": 0.1, "idle": True},
        ),
        ("idle=no", {"idle": False}),
    ],
)
def test_machines_of_the_built_in_emulator(text: str, values: Mapping[str, Any]) -> None:
    assert machines_from_text(text) == values


@pytest.mark.parametrize("text", ["0.5", "spread", "spread=much", "speed=4", "idle=maybe", "=1"])
def test_machines_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="IQM_SPEC_EMULATOR") as refused:
        machines_from_text(text)
    assert "spread=0.5" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"spread": -0.1}, "the spread must be between 0 and 3"),
        ({"spread": float("nan")}, "spread"),
        ({"drift": 3.5}, "the drift must be between 0 and 3, got 3.5"),
        ({"drift": float("inf")}, "drift"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(options: dict[str, float], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        Options(**options)  # type: ignore[arg-type]

"""Quality metrics as servers name them, and the error profiles that are made of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqm_spec.emulator.computers import calibration_set, computers, quality_metrics
from iqm_spec.targets import (
    architecture,
    error_profile,
    error_profile_from_json,
    known_targets,
    measured_profile,
)
from iqm_spec.targets.profile import average_fidelity, depolarizing_of_fidelity
from iqm_spec.targets.quality_metrics import Observation, first_values, observations

NAMES = {
    # name: title, locus, suffixes
    "metrics.rb.prx.drag_crf.QB1.fidelity:par=d2": ("rb prx fidelity", ("QB1",), {"par": "d2"}),
    "metrics.rb.prx.drag_crf.QB1.fidelity": ("rb prx fidelity", ("QB1",), {}),
    "metrics.irb.cz.crf_crf.QB1__QB2.fidelity:par=d2": (
        "irb cz fidelity",
        ("QB1", "QB2"),
        {"par": "d2"},
    ),
    "metrics.irb.move.crf_crf.QB1__COMPR1.fidelity:n_interleaved_gates=2": (
        "irb move fidelity",
        ("QB1", "COMPR1"),
        {"n_interleaved_gates": "2"},
    ),
    "metrics.ssro.measure_fidelity.constant.QB1.error_0_to_1": (
        "ssro measure_fidelity error_0_to_1",
        ("QB1",),
        {},
    ),
    "metrics.ghz_state.QB1__QB2.coherence_lower_bound": (
        "ghz_state coherence_lower_bound",
        ("QB1", "QB2"),
        {},
    ),
    "characterization.model.QB5.t2_echo_time": ("t2_echo_time", ("QB5",), {}),
    "characterization.model.QB1.init_error:herald=a.b:measure=c.d": (
        "init_error",
        ("QB1",),
        {"herald": "a.b", "measure": "c.d"},
    ),
    "gates.cz.tgss.QB1__QB2.duration": ("cz duration", ("QB1", "QB2"), {}),
}


def told(**values: Any) -> dict[str, Any]:
    listed = [{"dut_field": name, "value": value} for name, value in values.items()]
    return {"observations": listed}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read(name: str) -> None:
    (found,) = observations(told(**{name: 0.5}))
    assert (found.title, found.locus, dict(found.suffixes)) == NAMES[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("gates")])
def test_names_are_read_as_iqm_client_does(name: str) -> None:
    from iqm.station_control.client.qon import QON

    theirs: Any = QON.from_str(name)
    (ours,) = observations(told(**{name: 0.5}))
    assert str(theirs.domain) == ours.domain
    assert dict(theirs.suffixes) == dict(ours.suffixes)
    if hasattr(theirs, "locus"):
        assert theirs.locus == ours.locus
        assert (theirs.method, theirs.metric) == (ours.method, ours.quantity)
    else:
        assert ((theirs.component,), theirs.quantity) == (ours.locus, ours.quantity)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"observations": 3},
        {"observations": [3, {}, {"dut_field": 1, "value": 1}]},
        told(**{"metrics.rb.prx.a.QB1.fidelity": "0.5"}),
        told(**{"metrics.rb.prx.a.QB1.fidelity": True}),
        told(**{"metrics.rb.prx.a.QB1.fidelity": float("nan")}),
        told(**{"metrics.rb.prx.a.QB1.fidelity": float("inf")}),
        told(**{"metrics.rb.prx.a.QB1.fidelity": 10**400}),
        told(**{"metrics": 1.0, "": 1.0, "metrics.rb.x": 1.0, "controllers.QB1.drive.x": 1.0}),
        {"observations": [{"dut_field": "gates.a.b.QB1.x", "value": 1.0, "invalid": True}]},
    ],
)
def test_what_is_no_figure_is_left_out(data: Any) -> None:
    assert list(observations(data)) == []


def test_of_two_with_one_name_the_first_counts() -> None:
    given_ = [
        Observation("metrics", "rb", "prx", kind, ("QB1",), "fidelity", value)
        for kind, value in (("a", 0.9), ("b", 0.8))
    ]
    assert first_values(given_, "metrics", "fidelity", "rb", "prx") == {("QB1",): 0.9}


# --- fidelities ----------------------------------------------------------------------------------

TIMES = st.floats(1e3, 1e6).flatmap(lambda t1: st.floats(10.0, 2 * t1).map(lambda t2: (t1, t2)))


@given(st.floats(0, 1), st.lists(TIMES, min_size=1, max_size=2), st.floats(0, 500))
def test_a_fidelity_gives_the_channel_back(
    strength: float, times: list[tuple[float, float]], duration: float
) -> None:
    fidelity = average_fidelity(strength, times, duration)
    assert depolarizing_of_fidelity(fidelity, times, duration) == pytest.approx(strength, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("alias", known_targets())
def test_fidelities_are_those_of_the_channels_that_are_simulated(alias: str) -> None:
    from qiskit.quantum_info import average_gate_fidelity

    from iqm_spec.stages.aer.noise import channel

    profile = error_profile(alias)
    assert profile is not None
    for gate, name in (("prx", "r"), ("cz", "cz"), ("move", "move")):
        for locus, strength in list(profile.depolarizing.get(gate, {}).items())[:3]:
            times = [(profile.t1[part], profile.t2[part]) for part in locus]
            ours = average_fidelity(strength, times, profile.durations[gate])
            theirs = average_gate_fidelity(channel(profile, name, locus))
            assert ours == pytest.approx(theirs, abs=1e-12)


# --- profiles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("alias", known_targets())
def test_the_emulators_metrics_give_the_profile_back(alias: str) -> None:
    computer, given_ = computers()[alias], error_profile(alias)
    assert given_ is not None
    made = measured_profile(
        architecture(alias),
        quality_metrics(computer, "set", "chip"),
        calibration_set(computer, "set", "chip"),
    )
    assert made.t1 == pytest.approx(given_.t1)
    assert made.t2 == pytest.approx(given_.t2)
    assert made.durations == pytest.approx(given_.durations)
    assert made.readout.keys() == given_.readout.keys()
    for qubit, errors in made.readout.items():
        assert errors == pytest.approx(given_.readout[qubit])
    for gate, errors_of in given_.depolarizing.items():
        assert made.depolarizing[gate] == pytest.approx(errors_of, abs=1e-9)
    assert len(made.assumptions) == 1


def metrics_of_garnet(without: str = "", **changes: float) -> dict[str, Any]:
    data: dict[str, Any] = dict(quality_metrics(computers()["garnet"], "set", "chip"))
    data["observations"] = [
        {**item, "value": changes.get(item["dut_field"], item["value"])}
        for item in data["observations"]
        if not without or without not in item["dut_field"]
    ]
    return data


def test_what_is_missing_is_the_median_of_the_rest_and_said() -> None:
    garnet = architecture("garnet")
    made = measured_profile(garnet, metrics_of_garnet("QB7.t1_time"), None)
    assert made.t1["QB7"] == made.t1["QB1"]
    said = " ".join(made.assumptions)
    assert "No t1 time is told: the median of the others (QB7)." in said
    assert "The duration of cz is garnet's" in said


def test_a_t2_that_cannot_be_is_cut() -> None:
    changes = {"characterization.model.QB3.t2_time": 1.0}
    made = measured_profile(architecture("garnet"), metrics_of_garnet(**changes), None)
    assert made.t2["QB3"] == 2 * made.t1["QB3"]
    assert "T2 is cut to twice T1 (QB3)." in made.assumptions


@pytest.mark.parametrize(
    ("without", "lacks"),
    [("t1_time", "t1 time"), ("prx", "prx fidelity"), (".cz.", "cz fidelity"), ("ssro", "readout")],
)
def test_what_the_metrics_lack_altogether_is_named(without: str, lacks: str) -> None:
    with pytest.raises(ValueError, match=f"the quality metrics have no usable {lacks}"):
        measured_profile(architecture("garnet"), metrics_of_garnet(without), None)


def test_all_that_the_metrics_lack_is_named() -> None:
    with pytest.raises(ValueError, match="usable t1 time, t2 time, prx fidelity, cz fidelity"):
        measured_profile(architecture("garnet"), None, None)
    impossible = {f"metrics.rb.prx.drag_crf.QB{n}.fidelity:par=d2": 1.7 for n in range(1, 21)}
    with pytest.raises(ValueError, match=r"usable prx fidelity$"):
        measured_profile(architecture("garnet"), metrics_of_garnet(**impossible), None)


@given(st.dictionaries(st.sampled_from(list(NAMES)), st.floats(allow_nan=True)))
def test_any_metrics_give_a_profile_or_words(values: dict[str, float]) -> None:
    try:
        made = measured_profile(architecture("garnet"), told(**values), told(**values))
    except ValueError as error:
        text = str(error)
    else:
        text = error_profile_from_json(made.to_json()).source
    assert "quality metrics" in text

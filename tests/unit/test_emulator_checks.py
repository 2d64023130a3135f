"""What is refused at submission, and what the server tells, held against iqm-client's models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator.checks import checked
from iqm_spec.emulator.computers import (
    calibration,
    calibration_set,
    computers,
    dynamic_architecture,
    move_default,
    quality_metrics,
    static_architecture,
    withdraw,
)
from iqm_spec.emulator.deviation import EVEN, Deviation
from iqm_spec.emulator.messages import ApiError
from iqm_spec.emulator.options import Options
from iqm_spec.emulator.state import State, open_state
from iqm_spec.targets import architecture_from_json

pytestmark = pytest.mark.slow

ALL = computers()


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(tmp_path)


def op(name: str, *locus: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "locus": list(locus), "args": args}


M1 = op("measure", "QB1", key="m")
PRX = op("prx", "QB1", angle=1.0, phase=0.5)
MOVE = op("move", "QB1", "CR1")
UNIVERSAL = "00000000-0000-0000-0000-000000000000"


def job(*ops: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"circuits": [{"name": "c", "instructions": list(ops)}], "shots": 10, **more}


def check(state: State, alias: str, body: Any, tag: str | None = None, **limits: int) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return checked(raw, tag, calibration(state, ALL[alias]), Options(limits=limits))


@pytest.mark.parametrize(
    ("alias", "body"),
    [
        ("garnet", job(PRX, M1)),
        ("garnet:mock", job(PRX, M1)),
        ("garnet", job(op("cz", "QB2", "QB1"), M1)),
        ("garnet", job(op("delay", "QB1", duration=1e-7), op("barrier", "QB1", "QB9"), M1)),
        ("garnet", job(op("measure", "QB1", "QB7", key="m"))),
        ("garnet", job(op("prx", "a", angle=1.0, phase=0.0), op("measure", "a", key="m"))
         | {"qubit_mapping": [{"logical_name": "a", "physical_name": "QB1"}]}),
        ("sirius", job(MOVE, op("cz", "QB2", "CR1"), MOVE, M1)),
        ("deneb", job(MOVE, PRX, MOVE, M1, move_gate_validation="allow_prx")),
        ("deneb", job(MOVE, PRX, M1, move_gate_validation="none",
                      move_gate_frame_tracking="none")),
    ],
)  # fmt: skip
def test_what_is_sound_is_taken(state: State, alias: str, body: Any) -> None:
    found = check(state, alias, body)
    assert found.shots == 10
    assert found.calibration_set_id == calibration(state, ALL[alias]).resolve("default")
    assert len(found.circuits) == 1


@pytest.mark.parametrize(
    ("alias", "body", "status", "code", "told"),
    [
        ("garnet", b"{", 400, "invalid_input", "no JSON"),
        ("garnet", b"[]", 400, "invalid_input", "no JSON object"),
        ("garnet", {}, 422, "validation_error", "circuits"),
        ("garnet", job(M1) | {"shots": 0}, 422, "validation_error", "shots"),
        ("garnet", job(M1, heralding_mode="ones"), 422, "validation_error", "heralding_mode"),
        ("garnet", job(M1, calibration_set_id="mine"), 422, "validation_error", "calibration"),
        ("garnet", {"circuits": []}, 400, "invalid_job_payload", "no circuits"),
        ("garnet", {"circuits": ["define void @main"]}, 400, "invalid_job_payload", "QIR"),
        ("garnet", job(PRX), 400, "invalid_job_payload", "no measurements"),
        ("garnet", job(M1, M1), 400, "invalid_job_payload", "non-unique"),
        ("garnet", job(op("cz", "QB1", "QB9"), M1), 400, "invalid_job_payload", "not allowed"),
        ("garnet", job(op("cz", "QB1", "QB99"), M1), 400, "invalid_job_payload", "QB99"),
        ("garnet", job(op("prx", "QB1", angle=1.0), M1), 400, "invalid_job_payload", "phase"),
        ("garnet", job(op("prx", "QB1", angle=1, phase=0.0), M1), 400, "invalid_job_payload",
         "<class 'int'>"),
        ("garnet", job(op("hadamard", "QB1"), M1), 400, "invalid_job_payload", "hadamard"),
        ("garnet", job(op("rz", "QB1", angle=1.0), M1), 400, "invalid_job_payload", "rz"),
        ("garnet", job(MOVE, M1), 400, "invalid_job_payload", "move"),
        ("garnet", job(M1, calibration_set_id=UNIVERSAL), 404, "calibration_set_not_found", "0000"),
        ("garnet", job(M1, qubit_mapping=[{"logical_name": "a", "physical_name": "QB1"}]),
         400, "invalid_job_payload", "QB1"),
        ("garnet", job(op("measure", "a", "b", key="m"), qubit_mapping=[
            {"logical_name": "a", "physical_name": "QB1"},
            {"logical_name": "b", "physical_name": "QB1"}]),
         400, "invalid_job_payload", "same physical qubit"),
        ("deneb", job(MOVE, M1), 400, "invalid_job_payload", "in a resonator"),
        ("deneb", job(MOVE, PRX, MOVE, M1), 400, "invalid_job_payload", "prx"),
        ("deneb", job(MOVE, op("move", "QB2", "CR1"), M1), 400, "invalid_job_payload", "occupied"),
        ("deneb", job(M1, move_gate_validation="none"), 400, "invalid_job_payload", "tracking"),
        ("garnet", job(op("delay", "QB1", duration=-1e-6), M1), 400, "invalid_job_payload",
         "a delay must be between 0 and 1 s"),
        ("garnet", job(op("delay", "QB1", duration=1e30), M1), 400, "invalid_job_payload", "delay"),
        ("garnet", job(op("reset", "QB1"), M1), 400, "invalid_job_payload", "has no `reset`"),
        ("garnet", job(M1, max_circuit_duration_over_t2=-1), 400, "invalid_job_payload", "below 0"),
        ("garnet", b'{"circuits": [], "shots": 1e400}', 400, "invalid_input", "no JSON"),
        ("garnet", job({"name": "prx", "locus": "QB1", "args": {}}), 422, "validation_error",
         "circuit 0, instruction 0: `locus` must be a list of names"),
        ("garnet", job(M1, qubit_mapping="x"), 422, "validation_error", "list of pairs"),
    ],
)  # fmt: skip
def test_what_is_unsound_is_refused(
    state: State, alias: str, body: Any, status: int, code: str, told: str
) -> None:
    with pytest.raises(ApiError) as refused:
        check(state, alias, body)
    assert (refused.value.status, refused.value.error_code) == (status, code)
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        ({"max_shots_per_circuit": 9}, 400),
        ({"max_circuits_per_job": 1}, 400),
        ({"max_executions_per_job": 19}, 400),
        ({"max_instructions_per_circuit": 1}, 400),
        ({"max_payload_bytes": 100}, 413),
        ({"max_executions_per_job": 20, "max_circuits_per_job": 2}, 0),
    ],
)
def test_limits_hold(state: State, limits: Mapping[str, int], status: int) -> None:
    body = job(PRX, M1)
    body["circuits"] *= 2
    if not status:
        assert len(check(state, "garnet", body, **limits).circuits) == 2
        return
    with pytest.raises(ApiError) as refused:
        check(state, "garnet", body, **limits)
    assert refused.value.status == status


def test_a_tag_has_at_most_fifty_characters(state: State) -> None:
    assert check(state, "garnet", job(M1), "x" * 50)
    with pytest.raises(ApiError) as refused:
        check(state, "garnet", job(M1), "x" * 51)
    assert refused.value.status == 422


def test_calibration_sets_come_and_go(state: State) -> None:
    garnet = ALL["garnet"]
    first = calibration(state, garnet).resolve(None)
    second = move_default(state, garnet).resolve(None)
    assert first != second
    assert check(state, "garnet", job(M1, calibration_set_id=first)).calibration_set_id == first
    withdraw(state, garnet, first)
    with pytest.raises(ApiError):
        check(state, "garnet", job(M1, calibration_set_id=first))
    third = withdraw(state, garnet).resolve(None)
    assert third not in (first, second)
    with pytest.raises(ApiError):
        calibration(state, garnet).resolve(second)
    assert calibration(state, garnet).resolve(garnet and third.upper()) == third
    assert calibration(state, ALL["garnet:mock"]).default == 1


@pytest.mark.parametrize("deviation", [EVEN, Deviation(0.5, 7)], ids=["even", "uneven"])
@pytest.mark.parametrize("alias", sorted(ALL))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_machines_are_what_iqms_models_say(state: State, alias: str, deviation: Deviation) -> None:
    from iqm.station_control.client.qon import ObservationFinder
    from iqm.station_control.interface.models import (
        DynamicQuantumArchitecture,
        StaticQuantumArchitecture,
    )
    from iqm.station_control.interface.models.observation_set import ObservationSetWithObservations

    computer = ALL[alias]
    set_id = calibration(state, computer).resolve(None)
    dynamic = DynamicQuantumArchitecture.model_validate(dynamic_architecture(computer, set_id))
    assert str(dynamic.calibration_set_id) == set_id
    again = architecture_from_json(dynamic_architecture(computer, set_id), computer.machine)
    assert again.digest == computer.architecture.digest
    static = StaticQuantumArchitecture.model_validate(static_architecture(computer, "chip"))
    assert static.qubits == dynamic.qubits
    found = [
        ObservationSetWithObservations.model_validate(make(computer, set_id, "chip", deviation))
        for make in (calibration_set, quality_metrics)
    ]
    finder = ObservationFinder([item for one in found for item in one.observations])
    t1, t2 = finder.get_coherence_times(dynamic.qubits)
    assert t1.keys() == t2.keys() == set(dynamic.qubits)
    profile = computer.profile_under(deviation)
    assert t1["QB1"] == pytest.approx(profile.t1["QB1"] * 1e-9)
    for gate, info in dynamic.gates.items():
        for locus in info.loci:
            name = info.default_implementation
            if gate in ("prx", "cz", "move", "measure", "measure_fidelity"):
                fidelity = finder.get_gate_fidelity(gate, name, locus)
                assert fidelity is not None
                assert 0.8 < fidelity <= 1
            if gate in ("prx", "cz", "move", "cc_prx"):
                assert finder.get_gate_duration(gate, name, locus) is not None
    assert finder.get_measure_errors("measure", "constant", ("QB1",)) == pytest.approx(
        profile.readout["QB1"]
    )


def test_ids_are_the_same_everywhere() -> None:
    assert ALL["garnet"].id == "60954592-1491-58f5-8056-b30409dc2546"
    assert len({item.id for item in ALL.values()}) == len(ALL) == 8
    assert computers("garnet").keys() == {"default"}

"""Bodies of submissions beside iqm-client's own models and validators."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any

import pytest

from iqm_spec.canonical import canonical
from iqm_spec.json_types import Json
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.server_api.payload import job_body, normalized, request_model
from iqm_spec.server_api.results import counts_of_measurements
from iqm_spec.targets import Architecture, architecture

SET = "3902d525-d8f4-42c0-9fa9-6bbd535b6c80"
MACHINES = ["garnet", "emerald", "sirius", "deneb"]
OPTIONS: list[Mapping[str, Json]] = [
    {},
    {"heralding": "zeros", "dynamical_decoupling": True, "active_reset_cycles": 2},
    {"max_circuit_duration_over_t2": 2, "move_gate_validation": "none"},
    {"max_circuit_duration_over_t2": 1.5, "move_gate_frame_tracking": "no_detuning_correction"},
]


def served(machine: Architecture) -> dict[str, Any]:
    """An architecture as the server gives it."""
    return {
        "calibration_set_id": SET,
        "qubits": list(machine.qubits),
        "computational_resonators": list(machine.resonators),
        "gates": {
            name: {
                "implementations": {"some": {"loci": [list(locus) for locus in loci]}},
                "default_implementation": "some",
                "override_default_implementation": {},
            }
            for name, loci in machine.gates.items()
        },
    }


def circuit_on(machine: Architecture) -> NativeCircuit:
    """Every instruction that the machine has, on its first coupling; awkward angles."""
    first, second = machine.gates["cz"][0]
    qubits = [name for name in (first, second) if name in machine.qubits]
    other = next(q for q in machine.qubits if q not in qubits)
    components = (qubits[0], second if second != qubits[0] else first, other)
    ops = [Op("r", (0,), (math.pi, -0.0)), Op("r", (2,), (1e-9, 2.0)), Op("barrier", (0, 2))]
    if machine.resonators:
        ops += [Op("move", (2, 1)), Op("cz", (0, 1)), Op("move", (2, 1))]
    else:
        ops += [Op("cz", (0, 1)), Op("measure", (1,), (), (1,))]
    ops += [
        Op("delay", (0,), (8e-08,)),
        Op("measure", (0,), (), (3,)),
        Op("measure", (2,), (), (0,)),
    ]
    return NativeCircuit(components, (("c", 2), ("größe_1", 2)), tuple(ops))


@pytest.mark.parametrize("alias", MACHINES)
@pytest.mark.parametrize("options", OPTIONS)
def test_bodies_are_what_iqm_client_would_send(alias: str, options: Mapping[str, Json]) -> None:
    from iqm.iqm_client.models import CircuitCompilationOptions
    from iqm.pulse import Circuit, CircuitOperation
    from iqm.station_control.interface.models.circuit import PostJobsRequest

    machine = architecture(alias)
    native = circuit_on(machine)
    ours = job_body([("a", native), ("ü", native)], 100, SET, options)

    names = {"r": "prx"}
    args: dict[str, Any] = {
        "r": lambda op: dict(zip(("angle", "phase"), op.params, strict=True)),
        "delay": lambda op: {"duration": op.params[0]},
        "measure": lambda op: {
            "key": {0: "c_2_0_0", 1: "c_2_0_1", 3: "größe_1_2_1_1"}[op.clbits[0]]
        },
    }
    instructions = tuple(
        CircuitOperation(
            names.get(op.name, op.name),
            tuple(native.components[q] for q in op.qubits),
            args.get(op.name, lambda op: {})(op),
        )
        for op in native.ops
    )
    told: dict[str, Any] = dict(options)
    dd = "enabled" if told.pop("dynamical_decoupling", False) else "disabled"
    heralding = told.pop("heralding", "none")
    assert set(told) <= set(CircuitCompilationOptions.__dataclass_fields__)
    theirs = PostJobsRequest(
        circuits=[Circuit("a", instructions), Circuit("ü", instructions)],
        shots=100,
        calibration_set_id=SET,
        dd_mode=dd,
        heralding_mode=heralding,
        **told,
    ).model_dump_json()
    assert canonical(json.loads(ours)) == canonical(json.loads(theirs))
    assert normalized(json.loads(ours)) == canonical(json.loads(ours))
    assert json.dumps(json.loads(ours), sort_keys=True) == json.dumps(
        json.loads(theirs.replace("-0.0", "0.0")), sort_keys=True
    ), "numbers must be floats where iqm-client sends floats"


def complaint(body: bytes, machine: Architecture) -> str:
    """What iqm-client's own validators say of a body; empty where they accept it."""
    from exa.common.errors.iqm_error import IQMError
    from iqm.iqm_client.models import CircuitCompilationOptions, validate_circuit
    from iqm.iqm_client.validation import validate_circuit_instructions
    from iqm.station_control.interface.models import DynamicQuantumArchitecture

    request = request_model(json.loads(body))
    served_machine = DynamicQuantumArchitecture.model_validate(served(machine))
    moves = request.move_gate_validation
    try:
        CircuitCompilationOptions(
            move_gate_validation=moves, move_gate_frame_tracking=request.move_gate_frame_tracking
        )
        for circuit in request.circuits:
            validate_circuit(circuit)
            validate_circuit_instructions(served_machine, [circuit], validate_moves=moves)
    except (ValueError, IQMError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("alias", MACHINES)
def test_iqm_clients_validators_accept_them(alias: str) -> None:
    machine = architecture(alias)
    body = job_body([("a", circuit_on(machine))], 10, None, {})
    assert complaint(body, machine) == ""


Q = ("QB1", "QB2", "CR1")


@pytest.mark.parametrize(
    ("alias", "ops", "options", "words"),
    [
        ("garnet", [Op("cz", (0, 2))], {}, "not allowed"),
        ("garnet", [Op("move", (0, 1))], {}, "not"),
        ("garnet", [Op("u3", (0,))], {}, "Unknown"),
        ("deneb", [Op("move", (0, 2)), Op("r", (0,), (1.0, 0.5))], {}, "resonator"),
        ("deneb", [Op("move", (0, 2))], {}, "still in a resonator"),
        ("garnet", [], {"move_gate_validation": "none"}, "frame tracking"),
    ],
)
def test_iqm_clients_validators_complain(
    alias: str, ops: list[Op], options: Mapping[str, Json], words: str
) -> None:
    body = job_body([("mine", NativeCircuit(Q, (), tuple(ops)))], 10, None, options)
    assert words in complaint(body, architecture(alias))


def test_bytes_do_not_move() -> None:
    native = NativeCircuit(
        ("QB1",), (("c", 1),), (Op("r", (0,), (1.0, -0.0)), Op("measure", (0,), (), (0,)))
    )
    assert job_body([("a", native)], 5, None, {}).decode() == (
        '{"active_reset_cycles":null,"calibration_set_id":null,"circuits":[{"instructions":'
        '[{"args":{"angle":1.0,"phase":0.0},"implementation":null,"locus":["QB1"],"name":"prx"},'
        '{"args":{"key":"c_1_0_0"},"implementation":null,"locus":["QB1"],"name":"measure"}],'
        '"metadata":null,"name":"a"}],"dd_mode":"disabled","dd_strategy":null,'
        '"heralding_mode":"none","max_circuit_duration_over_t2":null,'
        '"move_gate_frame_tracking":"full","move_gate_frame_tracking_mode":"full",'
        '"move_gate_validation":"strict","move_validation_mode":"strict",'
        '"qubit_mapping":null,"shots":5}'
    )


def test_a_bit_measured_twice_has_its_last_outcome() -> None:
    twice = (Op("measure", (0,), (), (1,)), Op("measure", (0,), (), (1,)))
    circuit = NativeCircuit(("QB1",), (("my_c", 2),), twice)
    (sent,) = json.loads(job_body([("a", circuit)], 1, None, {}))["circuits"]
    keys = [item["args"]["key"] for item in sent["instructions"]]
    assert keys == ["overwritten_1_1_0", "my_c_2_0_1"]
    measurements = [{keys[0]: [[1], [1]], keys[1]: [[0], [1]]}]
    assert counts_of_measurements(measurements, [circuit]) == [{"00": 1, "10": 1}]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_angles_must_be_numbers(value: float) -> None:
    with pytest.raises(ValueError, match="no angle"):
        job_body([("a", NativeCircuit(("QB1",), (), (Op("r", (0,), (value, 0.0)),)))], 1, None, {})


def test_unknown_options_and_sets_are_mistakes() -> None:
    with pytest.raises(ValueError, match="herald"):
        job_body([], 1, None, {"herald": "zeros"})
    with pytest.raises(ValueError):
        job_body([], 1, "not a set", {})


def test_a_hundred_thousand_instructions_take_no_time() -> None:
    ops = tuple(Op("r", (i % 20,), (i * 1e-5, 0.1)) for i in range(1000))
    native = NativeCircuit(tuple(f"QB{i + 1}" for i in range(20)), (), ops)
    start = time.process_time()
    body = job_body([(f"c{i}", native) for i in range(100)], 1, None, {})
    assert time.process_time() - start < 2.0  # 0.1 s where nothing else runs
    assert body.count(b'"prx"') == 100_000


def fed_back() -> NativeCircuit:
    """A bit that is written twice; conditions read either value."""
    ops = (
        Op("r", (0,), (math.pi / 2, 0.0)),
        Op("measure", (0,), (), (1,)),
        Op("cc_r", (1,), (math.pi, 0.5), (1,)),
        Op("reset", (0,)),
        Op("measure", (1,), (), (1,)),
        Op("cc_r", (0,), (math.pi, 0.0), (1,)),
        Op("measure", (0,), (), (0,)),
    )
    return NativeCircuit(("QB1", "QB2"), (("c", 2),), ops)


@pytest.mark.slow
def test_conditions_are_sent_as_iqm_client_sends_them() -> None:
    from iqm.qiskit_iqm.qiskit_to_iqm import serialize_instructions

    from iqm_spec.transpile import to_qiskit

    native = fed_back()
    (sent,) = json.loads(job_body([("a", native)], 10, None, {}))["circuits"]
    first, second = sent["instructions"][1], sent["instructions"][4]
    assert first["args"] == {"key": "overwritten_1_1_0", "feedback_key": "overwritten_1_1_0"}
    assert second["args"] == {"key": "c_2_0_1", "feedback_key": "c_2_0_1"}

    theirs = serialize_instructions(to_qiskit(native), dict(enumerate(native.components)))
    for ours, other in zip(sent["instructions"], theirs, strict=True):
        assert (ours["name"], tuple(ours["locus"])) == (other.name, other.locus)
        assert ours["args"].keys() == other.args.keys()
        if ours["name"] == "cc_prx":
            assert ours["args"]["feedback_qubit"] == other.args["feedback_qubit"]
    assert theirs[4].args == second["args"]


def test_iqm_clients_validators_accept_conditions() -> None:
    machine = architecture("emerald")
    body = job_body([("a", fed_back())], 10, None, {})
    assert complaint(body, machine) == ""
    assert normalized(json.loads(body)) == canonical(json.loads(body))

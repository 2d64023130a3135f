"""QPY files: what is read of them, and what is never loaded."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Clbit, Gate, Parameter, ParameterVector, Qubit
from qiskit.circuit.library import (
    PauliEvolutionGate,
    QFTGate,
    get_standard_gate_name_mapping,
)
from qiskit.quantum_info import SparsePauliOp

from iqm_spec.circuits import CircuitError, build_circuit, find_generator, inspect_qpy
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.model import CircuitFacts, SourceKind


def dump(*circuits: QuantumCircuit, **options: int) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        qpy.dump(list(circuits), file, **options)
    return file.getvalue()


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def build(data: bytes, **parameters: float) -> QuantumCircuit:
    return build_circuit(SourceKind.QPY, "file.qpy", data, {}, parameters)


def refusal(data: bytes) -> str:
    facts, problems = inspect_qpy(data)
    assert facts is None
    assert [problem.code for problem in problems] == ["S402"]
    with pytest.raises(CircuitError):
        build(data)
    return problems[0].message


@pytest.mark.parametrize("angle", [float("inf"), float("nan"), -1e301])
def test_angles_are_finite(angle: float) -> None:
    circuit = bell()
    circuit.rz(0.5, 0)
    inner = QuantumCircuit(1, name="mine")
    inner.rz(angle, 0)
    assert inspect_qpy(dump(circuit))[1] == ()
    circuit.rz(angle, 0)
    assert "an angle of `rz` is" in refusal(dump(circuit))
    nested = bell()
    nested.append(inner.to_gate(), [1])
    assert "an angle of `mine` is" in refusal(dump(nested))


def test_angles_stay_finite_when_they_are_bound() -> None:
    theta = Parameter("theta")
    circuit = bell()
    circuit.rz(1 / theta, 0)
    assert build(dump(circuit), theta=2).num_parameters == 0
    with pytest.raises(CircuitError, match="with theta = 0 an angle of `file") as caught:
        build(dump(circuit), theta=0)
    assert caught.value.code == "S407"


@pytest.mark.parametrize("version", [13, 14, 15])
def test_parameters_are_bound(version: int) -> None:
    a, b, v = Parameter("a"), Parameter("b"), ParameterVector("v", 3)
    circuit = QuantumCircuit(1, 1, global_phase=a)
    for angle in (2 * a + b / 3 - 1, (a * b).sin() ** 2, v[0] + v[2], -a, 1 / b):
        circuit.rx(angle, 0)
    circuit.measure(0, 0)
    data = dump(circuit, version=version)
    assert inspect_qpy(data) == (CircuitFacts(1, 1, 1, ("a", "b", "v[0]", "v[2]")), ())
    values = {"a": 0.5, "b": 2, "v[0]": 1, "v[2]": 0.25}
    bound = build(data, **values)
    assert bound == circuit.assign_parameters(values)
    with pytest.raises(CircuitError, match="has no value"):
        build(data, a=1)


WITH_DELAYS = ("t1", "ramsey", "echo")


@pytest.mark.parametrize("name", WITH_DELAYS)
def test_qiskit_cannot_read_its_own_delays_in_seconds(name: str) -> None:
    """Qiskit 2.1 writes them without their unit: such a file is refused, and never misread."""
    facts, problems = inspect_qpy(dump(find_generator(name).build(find_generator(name).example)))
    assert facts is None
    assert [problem.code for problem in problems] == ["S402"]


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name not in WITH_DELAYS])
def test_circuits_come_back_as_they_were(name: str) -> None:
    circuit = find_generator(name).build(find_generator(name).example)
    data = dump(circuit)
    assert inspect_qpy(data) == (find_generator(name).facts(find_generator(name).example), ())
    assert build(data) == circuit


def test_gates_of_ones_own_and_control_flow() -> None:
    part = QuantumCircuit(2, name="part")
    part.h(0)
    part.cx(0, 1)
    circuit = QuantumCircuit(3, 3)
    circuit.append(part.to_gate(), [0, 1])
    circuit.append(part.to_instruction(), [0, 1])
    circuit.append(part.to_gate().control(1), [0, 1, 2])
    circuit.append(QFTGate(3), [0, 1, 2])
    circuit.unitary([[0, 1], [1, 0]], 0)
    circuit.measure(range(3), range(3))
    with circuit.if_test((0, 1)):
        circuit.x(1)
        circuit.measure(1, 1)
    with circuit.for_loop(range(10**9)):
        circuit.x(1)
    circuit.reset(0)
    circuit.delay(10, 0)
    data = dump(circuit)
    facts, problems = inspect_qpy(data)
    assert not problems
    assert facts is not None
    assert facts.measured == 4
    assert [item.kind for item in facts.features] == [
        "if_else",
        "for_loop",
        "reset",
        "delay in dt",
        "measurement under a condition",
    ]
    built = build(data)
    assert set(built.count_ops()) <= {
        *get_standard_gate_name_mapping(),
        *("measure", "if_else", "for_loop", "qft", "unitary"),
    }
    assert (built.num_qubits, built.num_clbits) == (3, 3)


def test_a_measurement_inside_of_an_instruction_is_found() -> None:
    part = QuantumCircuit(1, 1, name="part")
    part.measure(0, 0)
    circuit = QuantumCircuit(2, 2)
    circuit.append(part.to_instruction(), [1], [0])
    assert inspect_qpy(dump(circuit)) == (CircuitFacts(2, 2, 1), ())


def test_a_circuit_without_measurement() -> None:
    facts, problems = inspect_qpy(dump(QuantumCircuit(1)))
    assert facts is None
    assert [problem.code for problem in problems] == ["S403"]


def substituted() -> QuantumCircuit:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(2 * a, 0)
    return circuit.assign_parameters({a: b + 1})


def opaque() -> QuantumCircuit:
    circuit = bell()
    circuit.append(Gate("magic", 1, []), [0])
    return circuit


def evolution() -> QuantumCircuit:
    circuit = bell()
    circuit.append(PauliEvolutionGate(SparsePauliOp("ZZ"), 1), [0, 1])
    return circuit


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (substituted, "stands for another expression"),
        (opaque, "`magic` is opaque"),
        (evolution, "definition is code"),
        (lambda: QuantumCircuit(10_001), "more than 10,000 qubits"),
    ],
)
def test_circuits_that_are_not_read(circuit: Callable[[], QuantumCircuit], message: str) -> None:
    assert message in refusal(dump(circuit()))


def test_a_definition_is_counted_as_often_as_it_is_used() -> None:
    """One gate of 5,000 operations, used 300 times by an instruction that is written repeatedly."""
    part = QuantumCircuit(1, name="part")
    for _ in range(5000):
        part.x(0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(part.to_gate(), [0])
    data = dump(circuit)
    head, name = struct.calcsize("!HHHIIBHqII"), len("part_") + 32
    start = data.rindex(b"part_") - head
    record = data[start : start + head + name + 5]
    count = 20 + struct.calcsize("!HcHIIQI")  # num_instructions, after the file's own header
    assert struct.unpack_from("!Q", data, count) == (1,)
    for times, accepted in ((3, True), (300, False)):
        used = data[:start] + record * times + data[start + len(record) :]
        used = used[:count] + struct.pack("!Q", times) + used[count + 8 :]
        _, (problem,) = inspect_qpy(used)
        assert ("expands to more than" in problem.message) is not accepted


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no QPY file"),
        (b"OPENQASM 2.0;", "no QPY file"),
        (b"QISKIT", "ends in the middle"),
        (b"QISKIT" + bytes(60), "QPY version 0"),
        (dump(bell(), bell()), "2 circuits"),
        (dump(bell())[:-40], "ends in the middle"),
    ],
)
def test_files_that_are_not_read(data: bytes, message: str) -> None:
    assert message in refusal(data)


@pytest.mark.parametrize("version", range(13))
def test_old_versions_evaluate_or_unpickle_and_are_not_read(version: int) -> None:
    data = bytearray(dump(bell()))
    data[6] = version
    assert "13 to 15 are read" in refusal(bytes(data))


@pytest.mark.parametrize("name", [b"QuantumCircuit", b"TwoLocal", b"Parameter", b"PhaseOracle"])
def test_no_other_class_is_called(name: bytes) -> None:
    circuit = bell()
    circuit.append(QFTGate(2), [0, 1])
    circuit.rx(1, 0)
    data = dump(circuit)
    assert data.count(b"RXGate") == 1
    place = data.index(b"RXGate")
    head = struct.calcsize("!HHHIIBHqII")
    renamed = data[: place - head] + struct.pack("!H", len(name)) + data[place - head + 2 : place]
    assert "is not read" in refusal(renamed + name + data[place + len(b"RXGate") :])


@pytest.mark.parametrize(
    "operations",
    [
        struct.pack("!Bc16sc16s", 4, b"i", struct.pack("!Qq", 0, 9**9), b"i", bytes(16)),
        struct.pack("!Bc16sc16s", 255, b"n", bytes(16), b"n", bytes(16)),
        struct.pack("!Bc16sc16s", 15, b"u", struct.pack("!QQ", 2**60, 0), b"n", bytes(16)),
    ],
    ids=["power of numbers", "endless loop", "substitution"],
)
def test_expressions_that_qiskit_does_not_write(operations: bytes) -> None:
    circuit = bell()
    circuit.rx(2 * Parameter("a"), 0)
    data = dump(circuit)
    wanted = struct.pack("!QQ", 1, 35)
    assert data.count(wanted) == 1
    place = data.index(wanted) + 16
    message = refusal(data[:place] + operations + data[place + 35 :])
    assert "expression" in message


def test_a_vector_of_many_parameters_is_refused() -> None:
    circuit = bell()
    circuit.rx(ParameterVector("v", 7)[0], 0)
    data = dump(circuit)
    vector = struct.pack("!HQ", 1, 7)
    assert data.count(vector) == 1
    assert "vector" in refusal(data.replace(vector, struct.pack("!HQ", 1, 2**60)))


def test_a_matrix_that_lies_about_its_size_is_refused() -> None:
    circuit = bell()
    circuit.unitary([[0, 1], [1, 0]], 0)
    data = dump(circuit)
    assert data.count(b"(2, 2)") == 1
    assert "matrix" in refusal(data.replace(b"(2, 2)", b"(9, 9)"))
    assert "matrix" in refusal(data.replace(b"'<c16'", b"'|O  '"))


def test_registers_that_share_bits_are_refused_where_the_file_is_read() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.add_register(ClassicalRegister(name="again", bits=circuit.clbits[:1]))
    circuit.measure([0, 1], [0, 1])
    facts, (problem,) = inspect_qpy(dump(circuit))
    assert facts is None
    assert (problem.code, problem.message) == ("S402", "its classical registers share bits")


def test_qubits_outside_of_registers_are_qubits() -> None:
    loose = QuantumCircuit([Qubit()], QuantumRegister(2, "q"), [Clbit()], ClassicalRegister(2, "c"))
    loose.x(0)
    loose.cz(2, 1)
    loose.measure(range(3), range(3))
    circuit = build(dump(loose))
    assert [register.size for register in circuit.qregs] == [3]
    assert [circuit.find_bit(item.qubits[0]).index for item in circuit.data] == [0, 2, 0, 1, 2]

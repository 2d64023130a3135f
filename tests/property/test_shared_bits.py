"""Several measurements into one classical bit: the last one of the circuit counts."""

from __future__ import annotations

from exact import distance, distribution
from hypothesis import event, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations

QUBITS, BITS = 4, 2


@st.composite
def circuits(draw: st.DrawFn) -> QuantumCircuit:
    circuit = QuantumCircuit(QUBITS, BITS)
    for _ in range(draw(st.integers(2, 16))):
        wires = draw(st.permutations(range(QUBITS)))
        match draw(st.sampled_from(["rx", "h", "cx", "cx", "measure", "measure", "barrier"])):
            case "rx":
                circuit.rx(draw(st.floats(-3, 3).map(lambda t: round(t, 4))), wires[0])
            case "h":
                circuit.h(wires[0])
            case "cx":
                circuit.cx(wires[0], wires[1])
            case "measure":
                circuit.measure(wires[0], draw(st.integers(0, BITS - 1)))
            case "barrier":
                circuit.barrier(wires[:2])
    for wire in draw(st.permutations(range(QUBITS))):
        circuit.measure(wire, draw(st.integers(0, BITS - 1)))
    return circuit


@given(circuits(), st.integers(0, 3), st.sampled_from(["garnet", "deneb"]), st.integers(0, 3))
@settings(max_examples=100)
def test_the_last_write_wins_or_the_circuit_is_refused(
    circuit: QuantumCircuit, level: int, alias: str, seed: int
) -> None:
    machine = architecture(alias)
    try:
        native = transpile(circuit, machine, {"optimization_level": level, "seed": seed})
    except Refused as refused:
        event(f"refused: {refused}")
        if "one classical bit" not in str(refused):
            raise
        return
    assert violations(native, machine) == []
    assert distance(distribution(circuit), distribution(to_qiskit(native))) < 1e-7


def test_an_outcome_that_another_qubit_overwrites_is_a_violation() -> None:
    machine = architecture("garnet")

    def native(*ops: Op) -> NativeCircuit:
        return NativeCircuit(("QB1", "QB2"), (("c", 1),), ops)

    first, second = Op("measure", (0,), (), (0,)), Op("measure", (1,), (), (0,))
    told = violations(native(first, second), machine)
    assert told == ["instruction 0 (measure): instruction 1 writes the same bit"]
    assert violations(native(first, Op("r", (0,), (1.0, 0.0)), second), machine) == []

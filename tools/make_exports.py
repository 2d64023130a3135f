"""Random circuits exported by other frameworks, with the distributions that they compute.

Runs in an environment of its own, .venv-exports, where those frameworks are: `make exports-check`.
Writes NAME.qasm, and NAME.json with the probabilities of outcomes, classical bit 0 last.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

QUBITS = 4
GATES = 14

Exported = tuple[str, str, "np.ndarray"]
"""A name, OpenQASM text, and probabilities by the integer whose bit i is classical bit i."""


def cirq_circuits(chance: random.Random, number: int) -> Iterator[Exported]:
    """Cirq's own export; its gates that OpenQASM has no name for come decomposed."""
    import cirq

    one = [cirq.H, cirq.T, cirq.S, cirq.X, cirq.Y**0.3, cirq.Z**-0.7, cirq.X**0.25]
    one += [cirq.PhasedXPowGate(phase_exponent=0.3, exponent=0.6)]
    two = [cirq.CX, cirq.CZ, cirq.SWAP, cirq.ISWAP, cirq.CZ**0.4, cirq.SWAP**0.5, cirq.ISWAP**0.5]
    two += [cirq.XX**0.3, cirq.ZZ**0.2, cirq.FSimGate(0.4, 0.9), cirq.CX**0.5]
    three = [cirq.CCX, cirq.CCZ, cirq.CSWAP]
    for i in range(number):
        qubits = cirq.LineQubit.range(QUBITS)
        circuit = cirq.Circuit(cirq.I.on_each(*qubits))
        for _ in range(GATES):
            gate = chance.choice(chance.choices([one, two, three], [4, 4, 1])[0])
            circuit.append(gate(*chance.sample(qubits, cirq.num_qubits(gate))))
        state = circuit.final_state_vector(qubit_order=qubits)
        measured = circuit + cirq.measure(*qubits, key="c")
        version = chance.choice(["2.0", "3.0"])
        text = measured.to_qasm(version=version)
        # cirq writes `sxdg`, which stdgates.inc does not have
        text = text.replace("qubit[", "gate sxdg a { inv @ sx a; }\nqubit[", 1)
        yield f"cirq-{i}-{version[0]}", text, _flipped(np.abs(state) ** 2)


def pytket_circuits(chance: random.Random, number: int) -> Iterator[Exported]:
    """Pytket writes gates that qelib1.inc lacks as definitions of its own."""
    from pytket import Circuit, OpType
    from pytket.qasm import circuit_to_qasm_str
    from pytket.qasm.qasm import QASMUnsupportedError

    one = [OpType.H, OpType.T, OpType.Sdg, OpType.SX, OpType.SXdg, OpType.V, OpType.Y]
    turned = [OpType.Rx, OpType.Ry, OpType.Rz, OpType.U1, OpType.PhasedX, OpType.U3]
    two = [OpType.CX, OpType.CZ, OpType.CY, OpType.CH, OpType.SWAP, OpType.ECR, OpType.CSX]
    two += [OpType.CV, OpType.ISWAPMax, OpType.ZZMax, OpType.Sycamore, OpType.CSXdg]
    angled = [OpType.CRz, OpType.CRx, OpType.CU1, OpType.ISWAP, OpType.XXPhase, OpType.ZZPhase]
    angled += [OpType.YYPhase, OpType.TK2, OpType.CU3, OpType.PhasedISWAP, OpType.FSim]
    three = [OpType.CCX, OpType.CSWAP, OpType.BRIDGE]
    angles = {OpType.PhasedX: 2, OpType.U3: 3, OpType.TK2: 3, OpType.CU3: 3, OpType.FSim: 2}
    angles |= {OpType.PhasedISWAP: 2}

    def writable(gate: OpType, width: int, kinds: list[OpType]) -> bool:
        wanted = angles.get(gate, 1) if kinds in (turned, angled) else 0
        try:
            circuit_to_qasm_str(Circuit(width).add_gate(gate, [0.3] * wanted, list(range(width))))
        except QASMUnsupportedError:
            return False
        return True

    for kinds, width in ((one, 1), (turned, 1), (two, 2), (angled, 2), (three, 3)):
        kinds[:] = [gate for gate in kinds if writable(gate, width, kinds)]
    for i in range(number):
        circuit = Circuit(QUBITS, QUBITS)
        for _ in range(GATES):
            kinds = chance.choices([one, turned, two, angled, three], [3, 3, 3, 3, 1])[0]
            gate = chance.choice(kinds)
            width = 1 if kinds in (one, turned) else 3 if kinds is three else 2
            wanted = angles.get(gate, 1) if kinds in (turned, angled) else 0
            values = [round(chance.uniform(0, 2), 3) for _ in range(wanted)]
            circuit.add_gate(gate, values, chance.sample(range(QUBITS), width))
        state = circuit.get_statevector()
        for qubit in range(QUBITS):
            circuit.Measure(qubit, qubit)
        text = circuit_to_qasm_str(circuit)
        yield f"pytket-{i}", text, _flipped(np.abs(state) ** 2)


def pennylane_circuits(chance: random.Random, number: int) -> Iterator[Exported]:
    """PennyLane decomposes what OpenQASM has no gate for."""
    import pennylane as qml

    one = [qml.Hadamard, qml.T, qml.S, qml.SX, qml.PauliY]
    turned = [qml.RX, qml.RY, qml.RZ, qml.PhaseShift]
    two = [qml.CNOT, qml.CZ, qml.CY, qml.SWAP, qml.ISWAP, qml.ECR, qml.CH]
    angled = [qml.CRX, qml.CRZ, qml.ControlledPhaseShift, qml.IsingXX, qml.IsingZZ, qml.IsingXY]
    three = [qml.Toffoli, qml.CSWAP, qml.CCZ]
    device = qml.device("default.qubit", wires=QUBITS)
    for i in range(number):
        operations = []
        for _ in range(GATES):
            kinds = chance.choices([one, turned, two, angled, three], [3, 3, 3, 3, 1])[0]
            gate = chance.choice(kinds)
            width = 1 if kinds in (one, turned) else 3 if kinds is three else 2
            values = [chance.uniform(-3, 3)] if kinds in (turned, angled) else []
            operations.append(gate(*values, wires=chance.sample(range(QUBITS), width)))
        script = qml.tape.QuantumScript(operations, [qml.probs(wires=range(QUBITS))])
        probabilities = np.asarray(qml.execute([script], device)[0])
        text = qml.to_openqasm(script, wires=list(range(QUBITS)))
        # PennyLane writes `gphase`, which OpenQASM 2 does not have
        text = "".join(line for line in text.splitlines(True) if not line.startswith("gphase"))
        yield f"pennylane-{i}", text, _flipped(probabilities)


def qrisp_circuits(chance: random.Random, number: int) -> Iterator[Exported]:
    """Qrisp's export goes through Qiskit's, of another version than ours."""
    from qrisp import QuantumCircuit

    one = ["h", "t", "s", "sx", "y", "s_dg"]
    turned = ["rx", "ry", "rz", "p"]
    two = ["cx", "cz", "cy", "swap"]
    angled = ["cp", "crx", "rzz", "rxx"]
    for i in range(number):
        circuit = QuantumCircuit(QUBITS, QUBITS)
        for _ in range(GATES):
            kinds = chance.choices([one, turned, two, angled], [3, 3, 3, 3])[0]
            name = chance.choice(kinds)
            width = 1 if kinds in (one, turned) else 2
            values = [chance.uniform(-3, 3)] if kinds in (turned, angled) else []
            wires = [circuit.qubits[k] for k in chance.sample(range(QUBITS), width)]
            getattr(circuit, name)(*values, *wires)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # a progress bar
            probabilities = np.abs(circuit.statevector_array()) ** 2
        for qubit in range(QUBITS):
            circuit.measure(circuit.qubits[qubit], circuit.clbits[qubit])
        yield f"qrisp-{i}", circuit.qasm(), _flipped(probabilities)


def _flipped(probabilities: np.ndarray) -> np.ndarray:
    """All of them count the first qubit as the highest bit; here it is the lowest."""
    width = int(math.log2(len(probabilities)))
    axes = tuple(reversed(range(width)))
    return np.asarray(probabilities).reshape((2,) * width).transpose(axes).ravel()


MAKERS: tuple[Callable[[random.Random, int], Iterator[Exported]], ...] = (
    cirq_circuits,
    pytket_circuits,
    pennylane_circuits,
    qrisp_circuits,
)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--number", type=int, default=40, help="circuits of each framework")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for make in MAKERS:
        chance = random.Random(asked.seed)
        for name, text, probabilities in make(chance, asked.number):
            (asked.folder / f"{name}.qasm").write_text(text)
            listed = {
                f"{outcome:0{QUBITS}b}": float(probability)
                for outcome, probability in enumerate(probabilities)
                if probability > 1e-12
            }
            (asked.folder / f"{name}.json").write_text(json.dumps(listed))


if __name__ == "__main__":
    main()

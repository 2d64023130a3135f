"""A gate that a file defines is what its definition says, whatever it is called."""

from __future__ import annotations

import io
from typing import Any

import pytest
from exact import distance, distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping

from iqm_spec.circuits import build_circuit, inspect_qasm, inspect_qpy
from iqm_spec.model import NativeCircuit, SourceKind
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations

OTHERS = """
    permutation unitary box u0 mcx mcphase c4x c3sqrtx rc3x rccx initialize state_preparation
    diagonal pauli qft isometry multiplexer ucrz u1 u2 u3 move prx xx_minus_yy store noop for_loop
    if_else while_loop switch_case qft_gate linear_function clifford cphase PauliEvolution IQFT own
"""
NAMES = sorted({*get_standard_gate_name_mapping(), *OTHERS.split()})
WORDS_OF_2 = {"measure", "reset", "barrier"}
WORDS_OF_3 = WORDS_OF_2 | {"delay", "box"}
UNKNOWN = "zz_own_gate"
"""A name that no library has."""

angle = st.floats(-3, 3, allow_nan=False).map(lambda value: round(value, 3))


@st.composite
def bodies(draw: st.DrawFn, version: int, qubits: int) -> str:
    """A gate's body in the gates that each language has by itself."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        if qubits > 1 and draw(st.booleans()):
            one, other = draw(st.permutations(range(qubits)))[:2]
            lines.append(f"{'CX' if version == 2 else 'ctrl @ U(pi,0,pi)'} a{one},a{other};")
        else:
            values = ",".join(draw(st.sampled_from(["t", "s", str(draw(angle))])) for _ in range(3))
            lines.append(f"U({values}) a{draw(st.integers(0, qubits - 1))};")
    return " ".join(lines)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    """A file whose gate has a name of Qiskit's, and the same one with a name that nobody has."""
    version = draw(st.sampled_from([2, 3]))
    words = WORDS_OF_2 if version == 2 else WORDS_OF_3
    name = draw(st.sampled_from([n for n in NAMES if n not in words and n.lower() == n]))
    qubits = draw(st.integers(1, 3))
    wires = [f"q[{i}]" for i in draw(st.permutations(range(3)))[:qubits]]
    arguments = ",".join(f"a{i}" for i in range(qubits))
    # `t` before `s`: in their order, not in that of the alphabet
    definition = f"gate {name}(t,s) {arguments} {{ {draw(bodies(version, qubits))} }}"
    call = f"{name}({draw(angle)},{draw(angle)})"
    around = "gate outer " + arguments + " { " + f"{call} {arguments}; {call} {arguments};" + " }"
    modifier = draw(st.sampled_from(["", "inv @ ", "ctrl @ ", "negctrl @ ", "pow(2) @ "]))
    library = {2: 'include "qelib1.inc";', 3: 'include "stdgates.inc";'}[version]
    lines = [f"OPENQASM {version}.0;"]
    lines += [library] if draw(st.booleans()) else []
    lines += [definition, around, "qreg q[3]; creg c[3];"]
    lines += [f"U({draw(angle)},{draw(angle)},{draw(angle)}) q[{i}];" for i in range(3)]
    lines += [f"{call} {','.join(wires)};", f"outer {','.join(wires)};"]
    if version == 3 and modifier and not (qubits == 3 and "ctrl" in modifier):
        control = [w for w in ("q[0]", "q[1]", "q[2]") if w not in wires][:1]
        on = [*(control if "ctrl" in modifier else []), *wires]
        lines.append(f"{modifier}{call} {','.join(on)};")
    lines += [f"U({draw(angle)},{draw(angle)},{draw(angle)}) q[{i}];" for i in range(3)]
    lines.append("measure q -> c;" if version == 2 else "c = measure q;")
    text = "\n".join(lines)
    return text, text.replace(f"{name}(", f"{UNKNOWN}(")


def natives(kind: SourceKind, data: bytes, alias: str, level: int) -> NativeCircuit:
    circuit = build_circuit(kind, "file", data, {})
    machine = architecture(alias)
    native = transpile(circuit, machine, {"optimization_level": level})
    assert violations(native, machine) == []
    return native


def same(left: NativeCircuit, right: NativeCircuit) -> bool:
    return distance(distribution(to_qiskit(left)), distribution(to_qiskit(right))) < 1e-7


@given(files(), st.integers(0, 3), st.sampled_from(["garnet", "deneb"]))
@settings(max_examples=120)
def test_a_gate_in_a_file_is_what_its_body_says(
    pair: tuple[str, str], level: int, alias: str
) -> None:
    circuits = []
    for text in pair:
        facts, problems = inspect_qasm(text.encode())
        assert problems == ()
        assert facts is not None
        circuits.append(natives(SourceKind.QASM, text.encode(), alias, level))
    assert same(*circuits)
    direct = build_circuit(SourceKind.QASM, "file", pair[1].encode(), {})
    assert distance(distribution(direct), distribution(to_qiskit(circuits[0]))) < 1e-7


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("controlled", [False, True], ids=["plain", "controlled"])
def test_a_gate_of_qpy_is_what_its_definition_says(name: str, controlled: bool) -> None:
    distributions = []
    for called in (name, UNKNOWN):
        data = dumped(called, controlled=controlled)
        facts, problems = inspect_qpy(data)
        assert problems == ()
        assert facts is not None
        native = natives(SourceKind.QPY, data, "garnet", 2)
        distributions.append(distribution(to_qiskit(native)))
    assert distance(*distributions) < 1e-7


def dumped(name: str, *, controlled: bool) -> bytes:
    """A circuit with a gate of a rather unlikely body."""
    inside = QuantumCircuit(2)
    inside.ry(0.4, 0)
    inside.cx(0, 1)
    inside.rx(1.3, 1)
    nested = QuantumCircuit(2)
    nested.append(own(name, inside), [1, 0])
    nested.rz(0.7, 1)
    whole = own("around", nested)
    circuit = QuantumCircuit(3, 3)
    circuit.h(range(3))
    circuit.t(range(3))
    circuit.append(own(name, inside), [0, 1])
    if controlled:  # Qiskit controls gates by their names, so it is given one afterwards
        under_control = own(UNKNOWN, inside).control()
        under_control.name, under_control.base_gate.name = f"c{name}", name
        circuit.append(under_control, [2, 0, 1])
    circuit.append(whole, [1, 2])
    circuit.append(own(name, inside).inverse(), [2, 1])
    circuit.h(range(3))
    circuit.measure(range(3), range(3))
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


def own(name: str, definition: QuantumCircuit) -> Any:
    gate = Gate(name, definition.num_qubits, [])
    gate.definition = definition
    return gate

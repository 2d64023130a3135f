"""OpenQASM files: what is read of them, and what becomes of hostile ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator, Statevector
from syrupy.assertion import SnapshotAssertion

from iqm_spec.circuits import LARGEST_FILE, CircuitError, build_circuit, inspect_qasm, scan_inputs
from iqm_spec.model import CONDITIONAL_RESET, CircuitFacts, Feature, SourceKind

FOLDER = Path(__file__).parents[1] / "circuits"
HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'

FACTS = {
    "qelib1_gates": CircuitFacts(5, 5, 5),
    "defined_gates": CircuitFacts(4, 3, 3),
    "conditions": CircuitFacts(2, 2, 3, (), (Feature("if_else", 7), Feature("reset", 8))),
    "inputs": CircuitFacts(2, 2, 2, ("theta", "phi", "unused")),
    "modifiers": CircuitFacts(4, 4, 4),
    "active_reset": CircuitFacts(1, 2, 2, (), (Feature("if_else", 8),)),
    "dynamic": CircuitFacts(
        3,
        3,
        5,
        (),
        (
            Feature("if_else", 7),
            Feature("reset", 10),
            Feature("while_loop", 13),
            Feature("delay", 14),
            Feature("box", 15),
            Feature(CONDITIONAL_RESET, 7),
        ),
    ),
}


def build(text: str, **parameters: float) -> QuantumCircuit:
    return build_circuit(SourceKind.QASM, "file.qasm", text.encode(), {}, parameters)


def test_every_file_has_its_facts() -> None:
    assert set(FACTS) == {path.stem for path in FOLDER.glob("*.qasm")}


@pytest.mark.parametrize("name", FACTS)
def test_facts(name: str) -> None:
    data = (FOLDER / f"{name}.qasm").read_bytes()
    assert inspect_qasm(data) == (FACTS[name], ())
    assert scan_inputs(data) == FACTS[name].inputs


def test_gates_of_openqasm_2_are_qiskits_own() -> None:
    circuit = build((FOLDER / "qelib1_gates.qasm").read_text())
    gates = [step.operation for step in circuit.data if step.operation.name != "u0"]
    homes = {gate.base_class.__module__.rpartition(".")[0] for gate in gates}
    assert homes <= {
        "qiskit.circuit.library.standard_gates",
        "qiskit.circuit",
        "qiskit.circuit.library",
    }
    assert {"U1Gate", "RZZGate", "SXGate", "C4XGate"} <= {
        gate.base_class.__name__ for gate in gates
    }


def test_gates_defined_in_the_file_mean_what_they_say() -> None:
    circuit = build((FOLDER / "defined_gates.qasm").read_text())
    circuit.remove_final_measurements()
    by_hand = QuantumCircuit(4)
    from math import pi, sin

    for one, other in ((0, 2), (1, 3)):
        for qubit, angle in ((one, pi / 8), (other, -pi / 8)):
            by_hand.rz(angle / 2, qubit)
            by_hand.rx(sin(angle), qubit)
        by_hand.cx(one, other)
    assert Operator(circuit).equiv(Operator(by_hand))


def test_inputs_are_bound_and_the_file_is_not_changed() -> None:
    text = (FOLDER / "inputs.qasm").read_text()
    for theta in (0.5, 1):
        circuit = build(text, theta=theta, phi=0.25, unused=7)
        assert circuit.num_parameters == 0
        angles = [step.operation.params for step in circuit.data if step.operation.params]
        assert angles == [[theta], [0.5 - theta / 2]]
        circuit.x(0)  # a circuit of one's own: the next one is as in the file
    with pytest.raises(CircuitError, match=r"`phi` of .* has no value") as caught:
        build(text, theta=1, unused=1)
    assert caught.value.code == "S407"
    with pytest.raises(CircuitError, match="no parameter `thet`") as caught:
        build(text, thet=1)
    assert caught.value.hint == "did you mean theta?"


@pytest.mark.parametrize("value", ["0.5", True, None, float("nan"), [1]])
def test_inputs_are_numbers(value: object) -> None:
    text = HEAD_3 + "input float a; qubit q; rx(a) q; bit c = measure q;"
    with pytest.raises(CircuitError, match="must be a number"):
        build(text, a=value)  # type: ignore[arg-type]


def test_modifiers_mean_what_they_say() -> None:
    circuit = build(
        HEAD_3 + "qubit[2] q; ctrl @ x q[0], q[1]; pow(0.5) @ x q[0]; bit c = measure q[0];"
    )
    circuit.remove_final_measurements()
    by_hand = QuantumCircuit(2)
    by_hand.cx(0, 1)
    by_hand.sx(0)
    assert Operator(circuit).equiv(Operator(by_hand))


def test_the_vendors_exporter_is_understood() -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, [1, 2])
    circuit.measure(range(3), range(3))
    facts, problems = inspect_qasm(qasm3.dumps(circuit).encode())
    assert (facts, problems) == (CircuitFacts(3, 3, 3), ())
    state = build(qasm3.dumps(circuit))
    state.remove_final_measurements()
    assert Statevector(state).probabilities_dict() == pytest.approx({"000": 0.5, "111": 0.5})


WRONG = {
    "nothing": "",
    "no header": "qreg q[1];",
    "another version": "OPENQASM 4.0;",
    "not text": "OPENQASM 2.0;\nqreg q\udcff[1];",
    "unknown gate": HEAD_2 + "qreg q[2];\n  foo q[0];",
    "same qubit twice": HEAD_2 + "qreg q[2];\ncx q[0], q[0];",
    "outside of the register": HEAD_2 + "qreg q[2];\nx q[2];",
    "bracket missing": HEAD_2 + "qreg q[2];\nrx(pi/2 q[0];",
    "division by zero": HEAD_2 + "qreg q[2];\nrx(1/0) q[0];",
    "division by zero in a gate": HEAD_2
    + "gate g(a) b { rx(1/a) b; }\nqreg q[1];\ng(1) q[0];\ng(0) q[0];",
    "opaque gate": HEAD_2 + "opaque magic a;\nqreg q[1];\nmagic q[0];",
    "no measurement": HEAD_2 + "qreg q[1];\nx q[0];",
    "3: no measurement": HEAD_3 + "qubit q;\nx q;",
    "another file": 'OPENQASM 2.0;\ninclude "/etc/passwd";\n',
    "3: another file": HEAD_3 + 'include "../secret.inc";\n',
    "3: unknown gate": HEAD_3 + "qubit q;\nfoo q;",
    "3: semicolon missing": HEAD_3 + "qubit q\nx q;",
    "3: bracket too many": HEAD_3 + "qubit q;\n}",
    "3: strange sign": HEAD_3 + "qubit q;\n  §",
    "3: outside of the register": HEAD_3 + "qubit[2] q;\nx q[0];\nx q[7];",
    "3: angle missing": HEAD_3 + "qubit q;\n\nrx() q;",
    "3: division by zero": HEAD_3 + "qubit q;\nrx(1/0) q;",
    "3: same qubit twice": HEAD_3 + "qubit[2] q;\ncx q[0], q[0];",
    "3: input of another type": HEAD_3 + "input int n;",
    "3: switch": HEAD_3 + "qubit q; bit[2] c;\nswitch (c) { case 1 { x q; } }",
    "3: subroutine in itself": HEAD_3 + "def f() { f(); }\nqubit q;\nf();",
    "3: arguments of a subroutine": HEAD_3 + "def f(qubit a) { x a; }\nqubit q;\nf(q, 2);",
    "3: register for a qubit": HEAD_3 + "def f(qubit a) { x a; }\nqubit[2] q;\nf(q);",
    "3: bits that nobody keeps": HEAD_3
    + "def f(qubit a) -> bit { bit b; b = measure a; return b; }\nqubit q;\nf(q);",
    "3: calibration": HEAD_3 + "cal { }",
    "3: a size that is not known": HEAD_3 + "input int n;\nqubit[n] q;",
    "3: a loop that is not known": HEAD_3 + "bit[2] c;\nfor int i in [0:c] { }",
    "3: a variable that is measured": HEAD_3
    + "qubit q; bit c; int n = 0;\nc = measure q;\nif (c) { n = 1; }",
    "3: a constant that changes": HEAD_3 + "const int n = 1;\nn = 2;",
    "3: division by zero in a constant": HEAD_3 + "const float f = 1 / 0;",
    "3: index outside of its register": HEAD_3 + "qubit[2] q;\nfor int i in [0:2] { x q[i]; }",
    "3: gate defined twice": HEAD_3 + "gate g a { x a; }\ngate g a { y a; }",
    "3: the gate of the language": HEAD_3 + "gate U(a) b { }",
    "merge conflict": HEAD_2 + "<<<<<<< HEAD\nqreg q[1];\n=======\nqreg q[2];\n>>>>>>> other\n",
    "angle too large": HEAD_2 + "qreg q[1];\nrx(1) q[0];\nrx(-1e400) q[0];",
    "angle that grows": HEAD_2 + "qreg q[1];\nrx(1e200*1e200) q[0];",
    "angle that grows in a gate": HEAD_2
    + "gate g(a) b { rx(a*1e200) b; }\nqreg q[1];\ng(1e200) q[0];",
    "3: angle too large": HEAD_3 + "qubit q;\nrx(1) q;\nrx(-1e400) q;",
    "3: angle of many digits": HEAD_3 + f"qubit q;\nrx({'9' * 400}) q;",
    "3: angle that grows": HEAD_3 + "qubit q;\nrx(1e200*1e200) q;",
    "3: angle that grows in a gate": HEAD_3
    + "gate g(a) b { rx(a*1e200) b; }\nqubit q;\ng(1e200) q;",
    "3: angle that grows in a block": HEAD_3 + "qubit q; bit c;\nif (c) {\n  rx(1e200*1e200) q; }",
    "3: phase that grows": HEAD_3 + "qubit q;\ngphase(1e200*1e200);",
    "3: duration too large": HEAD_3 + "qubit q;\ndelay[1e400ns] q;",
    "3: semicolon missing at the end": HEAD_3 + "qubit q;\nx q",
    "3: semicolon missing after a bracket": HEAD_3 + "qubit[2] q;\nx q[0]\n\nx q[1];",
    "3: bracket missing": HEAD_3 + "qubit[2] q;\nrx(0.5 q[0];",
    "3: a loop without an end": HEAD_3 + "qubit q;\nwhile (true) { x q; }",
    "3: external function": HEAD_3 + "extern f(int) -> int;",
    "3: end": HEAD_3 + "qubit q;\nend;",
    "3: not declared": HEAD_3 + "qubit q;\nx r[0];",
    "3: qubit missing": HEAD_3 + "qubit q;\ncx q;",
    "3: angle too many": HEAD_3 + "qubit q;\nrx(1, 2) q;",
    "3: output": HEAD_3 + "output bit c;",
    "3: types": HEAD_3 + "gate g(a) b { rx(1/a) b; }",
    "3: result dropped": HEAD_3 + "qubit q;\nmeasure q;",
    "3: end of file": HEAD_3 + "qubit q; if (true) {",
}

HUGE = {
    "register": HEAD_2 + "qreg q[1000000000];",
    "many registers": HEAD_2 + "".join(f"qreg q{n}[9999];" for n in range(9)),
    "3: register": HEAD_3 + "qubit[1_000_000_000] q;",
    "3: register of many digits": HEAD_3 + f"bit[{'9' * 5000}] c;",
    "3: hexadecimal register": HEAD_3 + "qubit[0xFFFFFFFF] q;",
    "3: register behind an annotation": HEAD_3 + "@a /*\nqubit[1000000000] q;\n@b */\nqubit p;",
    "3: register behind a pragma": HEAD_3 + "pragma /*\nqubit[1000000000] q;\npragma */\n",
    "3: register behind a comment": HEAD_3 + "// comment\rqubit[1000000000] q;",
    "3: physical qubit": HEAD_3 + "x $1000000000;",
    "gates over registers": HEAD_2 + "qreg q[9000];\n" + "h q;\n" * 200,
    "3: gates over aliases": HEAD_3 + "qubit[9000] q; let a = q;\n" + "h a;\n" * 200,
    "gate of gates": HEAD_2
    + "gate g0 a { x a; }\n"
    + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}\n" for n in range(1, 60))
    + "qreg q[1]; g59 q[0];",
    "3: gate of gates": HEAD_3
    + "gate g0 a { x a; }\n"
    + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }}\n" for n in range(1, 60))
    + "qubit q; g59 q;",
    "3: gate of gates behind a block": HEAD_3
    + "gate g0 a { x a; }\n"
    + "".join(
        f"gate g{n} a {{ for uint i in [0:1] {{ x a; }} g{n - 1} a; g{n - 1} a; }}\n"
        for n in range(1, 60)
    )
    + "qubit q; g59 q;",
    "chain of gates": HEAD_2
    + "gate g0 a { x a; }\n"
    + "".join(f"gate g{n} a {{ g{n - 1} a; }}\n" for n in range(1, 300)),
    "brackets": HEAD_2 + f"qreg q[1]; rx({'(' * 9999}1{')' * 9999}) q[0];",
    "minus signs": HEAD_2 + f"qreg q[1]; rx({'-' * 99999}1) q[0];",
    "sum": HEAD_2 + f"qreg q[1]; rx({'1+' * 99999}1) q[0];",
    "powers": HEAD_2 + f"qreg q[1]; rx({'2^' * 99999}1) q[0];",
    "3: sum": HEAD_3 + f"qubit q; rx({'1+' * 99999}1) q;",
    "3: blocks": HEAD_3 + "qubit q; bit c;" + "if (c) {" * 999 + "x q;" + "}" * 999,
    "3: conditions": HEAD_3 + "qubit q; bit c;" + "if (c) " * 9999 + "x q;",
    "3: controls": HEAD_3 + "qubit q; ctrl(1000000) @ x q;",
    "3: controls of a gate": HEAD_3
    + "gate g a { "
    + "h a; " * 99
    + "} qubit[7] q; ctrl(6) @ g q[0],q[1],q[2],q[3],q[4],q[5],q[6];",
    "3: power of a wide gate": HEAD_3
    + "gate g a,b,c,d,e,f,h,i,j { x a; } qubit[9] q; pow(0.5) @ g q[0];",
    "3: power of a controlled gate": HEAD_3
    + "gate g a { x a; } qubit[9] q; pow(0.5) @ ctrl(8) @ g q[0];",
    "u0": HEAD_2 + "qreg q[1]; u0(1000000000) q[0];",
    "3: words": HEAD_3 + "qubit q;\n" + "x q;\n" * 100_000,
    "bytes": HEAD_2 + " " * LARGEST_FILE,
}


@pytest.mark.slow
@pytest.mark.parametrize("corpus", [WRONG, HUGE], ids=["wrong", "huge"])
def test_mistakes_are_told_at_their_place(
    corpus: dict[str, str], snapshot: SnapshotAssertion
) -> None:
    told = []
    for name, text in corpus.items():
        facts, problems = inspect_qasm(text.encode(errors="surrogateescape"))
        assert facts is None
        assert problems, name
        told += [f"{name}: {p.line}:{p.column}: {p.code} {p.message} ({p.hint})" for p in problems]
    assert "\n".join(told) == snapshot


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["LF", "CR", "CRLF"])
@pytest.mark.parametrize("head", [HEAD_2 + "qreg q[1];creg c[1];\n", HEAD_3 + "qubit q;bit c;\n"])
def test_a_comment_ends_where_its_line_does(head: str, end: str) -> None:
    text = head + "// flip\nx q;\n" + ("measure q -> c;" if "qreg" in head else "c = measure q;")
    circuit = build(text.replace("\n", end))
    assert [step.operation.name for step in circuit.data] == ["x", "measure"]


def test_a_u0_of_the_file_is_its_own() -> None:
    text = "OPENQASM 2.0;\ngate u0(a,b) q { U(a,b,0) q; }\nqreg q[1]; creg c[1];\n"
    circuit = build(text + "u0(0.3,1.2) q[0];\nmeasure q->c;")
    assert circuit.data[0].operation.params == [0.3, 1.2, 0.0]


def test_other_files_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.inc").write_text("gate mine a { U(0, 0, 0) a; }")
    for text in ('OPENQASM 2.0;\ninclude "mine.inc";', 'OPENQASM 3;\ninclude "mine.inc";'):
        _, (problem,) = inspect_qasm(text.encode())
        assert (problem.line, problem.column) == (2, 9)
        assert "is not read" in problem.message


def test_a_library_beside_the_file_does_not_replace_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "qelib1.inc").write_text("gate h a { U(0, 0, 0) a; }")
    circuit = build(HEAD_2 + "qreg q[1]; creg c[1]; h q[0]; measure q -> c;")
    assert circuit.data[0].name == "h"
    assert circuit.data[0].is_standard_gate()


@pytest.mark.slow
def test_a_loop_that_is_too_long_is_refused_at_once() -> None:
    text = HEAD_3 + "qubit q; bit c;\nfor int i in [0:1000000000] { x q; }\nc = measure q;"
    facts, problems = inspect_qasm(text.encode())
    assert facts is None
    assert [(p.line, p.message[:9]) for p in problems] == [(4, "the loops")]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for text in WRONG.values():
        inspect_qasm(text.encode(errors="surrogateescape"))
    assert capfd.readouterr() == ("", "")


def test_scanning_for_inputs_takes_no_library() -> None:
    import subprocess

    path = FOLDER / "inputs.qasm"
    code = (
        "import sys; from iqm_spec.circuits import scan_inputs;"
        f"print(scan_inputs(open({str(path)!r}, 'rb').read()));"
        "assert not {'qiskit', 'openqasm3', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "('theta', 'phi', 'unused')\n"


def test_points_of_one_file_get_their_own_parameters() -> None:
    body = "".join(f"rx(a) q[{n % 5}]; cx q[{n % 5}], q[{(n + 1) % 5}];\n" for n in range(300))
    text = HEAD_3 + f"input float a;\nqubit[5] q; bit[5] c;\n{body}c = measure q;"
    first, second = build(text, a=0.1), build(text, a=0.2)
    assert [one.data[0].operation.params for one in (first, second)] == [[0.1], [0.2]]

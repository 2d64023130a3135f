"""OpenQASM 3 that is worked out before it runs, beside the same circuit written out."""

from __future__ import annotations

import pytest

from iqm_spec.circuits import build_circuit, inspect_qasm
from iqm_spec.model import Feature, SourceKind

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
REGISTERS = "qubit[3] q;\nbit[3] c;\n"
END = "c = measure q;\n"

SAME = {
    "loop over a range": (
        "for int i in [0:2] { rx(i * 0.5) q[i]; }",
        "rx(0.0) q[0]; rx(0.5) q[1]; rx(1.0) q[2];",
    ),
    "steps and negative ends": (
        "for int i in [2:-2:0] { x q[i]; h q[-1]; }",
        "x q[2]; h q[2]; x q[0]; h q[2];",
    ),
    "loop over a set, without braces": ("for uint i in {2, 0} x q[i];", "x q[2]; x q[0];"),
    "loops in loops": (
        "for int i in [0:1] { for int j in [i+1:2] { cz q[i], q[j]; } }",
        "cz q[0], q[1]; cz q[0], q[2]; cz q[1], q[2];",
    ),
    "break and continue": (
        "for int i in [0:9] { if (i == 0) { continue; } if (i > 2) { break; } x q[i]; }",
        "x q[1]; x q[2];",
    ),
    "variables": (
        "int i = 0; while (i < 3) { x q[i]; i += 2; } float t = sin(pi / 2); rx(t) q[i - 3];",
        "x q[0]; x q[2]; rx(1.0) q[1];",
    ),
    "constants": (
        (
            "const int n = 2; const float t = pi / n; array[float, 2] a = {0.1, 0.2};"
            "rx(t) q[n]; ry(a[1]) q[sizeof(q) - 3]; rz(2 ** n) q[n % 2];"
        ),
        "rx(pi / 2) q[2]; ry(0.2) q[0]; rz(4) q[0];",
    ),
    "integers divide towards zero": (
        "const int n = -7; rx(n / 2) q[0]; rx(n % 4) q[0]; rx(7.0 / 2) q[0];",
        "rx(-3) q[0]; rx(-3) q[0]; rx(3.5) q[0];",
    ),
    "a choice that is known": (
        "const bool b = true; if (b && 1 < 2) { x q[0]; } else { y q[0]; }",
        "x q[0];",
    ),
    "switch on what is known": (
        "const int n = 2; switch (n) { case 1, 3 { x q[0]; } case 2 { y q[0]; } }",
        "y q[0];",
    ),
    "slices that count back": ("h q[0:-1]; x q[-2:-1];", "h q; x q[1]; x q[2];"),
    "sets of indices": ("cx q[{0, 1}], q[2];", "cx q[0], q[2]; cx q[1], q[2];"),
    "aliases": (
        (
            "let a = q[1:2]; let b = a[1] ++ q[0:0]; x a; h b; cz b, q[1];"
            "for int i in [0:1] { let d = q[i:i+1]; y d[1]; }"
        ),
        "x q[1]; x q[2]; h q[2]; h q[0]; cz q[2], q[1]; cz q[0], q[1]; y q[1]; y q[2];",
    ),
    "subroutines": (
        (
            "def turn(qubit a, angle t) { rx(t) a; }\n"
            "def both(qubit[2] r, int k) { cx r[0], r[1]; turn(r[k], k * 0.5); }\n"
            "both(q[1:2], 1); both(q[{2, 0}], 0); turn(q[0], 1.0);"
        ),
        "cx q[1], q[2]; rx(0.5) q[2]; cx q[2], q[0]; rx(0.0) q[2]; rx(1.0) q[0];",
    ),
    "subroutines that compute": (
        "def part(int k) -> float { return pi / 2 ** k; } rx(part(2)) q[0];",
        "rx(pi / 4) q[0];",
    ),
    "subroutines that measure": (
        (
            "def look(qubit a) -> bit { h a; return measure a; }\n"
            "def keep(qubit a) -> bit { bit b; b = measure a; return b; }\n"
            "c[0] = look(q[1]); c[2] = keep(q[0]);"
        ),
        "h q[1]; c[0] = measure q[1]; c[2] = measure q[0];",
    ),
    "loops within gates": (
        "gate g(t) a, b { for int i in [0:1] { rx(t) a; cx a, b; } } g(0.5) q[0], q[1];",
        "rx(0.5) q[0]; cx q[0], q[1]; rx(0.5) q[0]; cx q[0], q[1];",
    ),
    "angles in their order": (
        "gate g(b, a) x { rx(b) x; rz(a) x; } g(0.25, 0.5) q[0];",
        "rx(0.25) q[0]; rz(0.5) q[0];",
    ),
    "integers beside angles": (
        (
            "gate g(t, s) x { rx(t + 1) x; rz(2 - s / 2) x; }\n"
            "gate k(a) x { g(a - 1, -1 + a) x; } k(0.5) q[0];"
        ),
        "rx(0.5) q[0]; rz(2.25) q[0];",
    ),
    "gates that compute with their angles": (
        (
            "gate g(t, s) x { rx(cos(t) ** 2) x; rz(s) x; }\n"
            "gate k(a) x, y { g(a, 2 * a) x; cx x, y; g(a / 2, 0) y; }\n"
            "g(0, 0.5) q[0]; for int i in [0:1] { k(0.0) q[i], q[2]; } inv @ g(0.0, 0.5) q[0];"
        ),
        (
            "rx(1.0) q[0]; rz(0.5) q[0];"
            "rx(1.0) q[0]; rz(0.0) q[0]; cx q[0], q[2]; rx(1.0) q[2]; rz(0.0) q[2];"
            "rx(1.0) q[1]; rz(0.0) q[1]; cx q[1], q[2]; rx(1.0) q[2]; rz(0.0) q[2];"
            "rz(-0.5) q[0]; rx(-1.0) q[0];"
        ),
    ),
    "powers by fractions": (
        "const int k = 2; pow(1/2) @ x q[0]; pow(-1/k) @ x q[1]; pow(4/2) @ x q[2];",
        "pow(0.5) @ x q[0]; pow(-0.5) @ x q[1]; pow(2) @ x q[2];",
    ),
    "quotients of integers": (
        "const int a = -7; rx((-7/2)*pi) q[0]; rx((a/2)*pi) q[0]; rx(((0-7)/2)*pi) q[0];",
        "rx(-3*pi) q[0]; rx(-3*pi) q[0]; rx(-3*pi) q[0];",
    ),
    "gates that use not all of their angles": (
        "gate g(a, b) x { } gate s(a, b) x { g(b, 1) x; rx(b) x; } s(0.1, 0.2) q[0];",
        "rx(0.2) q[0];",
    ),
    "bits that begin with zero": (
        'bit[2] d = "00"; d[0] = measure q[0];',
        "bit[2] d; d[0] = measure q[0];",
    ),
    "conditions of two bits": (
        "c[0] = measure q[0]; c[1] = measure q[1]; if (c[0] && c[1] == 1) { x q[2]; }",
        "c[0] = measure q[0]; c[1] = measure q[1]; if (c[0]) { if (c[1]) { x q[2]; } }",
    ),
    "lengths of time": (
        "const duration t = 100ns; for int i in [1:2] { delay[i * t] q[0]; }",
        "delay[100ns] q[0]; delay[200ns] q[0];",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME)
def test_it_is_the_circuit_written_out(name: str) -> None:
    circuits = []
    for text in SAME[name]:
        data = (HEAD + REGISTERS + text + "\n" + END).encode()
        facts, problems = inspect_qasm(data)
        assert not problems
        assert facts is not None
        circuits.append(build_circuit(SourceKind.QASM, "file.qasm", data, {}))
    assert circuits[0] == circuits[1]
    assert circuits[0].data


def test_inputs_stay_free() -> None:
    text = "input float x0;\ndef f(qubit a, float s) { rx(2 * s) a; }\nf(q[0], x0 / 4);"
    data = (HEAD + REGISTERS + text + END).encode()
    facts, problems = inspect_qasm(data)
    assert not problems
    assert facts is not None
    assert facts.inputs == ("x0",)
    circuit = build_circuit(SourceKind.QASM, "file.qasm", data, {}, {"x0": 1.0})
    assert circuit.data[0].operation.params == [pytest.approx(0.5)]


def test_only_what_is_left_to_the_machine_is_a_feature() -> None:
    text = (
        HEAD + REGISTERS + "for int i in [0:2] {\n  reset q[i];\n}\n"
        "const bool b = true;\nif (b) { x q[0]; }\nc[0] = measure q[0];\nif (c[0]) { x q[1]; }\n"
    )
    facts, _ = inspect_qasm(text.encode())
    assert facts is not None
    assert facts.features == (Feature("reset", 6), Feature("if_else", 11))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "for int i in [0:999] { for int j in [0:999] { for int k in [0:999] { x q[0]; } } }",
        "int i = 0; while (i < 1) { x q[0]; }",
        "def f(qubit a) { x a; } for int i in [0:999999] { f(q[0]); }",
        "gate g a { for int i in [0:9999999] { x a; } } g q[0];",
        "const int n = 2 ** 900; rx(n) q[0];",
        "const int n = 1 << 70;",
        "qubit[1000000] r;",
        "const int n = 1000; qubit[n * n] r;",
    ],
)
def test_nothing_grows_beyond_its_bounds(text: str) -> None:
    facts, problems = inspect_qasm((HEAD + REGISTERS + text + END).encode())
    assert facts is None
    assert len(problems) == 1
    assert problems[0].line == 5

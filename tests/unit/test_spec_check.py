"""What is wrong beyond the schema: each mistake has its code, its place, and stands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter

from iqm_spec.diagnostics import Diagnostic
from iqm_spec.spec.check import CheckedSpec
from iqm_spec.spec.examine import examine
from iqm_spec.spec.sweep_points import all_points

HEAD = "iqm_spec: 1\nname: x\ntarget: garnet\n"
GHZ = 'circuits: [{generator: ghz, args: {num_qubits: "${n}"}}]\n'
BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\n'
MEASURED = BELL2 + "measure q -> c;\n"
ROTATION = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] theta;\nqubit[1] q;\nbit[1] c;\n'
    "rx(theta) q[0];\nc[0] = measure q[0];\n"
)
IF_ELSE = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nh q[0];\n'
    "c[0] = measure q[0];\nif (c[0]) { x q[1]; }\nc[1] = measure q[1];\n"
)


def found(tmp_path: Path, text: str) -> tuple[CheckedSpec | None, list[Diagnostic]]:
    files = {
        "bell.qasm": MEASURED,
        "unmeasured.qasm": BELL2,
        "broken.qasm": BELL2 + "mesure q -> c;\n",
        "rotation.qasm": ROTATION,
        "if_else.qasm": IF_ELSE,
        "samples.qasm": SAMPLES,
        "machine.json": json.dumps({"qubits": ["QB1"], "gates": {}}),
        "noise.json": json.dumps({"t1_ns": 3}),
        "not.json": "{",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    spec = tmp_path / "x.yaml"
    spec.write_text(text)
    checked, diagnostics, _ = examine(spec)
    return checked, diagnostics


SAMPLES = (
    'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[1] q;\nbit[1] c;\n'
    "delay[40ns] q[0];\ndelay[100dt] q[0];\nc[0] = measure q[0];\n"
)


def test_inputs_of_a_qpy_file_are_bound_by_name(tmp_path: Path) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("theta"), 0)
    circuit.measure(0, 0)
    with (tmp_path / "rotation.qpy").open("wb") as file:
        qpy.dump(circuit, file)
    circuits = "circuits: [{qpy: rotation.qpy, parameters: by-name}]\n"
    text = HEAD + circuits + "sweep: [{grid: {theta: [0.1, 2]}}]\n"
    checked, diagnostics = found(tmp_path, text)
    assert diagnostics == []
    assert checked is not None
    bound = [point.parameters for point in all_points(checked.spec)]
    assert bound == [{"theta": 0.1}, {"theta": 2}]
    assert found(tmp_path, HEAD + circuits)[1][0].code == "S302"


def sweep(block: str) -> str:
    return HEAD + GHZ + f"sweep: [{block}]\n"


@pytest.mark.parametrize(
    ("text", "code", "line", "words"),
    [
        (sweep("{grid: {n: [2], m: [1, 2]}}"), "S301", 5, "no circuit uses the axis `m`"),
        (HEAD + GHZ, "S302", 4, "no axis is called `n`"),
        (sweep("{grid: {n: [2, 2]}}"), "S303", 5, "twice"),
        (sweep("{grid: {n: []}}"), "S304", 5, "no values"),
        (
            HEAD + 'circuits: [{generator: ghz, args: {num_qubits: "${n}"}, shots: "${s}"}]\n'
            "sweep: [{grid: {n: [2], s: [9]}}, {grid: {n: [3]}}]\n",
            "S308", 5, "gives `n` but not `s`",
        ),
        (HEAD + 'circuits: [{generator: ghz, args: {num_qubits: "${n"}}]\n', "S310", 4, "brace"),
        (
            HEAD + 'circuits: [{generator: ghz, args: {num_qubits: "${n}"},'
            " sweep: [{grid: {n: [2]}}]}]\nsweep: [{grid: {n: [3]}}]\n",
            "S311", 4, "which the common sweep has too",
        ),
        (
            HEAD + 'circuits: [{generator: bell, shots: "${s}"}]\n'
            "sweep: [{grid: {s: [10, ten]}}]\n",
            "S203", 4, "s = ten",
        ),
        (HEAD + "circuits: [{qasm: gone.qasm}]\n", "S401", 4, "gone.qasm"),
        (HEAD + "circuits: [{qasm: .}]\n", "S401", 4, ""),
        (HEAD + "circuits: [{qasm: unmeasured.qasm}]\n", "S403", 1, "measure"),
        (HEAD + "circuits: [{qasm: ../x.qasm}]\n", "S408", 4, "folder"),
        (HEAD + "circuits: [{qasm: /etc/passwd}]\n", "S408", 4, "folder"),
        (HEAD + "circuits: [{generator: gzh}]\n", "S405", 4, "gzh"),
        (HEAD + "circuits: [{generator: ghz}]\n", "S406", 4, "num_qubits"),
        (HEAD + "circuits: [{generator: ghz, args: {num_qubit: 3}}]\n", "S406", 4, "num_qubit"),
        (HEAD + "circuits: [{generator: ghz, args: {num_qubits: 0}}]\n", "S406", 4, "num_qubits"),
        (sweep("{grid: {n: [2, -1]}}"), "S406", 4, "n = -1"),
        (HEAD + "circuits: [{generator: 'python:their_lab:f'}]\n", "S409", 4, "--allow-code"),
        (HEAD + "circuits: [{qasm: rotation.qasm}]\n", "S407", 4, "theta"),
        (
            HEAD + "circuits: [{qasm: bell.qasm, parameters: {theta: 1}}]\n",
            "S407", 4, "no input `theta`",
        ),
        (HEAD + "circuits: [{qasm: rotation.qasm, parameters: by-name}]\n", "S302", 4, "theta"),
        (HEAD.replace("garnet", "granet") + "circuits: [{generator: bell}]\n", "S501", 3, "granet"),
        (sweep("{grid: {n: [2, 21]}}"), "S502", 4, "21 qubits, garnet has 20"),
        (
            HEAD + "layout: [QB1, QB21]\ncircuits: [{generator: bell}]\n",
            "S503", 4, "no qubit `QB21`",
        ),
        (HEAD + "layout: [QB1]\ncircuits: [{generator: bell}]\n", "S504", 4, "names 1 qubit,"),
        (HEAD + "architecture: machine.json\ncircuits: [{generator: bell}]\n", "S506", 4, ""),
        (HEAD + "architecture: gone.json\ncircuits: [{generator: bell}]\n", "S506", 4, "gone"),
        (HEAD + "aer: {noise: noise.json}\ncircuits: [{generator: bell}]\n", "S507", 4, "noise"),
        (HEAD + "aer: {noise: not.json}\ncircuits: [{generator: bell}]\n", "S507", 4, "not JSON"),
    ],
)  # fmt: skip
def test_one_mistake(tmp_path: Path, text: str, code: str, line: int, words: str) -> None:
    checked, diagnostics = found(tmp_path, text)
    assert checked is None
    assert [item.code for item in diagnostics] == [code], diagnostics
    assert diagnostics[0].span.line == line
    assert words in diagnostics[0].message + diagnostics[0].hint


@pytest.mark.parametrize(
    ("angle", "theta", "place"),
    [
        ("theta*1e300*1e300", "1", (4, 46)),
        ("theta/(theta-1)", "1", (4, 46)),
        ("theta/(theta-1)", '"${t}"', (4, 54)),
        ("theta", "true", (4, 54)),
    ],
)
def test_angles_that_come_out_infinite(
    tmp_path: Path, angle: str, theta: str, place: tuple[int, int]
) -> None:
    (tmp_path / "computed.qasm").write_text(ROTATION.replace("(theta)", f"({angle})"))
    swept = "sweep: [{grid: {t: [0.5, 1]}}]\n" if "$" in theta else ""
    entry = f"circuits: [{{qasm: computed.qasm, parameters: {{theta: {theta}}}}}]\n"
    _, (told,) = found(tmp_path, HEAD + entry + swept)
    assert (told.code, (told.span.line, told.span.column)) == ("S407", place)


def test_an_angle_within_a_gate_of_the_file_is_checked(tmp_path: Path) -> None:
    gate = "gate g(a) b { rx(a*1e200*1e200) b; }\ng(theta)"
    (tmp_path / "computed.qasm").write_text(ROTATION.replace("rx(theta)", gate))
    entry = 'circuits: [{qasm: computed.qasm, parameters: {theta: "${t}"}}]\n'
    _, (told,) = found(tmp_path, HEAD + entry + "sweep: [{grid: {t: [0, 1]}}]\n")
    assert (told.code, told.span.line) == ("S407", 4)
    assert "theta = 1" in told.message


REPEATED = 'circuits: [{generator: ghz, repeat: "${r}", args: {num_qubits: "${n}"}}]\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("repeat: 100000\n" + GHZ + "sweep: [{grid: {n: {range: [2, 13]}}}]\n", 4),
        (REPEATED + "sweep: [{grid: {n: {range: [2, 13]}, r: [1, 100000]}}]\n", 4),
        ('shots: "${s}"\n' + GHZ + "sweep: [{grid: {n: {range: [2, 4002]}, s: {range: [1, 200]}}},"
         " {grid: {n: {range: [4002, 8002]}, s: {range: [1, 200]}}}]\n", 6),
    ],
)  # fmt: skip
def test_circuits_times_points_times_repeats_are_bounded(
    tmp_path: Path, text: str, line: int
) -> None:
    _, (told,) = found(tmp_path, HEAD + text)
    assert (told.code, told.span.line) == ("S307", line)


@pytest.mark.parametrize(
    "text",
    [
        "repeat: 100000\n" + GHZ + "sweep: [{grid: {n: {range: [2, 12]}}}]\n",
        REPEATED + "sweep: [{zip: [{n: {range: [2, 13]}, r: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10,"
        " 100000]}]}]\n",
    ],
)
def test_as_many_records_as_are_allowed(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, HEAD + text)[1] == []


@pytest.mark.parametrize(
    ("file", "code", "line"),
    [("broken.qasm", "S402", 7), ("if_else.qasm", "S404", 7), ("samples.qasm", "S404", 6)],
)
def test_a_circuit_files_mistakes_stand_at_its_own_lines(
    tmp_path: Path, file: str, code: str, line: int
) -> None:
    _, diagnostics = found(tmp_path, HEAD + f"circuits: [{{qasm: {file}}}]\n")
    assert [(Path(d.file).name, d.code, d.span.line) for d in diagnostics] == [(file, code, line)]


def test_all_mistakes_come_in_one_run(tmp_path: Path) -> None:
    text = (
        HEAD + "shotz: 5\nshots: 1k\ncircuits:\n- {generator: gzh}\n- {qasm: gone.qasm}\n"
        "- {generator: bell, layout: [QB1, QB99]}\nsweep: [{grid: {m: [1]}}]\n"
    )
    _, diagnostics = found(tmp_path, text)
    assert {item.code for item in diagnostics} == {"S201", "S203", "S405", "S401", "S503", "S301"}
    assert diagnostics == sorted(diagnostics)


def test_a_flood_of_the_same_mistake_is_counted(tmp_path: Path) -> None:
    _, diagnostics = found(tmp_path, sweep("{grid: {n: {range: [21, 121]}}}"))
    assert len(diagnostics) == 4
    assert any("at 97 more points" in item.message for item in diagnostics)


def test_a_moved_circuit_file_is_the_same_question(tmp_path: Path) -> None:
    from iqm_spec.plan.keys import plan_key

    first, _ = found(tmp_path, HEAD + "circuits: [{qasm: bell.qasm}]\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "bell.qasm").write_text(MEASURED)
    second, _ = found(tmp_path, HEAD + "circuits: [{qasm: sub/bell.qasm}]\n")
    third, _ = found(tmp_path, HEAD + "circuits: [{qasm: sub/bell.qasm, shots: 2}]\n")
    assert first is not None
    assert second is not None
    assert third is not None
    assert plan_key(first) == plan_key(second) != plan_key(third)
    assert first.digest == second.digest


def test_a_reference_circuit_is_measured_again_after_every_so_many_others(tmp_path: Path) -> None:
    entries = (
        'circuits: [{generator: ghz, args: {num_qubits: "${n}"}},'
        " {name: ref, generator: bell, every: 3}]\n"
    )
    checked, diagnostics = found(
        tmp_path, HEAD + entries + "sweep: [{grid: {n: {range: [2, 9]}}}]\n"
    )
    assert checked is not None, diagnostics
    repeats = [point.repeat for point in all_points(checked.spec) if point.name == "ref"]
    assert repeats == [0, 1, 2]
    twice = entries.replace("every: 3", "every: 3, repeat: 2")
    _, (told,) = found(tmp_path, HEAD + twice + "sweep: [{grid: {n: [2]}}]\n")
    assert told.code == "S206"

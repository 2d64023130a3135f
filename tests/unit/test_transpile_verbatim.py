"""Circuits sent as they are written, on the qubits that they name."""

from __future__ import annotations

import re
from math import pi
from pathlib import Path

import pytest
from exact import distance, distribution
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit

from iqm_spec.circuits import build_circuit, inspect_qasm
from iqm_spec.diagnostics import Diagnostic
from iqm_spec.errors import Refused
from iqm_spec.model import Op, SourceKind
from iqm_spec.spec.examine import examine
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
VERBATIM = {"verbatim": True}


def build(text: str) -> QuantumCircuit:
    data = (HEAD + text).encode()
    facts, problems = inspect_qasm(data)
    assert problems == ()
    assert facts is not None
    return build_circuit(SourceKind.QASM, "file.qasm", data, {})


def ops(text: str, target: str = "garnet") -> tuple[tuple[Op, ...], tuple[str, ...]]:
    native = transpile(build(text), architecture(target), VERBATIM)
    assert violations(native, architecture(target)) == []
    return native.ops, native.components


def test_nothing_shrinks_and_everything_keeps_its_order() -> None:
    told, components = ops(
        "bit[2] c; x $0; x $0; rx(0) $1; cz $0, $1; cz $0, $1; barrier $0, $1, $2;"
        "sx $1; ry(4.0) $1; delay[20ns] $0; c[1] = measure $1; c[0] = measure $0; y $1;"
    )
    assert components == ("QB1", "QB2", "QB3")
    assert told == (
        Op("r", (0,), (pi, 0.0)),
        Op("r", (0,), (pi, 0.0)),
        Op("r", (1,), (0.0, 0.0)),
        Op("cz", (0, 1)),
        Op("cz", (0, 1)),
        Op("barrier", (0, 1, 2)),
        Op("r", (1,), (pi / 2, 0.0)),
        Op("r", (1,), (4.0, pi / 2)),
        Op("delay", (0,), (2e-8,)),
        Op("measure", (1,), (), (1,)),
        Op("measure", (0,), (), (0,)),
        Op("r", (1,), (pi, pi / 2)),
    )


@pytest.mark.parametrize(
    "body",
    [
        "U(t, p - pi / 2, pi / 2 - p) a;",
        "rz(-p) a; rx(t) a; rz(p) a;",
        "rz(-p) a; h a; rz(t) a; h a; rz(p) a;",
    ],
)
@pytest.mark.parametrize("name", ["prx", "r"])
def test_a_gate_of_ones_own_that_is_the_native_one(name: str, body: str) -> None:
    text = f"gate {name}(t, p) a {{ {body} }}\nbit c; {name}(0.3, 7.1) $2; c = measure $2;"
    (turn, _), components = ops(text)
    assert components == ("QB3",)
    assert turn.name == "r"
    assert turn.params == pytest.approx((0.3, 7.1))


def test_a_gate_that_only_has_its_name_is_what_its_body_says() -> None:
    with pytest.raises(Refused, match="`h` is no native gate"):
        ops("gate prx(t, p) a { h a; }\nbit c; prx(0.3, 0.1) $0; c = measure $0;")


def test_moves_are_swaps_with_the_resonator() -> None:
    told, components = ops(
        "bit[2] c; swap $0, $6; cz $1, $6; swap $0, $6; c[0] = measure $0; c[1] = measure $1;",
        "deneb",
    )
    assert components == ("QB1", "QB2", "CR1")
    assert [op.name for op in told[:3]] == ["move", "cz", "move"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bit c; rz(0.1) $0; c = measure $0;", "instruction 1, on QB1: `rz` is no native gate"),
        ("bit c; x $0; h $0; c = measure $0;", "instruction 2, on QB1: `h` is no native gate"),
        ("bit c; cz $0, $19; c = measure $0;", "garnet has none on QB1, QB20"),
        ("bit c; x $99; c = measure $99;", r"names \$99, garnet has \$0 to \$19"),
        ("qubit q; bit c; x q; c = measure q;", "nothing says on which qubits"),
        ("bit c; swap $0, $1; c = measure $0;", "`swap` is no native gate"),
    ],
)
def test_what_cannot_be_sent_is_refused(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        ops(text)


def test_physical_qubits_are_those_of_the_machine_where_it_is_transpiled_too() -> None:
    circuit = build("bit[2] c; h $3; cx $3, $8; c[0] = measure $3; c[1] = measure $8;")
    for level in range(4):
        native = transpile(circuit, architecture("garnet"), {"optimization_level": level})
        assert native.components == ("QB4", "QB9")
        assert distance(distribution(to_qiskit(native)), {"00": 0.5, "11": 0.5}) < 1e-9
    with pytest.raises(Refused, match="has a layout, too"):
        transpile(circuit, architecture("garnet"), {}, ("QB1", "QB2"))


wire = st.integers(0, 2)
angle = st.floats(-7, 7).map(lambda value: round(value, 6))
lines = st.lists(
    st.one_of(
        st.builds("rx({}) {};".format, angle, wire),
        st.builds("ry({}) {};".format, angle, wire),
        st.builds("x {};".format, wire),
        st.builds("cz 0, {};".format, st.sampled_from([1])),
        st.just("barrier 0, 1;"),
    ),
    max_size=12,
)


@pytest.mark.slow
@given(lines)
@settings(max_examples=60)
def test_what_is_sent_does_what_is_written(program: list[str]) -> None:
    text = "\n".join(program)
    for i in range(3):
        text = text.replace(f" {i},", f" ${i},").replace(f" {i};", f" ${i};")
    text = "bit[3] c;\n" + text + "\n" + "".join(f"c[{i}] = measure ${i};\n" for i in range(3))
    told, _ = ops(text)
    assert len(told) == len(program) + 3
    native = transpile(build(text), architecture("garnet"), VERBATIM)
    logical = build(text)
    assert distance(distribution(logical), distribution(to_qiskit(native))) < 1e-9


@pytest.mark.parametrize(
    ("entry", "code", "place", "message"),
    [
        ("{qasm: free.qasm, transpile: {verbatim: true}}", "S504", (5, 34), "on which qubits"),
        ("{qasm: own.qasm, layout: [QB1]}", "S504", (5, 30), "names the machine's own qubits"),
        (
            "{qasm: own.qasm, transpile: {verbatim: true, seed: 3}}",
            "S206",
            (5, 50),
            "`seed` does nothing beside `verbatim: true`",
        ),
    ],
)
def test_mistakes_are_told_where_they_stand(
    tmp_path: Path, entry: str, code: str, place: tuple[int, int], message: str
) -> None:
    (told,) = diagnosed(tmp_path, entry)
    assert told.code == code
    assert (told.span.line, told.span.column) == place
    assert message in told.message


def test_verbatim_may_be_an_axis(tmp_path: Path) -> None:
    entry = '{qasm: own.qasm, transpile: {verbatim: "${v}"}}\nsweep: [{grid: {v: [true, false]}}]'
    assert diagnosed(tmp_path, entry) == []


def diagnosed(folder: Path, entry: str) -> list[Diagnostic]:
    (folder / "own.qasm").write_text(HEAD + "bit c; x $0; c = measure $0;")
    (folder / "free.qasm").write_text(HEAD + "qubit q; bit c; x q; c = measure q;")
    spec = folder / "x.yaml"
    spec.write_text(f"iqm_spec: 1\nname: x\ntarget: garnet\ncircuits:\n  - {entry}\n")
    return examine(spec)[1]


def test_a_gate_under_one_bit_is_native() -> None:
    told, components = ops(
        "bit[2] c; c[0] = measure $4; c[1] = measure $5;"
        "if (c[0] == 1) { x $5; ry(0.5) $4; U(1.0, -pi/2, pi/2) $5; } c[1] = measure $5;",
        "emerald",
    )
    assert components == ("QB5", "QB6")
    assert told == (
        Op("measure", (0,), (), (0,)),
        Op("measure", (1,), (), (1,)),
        Op("cc_r", (1,), (pi, 0.0), (0,)),
        Op("cc_r", (0,), (0.5, pi / 2), (0,)),
        Op("cc_r", (1,), (1.0, 0.0), (0,)),
        Op("measure", (1,), (), (1,)),
    )


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("if (!c[0]) x $0;", "emerald", "only a condition that one measured bit is 1"),
        ("if (c == 3) x $0;", "emerald", "only a condition that one measured bit is 1"),
        ("if (c[0]) h $0;", "emerald", "`h` is no native gate under a condition"),
        ("if (c[0]) cz $0, $1;", "emerald", "gate on several qubits under a condition"),
        ("if (c[0]) x $0;", "garnet", "garnet has none on QB1"),
    ],
)
def test_other_conditions_are_not_sent_verbatim(text: str, target: str, message: str) -> None:
    circuit = build(f"bit[2] c; c[0] = measure $0; c[1] = measure $1; {text} c[0] = measure $0;")
    with pytest.raises(Refused, match=re.escape(message)):
        transpile(circuit, architecture(target), VERBATIM)

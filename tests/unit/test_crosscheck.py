"""Native circuits beside independent readings: files that fool a reader of names, and mutants."""

from __future__ import annotations

from random import Random

import pytest
from attrs import evolve

from iqm_spec.circuits.qasm import circuit_of_qasm
from iqm_spec.crosscheck import (
    Agrees,
    Differs,
    NotChecked,
    NotReadable,
    crosscheck,
    readings_of_circuit,
    readings_of_file,
)
from iqm_spec.crosscheck.readings import program_of_native
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.spec.check_machines import built_in_architecture
from iqm_spec.transpile import transpile
from tests.branching import distance, outcomes_of
from tests.random_qasm import random_program

HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'

FILES = {
    "own cu without angles": (
        HEAD_2 + "gate cu c,t { cx c,t; } qreg q[2]; creg c[2]; x q[0]; cu q[0],q[1];measure q->c;",
        {0b11: 1},
    ),
    "own rzz with twice the angle": (
        HEAD_2 + "gate rzz(theta) a,b { cx a,b; rz(2*theta) b; cx a,b; } qreg q[2]; creg c[2];"
        "h q; rzz(pi/4) q[0],q[1]; h q; measure q->c;",
        {0b00: 0.5, 0b11: 0.5},
    ),
    "a body means the library where the name comes later": (
        HEAD_2 + "gate mine a { h a; } gate h a { x a; } qreg q[1]; creg c[1]; mine q[0]; h q[0];"
        "measure q->c;",
        {0: 0.5, 1: 0.5},
    ),
    "a comparison of a register": (
        HEAD_2 + "qreg q[3]; creg c[2]; creg d[1]; x q[1]; measure q[0]->c[0]; measure q[1]->c[1];"
        "if(c==2) x q[2]; measure q[2]->d[0];",
        {0b110: 1},
    ),
    "arithmetic": (
        HEAD_2 + "qreg q[1]; creg c[1]; rx(-2^2*pi/4+sin(0)+3*pi/6*4-1e0+1.) q[0]; measure q->c;",
        {1: 1},
    ),
    "broadcast": (
        HEAD_2 + "qreg a[1]; qreg b[2]; creg c[2]; x a; cx a[0],b; measure b->c;",
        {0b11: 1},
    ),
    "own gate that does not use its first angle": (
        HEAD_3 + "gate g(theta, phi) a { rx(phi) a; } qubit q; bit c; g(0.1, pi) q; c = measure q;",
        {1: 1},
    ),
    "own permutation": (
        HEAD_3 + "gate permutation a,b { swap a,b; } qubit[2] q; bit[2] c; x q[0];"
        "permutation q[0],q[1]; c = measure q;",
        {0b10: 1},
    ),
    "own unitary": (
        HEAD_3 + "gate unitary a { h a; s a; s a; h a; } qubit[1] q; bit[1] c; unitary q[0];"
        "c = measure q;",
        {1: 1},
    ),
    "own x without the library": (
        "OPENQASM 3.0; gate x a { U(pi/2,0,0) a; } qubit q; bit c; x q; c = measure q;",
        {0: 0.5, 1: 0.5},
    ),
    "loops, slices, aliases, negative indices": (
        HEAD_3 + "const int n = 2; qubit[4] q; bit[4] c; let back = q[-2:-1];"
        "for int i in [0:n-1] { x q[i]; } for uint j in {0, 1} { x back[j]; } x q[{0, 3}];"
        "c = measure q;",
        {0b0110: 1},
    ),
    "modifiers": (
        HEAD_3 + "qubit[3] q; bit[3] c; gate turn(a) t { pow(2) @ rx(a/2) t; } x q[0];"
        "ctrl @ negctrl @ turn(pi) q[0], q[1], q[2]; inv @ turn(pi) q[1]; c = measure q;",
        {0b111: 1},
    ),
    "a phase that a control shows": (
        HEAD_3 + "qubit[1] q; bit[1] c; gate minus t { gphase(pi); } h q[0];"
        "ctrl @ gphase(pi) q[0]; h q[0]; c = measure q;",
        {1: 1},
    ),
    "conditions": (
        HEAD_3 + "qubit[2] q; bit a; bit[2] c; x q[0]; a = measure q[0];"
        "if (a == 1 && !(c == 3)) { x q[1]; } else { h q[1]; } c = measure q;",
        {0b111: 1},
    ),
    "a subroutine": (
        HEAD_3 + "def flip(qubit[2] r, float angle_) { rx(angle_) r[0]; cx r[0], r[1]; }"
        "qubit[2] q; bit[2] c; flip(q, pi); c = measure q;",
        {0b11: 1},
    ),
    "a bit written twice": (
        HEAD_3 + "qubit[2] q; bit[1] c; x q[0]; c[0] = measure q[0]; c[0] = measure q[1];",
        {0: 1},
    ),
    "reset": (
        HEAD_3 + "qubit q; bit[2] c; h q; c[0] = measure q; reset q; x q; c[1] = measure q;",
        {0b10: 0.5, 0b11: 0.5},
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_text_says(name: str) -> None:
    text, expected = FILES[name]
    (reading,) = readings_of_file(text.encode())
    assert distance(outcomes_of(reading), dict(expected)) < 1e-9


def test_bits_outside_of_registers_stand_where_they_are_declared() -> None:
    text = (
        HEAD_3 + "bit a; bit[2] c; bit b; qubit[4] q; x q[3]; b = measure q[3]; a = measure q[0];"
    )
    (reading,) = readings_of_file(text.encode())
    native = transpile(circuit_of_qasm(text.encode()), _machine("garnet"))
    assert reading.registers == native.registers == (("bit0", 1), ("c", 2), ("bit3", 1))
    assert outcomes_of(reading) == {0b1000: 1}
    assert isinstance(crosscheck([reading], native), Agrees)


UNREADABLE = {
    "while": "bit c; qubit q; while (c == 0) { x q; c = measure q; }",
    "output": "output bit c; qubit q; c = measure q;",
    "power by nothing": "bit c; qubit q; pow(1/0) @ x q; c = measure q;",
    "input": "input float a; bit c; qubit q; rx(a) q; c = measure q;",
    "stdgates": 'include "mine.inc"; bit c; qubit q; c = measure q;',
    "division": "bit c; qubit q; rx(1/0) q; c = measure q;",
    "many": "bit c; qubit q; for int i in [0:99999999] { x q; } c = measure q;",
    "calls": "gate g0 a {} "
    + "".join(f"gate g{i} a {{ g{i - 1} a; g{i - 1} a; }} " for i in range(1, 60))
    + "bit c; qubit q; g59 q; c = measure q;",
    "concatenations": "qubit[2] q0; bit c; "
    + "".join(f"let q{i} = q{i - 1} ++ q{i - 1}; " for i in range(1, 40))
    + "c = measure q0[0];",
    "controls": "qubit[7] q; bit c; gate g a { for int i in [0:9999] { x a; } }"
    "ctrl(6) @ g q[0], q[1], q[2], q[3], q[4], q[5], q[6]; c = measure q[0];",
    "nesting": "bit c; qubit q; rx(" + "(" * 3000 + "1" + ")" * 3000 + ") q; c = measure q;",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_not_interpreted_is_told(name: str) -> None:
    with pytest.raises(NotReadable) as told:
        readings_of_file((HEAD_3 + UNREADABLE[name]).encode())
    assert told.value.reason


def test_inputs_take_their_values() -> None:
    text = HEAD_3 + "input float[64] a; bit c; qubit q; rx(2*a) q; c = measure q;"
    (reading,) = readings_of_file(text.encode(), {"a": 1.5707963267948966})
    assert outcomes_of(reading)[1] == pytest.approx(1)


def test_a_controlled_u_has_two_readings_and_either_will_do() -> None:
    text = HEAD_3 + "bit[2] c; qubit[2] q; h q[0]; ctrl @ U(pi/3, 0, 0) q[0], q[1]; h q[0]; "
    data = (text + "c = measure q;").encode()
    readings = readings_of_file(data)
    assert len(readings) == 2
    assert distance(*map(outcomes_of, readings)) > 0.01
    native = transpile(circuit_of_qasm(data), _machine("garnet"))
    assert isinstance(crosscheck(readings, native), Agrees)


@pytest.mark.parametrize("machine", ["garnet", "deneb"])
def test_wide_clifford_circuits_are_checked_by_stabilizers(machine: str) -> None:
    from qiskit import QuantumCircuit

    width = 20 if machine == "garnet" else 6
    circuit = QuantumCircuit(width, width)
    circuit.h(0)
    for qubit in range(width - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(width), range(width))
    native = transpile(circuit, _machine(machine))
    readings = readings_of_circuit(circuit)
    expected = "stabilizers" if width > 18 else "state vector"
    assert crosscheck(readings, native) == Agrees(expected)
    last = max(i for i, op in enumerate(native.ops) if op.name == "r")
    verdict = crosscheck(readings, evolve(native, ops=native.ops[:last] + native.ops[last + 1 :]))
    assert isinstance(verdict, Differs if width <= 18 else Differs | NotChecked)


def test_a_rotation_that_depends_on_a_bit() -> None:
    from math import pi

    ops = (
        Op("r", (0,), (pi / 2, 0.0)),
        Op("measure", (0,), (), (0,)),
        Op("cc_r", (1,), (pi, 0.0), (0,)),
        Op("measure", (1,), (), (1,)),
    )
    native = NativeCircuit(("QB1", "QB2"), (("c", 2),), ops)
    text = HEAD_3 + "qubit[2] q; bit[2] c; h q[0]; c[0] = measure q[0]; if (c[0]) { x q[1]; } "
    readings = readings_of_file((text + "c[1] = measure q[1];").encode())
    assert isinstance(crosscheck(readings, native), Agrees)
    wrong = evolve(native, ops=(*ops[:2], evolve(ops[2], params=(pi / 2, 0.0)), ops[3]))
    verdict = crosscheck(readings, wrong)
    assert isinstance(verdict, Differs)
    assert verdict.distance == pytest.approx(0.25)
    assert "outcome 11 has probability 0.5 by the source, 0.25 by" in verdict.what


def _machine(alias: str):  # type: ignore[no-untyped-def]
    machine = built_in_architecture(alias)
    assert machine is not None
    return machine


# --- mutants --------------------------------------------------------------------------------------


def _mutant(native: NativeCircuit, random: Random) -> NativeCircuit:
    """`native` with one thing wrong."""
    ops = list(native.ops)
    turns = [i for i, op in enumerate(ops) if op.name == "r"]
    measures = [i for i, op in enumerate(ops) if op.name == "measure"]
    gates = [i for i, op in enumerate(ops) if op.name in ("r", "cz")]
    match random.randrange(5):
        case 0:
            del ops[random.choice(gates)]
        case 1:
            place = random.choice(gates)
            here = ops[place].qubits
            others = [q for q in range(len(native.components)) if q not in here]
            moved = random.choice(others or [*here])
            ops[place] = evolve(ops[place], qubits=(moved, *here[1:]))
        case 2 | 3 as which:
            place = random.choice(turns)
            params = list(ops[place].params)
            params[which - 2] += 1e-3
            ops[place] = evolve(ops[place], params=tuple(params))
        case _:
            one, other = random.sample(measures, 2)
            first, second = ops[one].clbits, ops[other].clbits
            ops[one] = evolve(ops[one], clbits=second)
            ops[other] = evolve(ops[other], clbits=first)
    return evolve(native, ops=tuple(ops))


@pytest.mark.slow
@pytest.mark.parametrize("machine", ["garnet", "deneb"])
def test_every_mutant_that_matters_is_found(machine: str) -> None:
    """What survives gives the same outcomes by following every branch: nobody could tell."""
    random = Random(1)
    found = survived = 0
    while found + survived < 60:
        program = random_program(random, 2, 14, [f"own{i}" for i in range(9)])
        data = program.text.encode()
        native = transpile(circuit_of_qasm(data), _machine(machine))
        readings = readings_of_file(data)
        assert isinstance(crosscheck(readings, native), Agrees)
        expected = outcomes_of(readings[0])
        for _ in range(4):
            mutant = _mutant(native, random)
            verdict = crosscheck(readings, mutant)
            apart = distance(outcomes_of(program_of_native(mutant)), expected)
            assert isinstance(verdict, Differs) == (apart > 1e-6)
            if isinstance(verdict, Differs):
                # of one of the parts that share no qubit
                assert 1e-6 < verdict.distance <= apart + 1e-9
            found, survived = found + (apart > 1e-6), survived + (apart <= 1e-6)
    assert found > survived

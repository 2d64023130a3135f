"""Circuits on machines: what comes out is native and does what went in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from exact import distance, distribution
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter, Qubit
from qiskit.circuit.library import quantum_volume
from qiskit.circuit.random import random_circuit
from qiskit.synthesis import synth_qft_full

from iqm_spec.circuits import find_generator
from iqm_spec.errors import Refused
from iqm_spec.model import NativeCircuit
from iqm_spec.targets import Architecture, architecture, architecture_from_json
from iqm_spec.transpile import to_qiskit, transpile, transpile_many, violations

MACHINES = ("garnet", "deneb", "sirius", "emerald")


def ghz(size: int, *, name: str = "ghz") -> QuantumCircuit:
    circuit = QuantumCircuit(size, name=name)
    circuit.h(0)
    for i in range(1, size):
        circuit.cx(0, i)
    circuit.measure_all()
    return circuit


def qft() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    circuit.x([0, 2])
    circuit.ry(0.3, 1)
    circuit.compose(synth_qft_full(4), inplace=True)
    circuit.measure_all()
    return circuit


def volume() -> QuantumCircuit:
    circuit = quantum_volume(4, seed=3)
    circuit.measure_all()
    return circuit


def three_qubit_gates() -> QuantumCircuit:
    circuit = random_circuit(5, 5, max_operands=3, seed=11)
    circuit.measure_all()
    return circuit


def two_registers() -> QuantumCircuit:
    qubits = QuantumRegister(3, "data")
    circuit = QuantumCircuit(qubits, ClassicalRegister(2, "low"), ClassicalRegister(3, "high"))
    circuit.ry(0.4, 0)
    circuit.cx(0, 2)
    circuit.x(1)
    circuit.measure(2, 0)
    circuit.measure(1, 4)
    circuit.measure(0, 2)
    return circuit


def some_measured() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure(2, 1)
    return circuit


def mid_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 4)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.ry(0.7, 0)
    circuit.cx(0, 2)
    circuit.measure(0, 1)
    circuit.sx(1)
    circuit.measure([1, 2], [2, 3])
    return circuit


def overwritten_bit() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    return circuit


def barriers() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.barrier()
    circuit.t(0)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.barrier(0, 1)
    circuit.s(1)
    circuit.sx(1)
    circuit.cx(1, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def untouched() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.measure([0, 1, 2], [2, 1, 0])
    return circuit


def delays() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.delay(250, 0, "ns")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


CIRCUITS: list[Callable[[], QuantumCircuit]] = [
    qft,
    volume,
    three_qubit_gates,
    two_registers,
    some_measured,
    mid_circuit,
    overwritten_bit,
    barriers,
    untouched,
    delays,
]


def check(native: NativeCircuit, circuit: QuantumCircuit, machine: Architecture) -> None:
    assert violations(native, machine) == []
    assert distance(distribution(to_qiskit(native)), distribution(circuit)) < 1e-9
    assert NativeCircuit.from_json(native.to_json()) == native


@pytest.mark.parametrize("make", CIRCUITS)
@pytest.mark.parametrize("alias", MACHINES)
def test_a_native_circuit_does_what_the_circuit_did(
    alias: str, make: Callable[[], QuantumCircuit]
) -> None:
    machine, circuit = architecture(alias), make()
    for level in (0, 1, 2, 3):
        native = transpile(circuit, machine, {"optimization_level": level})
        check(native, circuit, machine)


def test_what_a_bell_pair_becomes() -> None:
    native = transpile(ghz(2), architecture("garnet"))
    assert native.counts() == {"cz": 1, "measure": 2, "r": 3}
    assert len(native.components) == 2
    star = transpile(ghz(2), architecture("deneb"))
    assert star.counts() == {"cz": 1, "measure": 2, "move": 2, "r": 3}
    assert star.components[-1] == "CR1"


def test_one_state_stays_in_the_resonator_while_all_others_meet_it() -> None:
    circuit = QuantumCircuit(6)
    for i in range(1, 6):
        circuit.cz(0, i)
    circuit.measure_all()
    assert transpile(circuit, architecture("deneb")).counts()["move"] == 2


def test_registers_keep_their_names_and_order() -> None:
    native = transpile(two_registers(), architecture("garnet"))
    assert native.registers == (("low", 2), ("high", 3))
    assert sorted(op.clbits[0] for op in native.ops if op.clbits) == [0, 2, 4]


def test_a_bit_outside_of_registers_gets_one() -> None:
    circuit = QuantumCircuit([Qubit(), Qubit()], ClassicalRegister(1, "bit1"), [Clbit(), Clbit()])
    circuit.x(0)
    circuit.measure([0, 0, 1], [0, 1, 2])
    native = transpile(circuit, architecture("garnet"))
    assert native.registers == (("bit1", 1), ("bit1_", 1), ("bit2", 1))
    assert distribution(to_qiskit(native)) == pytest.approx({"011": 1})


def test_a_measured_qubit_is_in_use_even_if_untouched() -> None:
    native = transpile(untouched(), architecture("garnet"))
    assert len(native.components) == 3
    idle = QuantumCircuit(3, 1)
    idle.barrier()
    idle.measure(1, 0)
    assert len(transpile(idle, architecture("garnet")).components) == 1
    assert transpile(QuantumCircuit(2), architecture("garnet")) == NativeCircuit((), (), ())


def test_gates_do_not_merge_across_a_barrier() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.barrier()
    circuit.sx(0)
    circuit.measure(0, 0)
    names = [op.name for op in transpile(circuit, architecture("garnet")).ops]
    assert names == ["r", "barrier", "r", "measure"]


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("alias", MACHINES)
def test_delays_stay_and_pulses_do_not_merge_across_them(alias: str, level: int) -> None:
    experiments = {
        "t1": ["r", "delay", "measure"],
        "ramsey": ["r", "delay", "r", "measure"],
        "echo": ["r", "delay", "r", "delay", "r", "measure"],
    }
    for name, instructions in experiments.items():
        for delay in (0.0, 3.3e-6):
            args = {"num_qubits": 3, "delay": delay}
            args |= {"detuning": 2e5} if name == "ramsey" else {}
            circuit = find_generator(name).build(args)
            native = transpile(circuit, architecture(alias), {"optimization_level": level})
            waits = delay / instructions.count("delay")
            assert {op.params for op in native.ops if op.name == "delay"} == {(waits,)}
            for qubit in range(3):
                own = [op.name for op in native.ops if op.qubits == (qubit,)]
                assert own == instructions


def test_an_identity_gate_is_nothing() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.id([0, 1])
    circuit.measure(0, 0)
    native = transpile(circuit, architecture("deneb"), {"optimization_level": 0})
    assert native.counts() == {"measure": 1}


def test_measurements_that_can_wait_come_last() -> None:
    native = transpile(mid_circuit(), architecture("garnet"), {"optimization_level": 0})
    names = [op.name for op in native.ops]
    assert names[-3:] == ["measure"] * 3
    assert "measure" in names[:-3]


@pytest.mark.parametrize("alias", ["garnet", "deneb"])
def test_a_layout_is_obeyed(alias: str) -> None:
    machine = architecture(alias)
    layout = ("QB4", "QB3", "QB1")
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    native = transpile(circuit, machine, {"optimization_level": 3}, layout)
    read = {op.clbits[0]: native.components[op.qubits[0]] for op in native.ops if op.clbits}
    assert read == {0: "QB4", 1: "QB3", 2: "QB1"}
    assert [native.components[op.qubits[0]] for op in native.ops if op.name == "r"] == ["QB4"]


@pytest.mark.slow
def test_methods_and_seeds_are_passed_on() -> None:
    machine, circuit = architecture("garnet"), ghz(12)
    seeds = {transpile(circuit, machine, {"seed": seed}).digest for seed in range(4)}
    assert len(seeds) > 1
    for options in (
        {"layout_method": "trivial", "routing_method": "basic"},
        {"layout_method": "dense", "routing_method": "lookahead"},
        {"layout_method": "sabre", "routing_method": "sabre"},
    ):
        check(transpile(ghz(5), machine, options), ghz(5), machine)


def test_a_result_does_not_depend_on_the_batch() -> None:
    machine = architecture("garnet")
    circuits = [ghz(7), volume(), qft(), ghz(7), three_qubit_gates()]
    options = {"optimization_level": 3, "seed": 5}
    together = transpile_many(circuits, machine, options, [None] * 5)
    apart = [transpile(circuit, machine, options) for circuit in reversed(circuits)]
    assert [native.digest for native in together] == [native.digest for native in apart[::-1]]
    assert together[0] == together[3]


def test_delays_are_in_seconds() -> None:
    native = transpile(delays(), architecture("garnet"))
    assert [op.params for op in native.ops if op.name == "delay"] == [(2.5e-07,)]


def test_a_reset_goes_through_where_the_machine_has_it() -> None:
    garnet = architecture("garnet")
    data = dict(garnet.to_json())
    resetting = architecture_from_json(
        {**data, "gates": {**garnet.gates, "reset": [(qubit,) for qubit in garnet.qubits]}}, "x"
    )
    circuit = QuantumCircuit(2, 2)
    circuit.ry(1.1, 0)
    circuit.cx(0, 1)
    circuit.reset(0)
    circuit.sx(0)
    circuit.measure([0, 1], [0, 1])
    native = transpile(circuit, resetting)
    assert native.counts()["reset"] == 1
    check(native, circuit, resetting)
    with pytest.raises(Refused, match="resets a qubit, which garnet cannot"):
        transpile(circuit, garnet)


def conditional() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name="feedback")
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    return circuit


def free() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("theta"), 0)
    return circuit


def in_samples() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.delay(100, 0, "dt")
    circuit.measure(0, 0)
    return circuit


def shared_bits() -> QuantumCircuit:
    bits = [Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit()], bits)
    circuit.add_register(ClassicalRegister(bits=bits, name="a"))
    circuit.add_register(ClassicalRegister(bits=bits[1:], name="b"))
    return circuit


REFUSED = [
    (lambda: ghz(21), "has 21 qubits, garnet 20"),
    (conditional, r"circuit feedback has control flow \(if_else\)"),
    (free, "parameters without a value: theta"),
    (in_samples, "its length in seconds is not known"),
    (shared_bits, "registers that share bits"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_done_is_refused(make: Callable[[], QuantumCircuit], message: str) -> None:
    with pytest.raises(Refused, match=message):
        transpile(make(), architecture("garnet"))


def test_an_instruction_that_no_pass_knows_is_refused() -> None:
    from qiskit.circuit import Gate

    circuit = QuantumCircuit(2, name="odd")
    circuit.append(Gate("mystery", 2, []), [0, 1])
    with pytest.raises(Refused, match=r"circuit odd cannot be brought to garnet: .*mystery"):
        transpile(circuit, architecture("garnet"))


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (("QB1", "QB99"), "QB99, which is no qubit of garnet"),
        (("QB1",), "must name 2 different qubits"),
        (("QB1", "QB1"), "must name 2 different qubits"),
    ],
)
def test_a_wrong_layout_is_refused(layout: tuple[str, ...], message: str) -> None:
    with pytest.raises(Refused, match=message):
        transpile(ghz(2), architecture("garnet"), {}, layout)
    with pytest.raises(Refused, match="CR1, which is no qubit"):
        transpile(ghz(2), architecture("deneb"), {}, ("QB1", "CR1"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1}, "unknown transpile option 'level'"),
        ({"optimization_level": 4}, "must be one of 0, 1, 2, 3: got 4"),
        ({"optimization_level": True}, "must be one of 0, 1, 2, 3: got True"),
        ({"layout_method": "best"}, "must be one of trivial, dense, sabre"),
        ({"routing_method": "none"}, "must be one of basic, lookahead, sabre"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(Refused, match=message):
        transpile(ghz(2), architecture("garnet"), options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_transpiling_never_imports_iqm_client() -> None:
    code = (
        "import sys; from qiskit import QuantumCircuit\n"
        "from iqm_spec.targets import architecture\n"
        "from iqm_spec.transpile import to_qiskit, transpile\n"
        "circuit = QuantumCircuit(2); circuit.h(0); circuit.cx(0, 1); circuit.measure_all()\n"
        "for alias in ('garnet', 'deneb'): to_qiskit(transpile(circuit, architecture(alias)))\n"
        "assert not {'iqm', 'qiskit_aer', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("order", ["bcd", "cbd", "cdb"])
def test_a_bit_outside_of_registers_stands_where_qiskit_counts_it(order: str) -> None:
    qubits, bit = QuantumRegister(4, "q"), Clbit()
    c, d = ClassicalRegister(2, "c"), ClassicalRegister(1, "d")
    circuit = QuantumCircuit(qubits)
    for name in order:
        circuit.add_bits([bit]) if name == "b" else circuit.add_register({"c": c, "d": d}[name])
    circuit.x([1, 3])
    circuit.measure(qubits, [c[0], c[1], d[0], bit])
    expected = "".join("1" if bit in (c[1], bit_of(circuit)) else "0" for bit in circuit.clbits)
    native = transpile(circuit, architecture("garnet"))
    assert distribution(to_qiskit(native)) == {expected[::-1]: pytest.approx(1)}


def bit_of(circuit: QuantumCircuit) -> Clbit:
    """The one classical bit outside of all registers."""
    return next(bit for bit in circuit.clbits if not circuit.find_bit(bit).registers)

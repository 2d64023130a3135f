"""Experiments on the memory of qubits: relaxation (T1), Ramsey fringes (T2*) and Hahn echo (T2)."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from iqm_spec.circuits.generator import Args, Generator, Parameter, num_qubits
from iqm_spec.circuits.generators.common import measure_all, new_circuit
from iqm_spec.model import CircuitFacts, Feature

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_LONGEST_DELAY = 1.0
"""Seconds: thousands of times what any qubit remembers."""


def _t1(args: Args) -> QuantumCircuit:
    circuit = new_circuit("t1", args["num_qubits"])
    _pulse(circuit, pi, 0.0)
    _wait(circuit, args["delay"])
    return measure_all(circuit)


def _ramsey(args: Args) -> QuantumCircuit:
    circuit = new_circuit("ramsey", args["num_qubits"])
    _pulse(circuit, pi / 2, 0.0)
    _wait(circuit, args["delay"])
    _pulse(circuit, pi / 2, 2 * pi * args["delay"] * args["detuning"])
    return measure_all(circuit)


def _echo(args: Args) -> QuantumCircuit:
    """E. Hahn, Phys. Rev. 80, 580 (1950); the pi pulse is about the axis of the state.

    Errors of its angle then cancel to first order (S. Meiboom and D. Gill, Rev. Sci. Instrum. 29,
    688, 1958).
    """
    circuit = new_circuit("echo", args["num_qubits"])
    _pulse(circuit, pi / 2, 0.0)
    _wait(circuit, args["delay"] / 2)
    _pulse(circuit, pi, pi / 2)
    _wait(circuit, args["delay"] / 2)
    _pulse(circuit, pi / 2, 0.0)
    return measure_all(circuit)


def _pulse(circuit: QuantumCircuit, angle: float, phase: float) -> None:
    """R(angle, phase) of every qubit; all begin together."""
    if circuit.data:
        circuit.barrier()
    for qubit in circuit.qubits:
        circuit.r(angle, phase, qubit)


def _wait(circuit: QuantumCircuit, delay: float) -> None:
    """A delay in seconds of every qubit; all begin together."""
    circuit.barrier()
    for qubit in circuit.qubits:
        circuit.delay(delay, qubit, unit="s")


def _shape(args: Args) -> CircuitFacts:
    qubits = args["num_qubits"]
    return CircuitFacts(qubits, qubits, measured=qubits, features=(Feature("delay"),))


_QUBITS = num_qubits("Number of qubits, all of them measured at once.")
_DELAY = Parameter(
    "delay", "float", "Time between the pulses, in seconds.", minimum=0, maximum=_LONGEST_DELAY
)

T1 = Generator(
    name="t1",
    version="1",
    summary="Relaxation of all qubits at once: a pi pulse, a delay, and a measurement. The "
    "probability of 1 decays with T1.",
    parameters=(_QUBITS, _DELAY),
    example={"num_qubits": 3, "delay": 2e-5},
    circuit=_t1,
    shape=_shape,
    size=lambda args: 2 * args["num_qubits"],
)

RAMSEY = Generator(
    name="ramsey",
    version="1",
    summary="Ramsey fringes of all qubits at once: R(pi/2, 0), a delay, and R(pi/2, 2 pi detuning "
    "delay). The probability of 1 begins at 1 and oscillates with the detuning; the fringes decay "
    "with T2*.",
    parameters=(
        _QUBITS,
        _DELAY,
        Parameter(
            "detuning",
            "float",
            "Frequency of the fringes, in Hz: how fast the phase of the second pulse grows with "
            "the delay. A qubit whose own frequency is off shows the sum of both.",
            free=True,
        ),
    ),
    example={"num_qubits": 3, "delay": 4e-6, "detuning": 2e5},
    circuit=_ramsey,
    shape=_shape,
    size=lambda args: 3 * args["num_qubits"],
)

ECHO = Generator(
    name="echo",
    version="1",
    summary="Hahn echo of all qubits at once: R(pi/2, 0), half the delay, R(pi, pi/2), the other "
    "half, and R(pi/2, 0). The probability of 1 decays from 1 to 1/2 with T2.",
    parameters=(_QUBITS, _DELAY),
    example={"num_qubits": 3, "delay": 1e-5},
    circuit=_echo,
    shape=_shape,
    size=lambda args: 5 * args["num_qubits"],
)

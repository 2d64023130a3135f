"""The steps of a Stim circuit as Qiskit's circuit, and what can be told of it without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iqm_spec.circuits.stim.steps import Step
from iqm_spec.model import CircuitFacts, Feature

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

REGISTER = "m"
"""The classical register: bit i is the i-th measurement of the file."""


def facts_of_steps(steps: Sequence[Step]) -> CircuitFacts:
    """Size and features; a reset with the line of the first one that cannot be left out."""
    measured = sum(step.name == "measure" for step in steps)
    resets = [step.line for step in steps if step.name == "reset"]
    return CircuitFacts(
        num_qubits=len(qubits_of(steps)),
        num_clbits=measured,
        measured=measured,
        features=(Feature("reset", resets[0]),) if resets else (),
    )


def qubits_of(steps: Sequence[Step]) -> list[int]:
    """Numbers of the qubits that something acts on, ascending."""
    return sorted({qubit for step in steps for qubit in step.qubits})


def built(steps: Sequence[Step]) -> QuantumCircuit:
    """The circuit on the qubits in use, in the order of their numbers."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    qubits = qubits_of(steps)
    place = {number: index for index, number in enumerate(qubits)}
    bits = ClassicalRegister(sum(step.name == "measure" for step in steps), REGISTER)
    circuit = QuantumCircuit(QuantumRegister(len(qubits), "q"), bits)
    for step in steps:
        if step.name == "measure":
            circuit.measure(place[step.qubits[0]], step.bit)
        elif step.name == "barrier":
            circuit.barrier()
        else:
            getattr(circuit, step.name)(*(place[qubit] for qubit in step.qubits))
    return circuit

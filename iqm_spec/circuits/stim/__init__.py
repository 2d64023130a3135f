"""Stim circuit files: any bytes to facts or problems, and to a circuit where there are none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from iqm_spec.circuits.qasm.problem import QasmInvalid, QasmProblem
from iqm_spec.circuits.stim.build import built, facts_of_steps
from iqm_spec.circuits.stim.read import read_steps
from iqm_spec.circuits.stim.steps import Step, meaningful
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def inspect_stim(data: bytes) -> tuple[CircuitFacts | None, tuple[QasmProblem, ...]]:
    """Facts of a Stim file, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other. CircuitError (S405) where the package `stim` is missing.
    """
    try:
        steps = _load(data)
    except QasmInvalid as invalid:
        return None, invalid.problems
    facts = facts_of_steps(steps)
    if not facts.measured:
        hint = "end it with `M 0 1`, for instance"
        return None, (QasmProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    return facts, ()


def circuit_of_stim(data: bytes) -> QuantumCircuit:
    """The circuit of a Stim file; raises `QasmInvalid` where it has none.

    Its qubits are those that something acts on, in the order of their numbers; measurement i goes
    into bit i of the one register `m`.
    """
    return built(_load(data))


@lru_cache(maxsize=4)
def _load(data: bytes) -> tuple[Step, ...]:
    return meaningful(read_steps(data))

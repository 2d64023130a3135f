"""QPY files: any bytes to facts or problems, and to a circuit where there are none."""

from __future__ import annotations

import io
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from iqm_spec.circuits.angles import HINT, non_finite_angles
from iqm_spec.circuits.errors import CircuitError
from iqm_spec.circuits.facts import facts_of
from iqm_spec.circuits.files import LARGEST_FILE
from iqm_spec.circuits.qasm.problem import QasmProblem
from iqm_spec.circuits.qpy.reader import QpyInvalid
from iqm_spec.circuits.qpy.scan import scan
from iqm_spec.circuits.sealed import sealed
from iqm_spec.model import CircuitFacts

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def inspect_qpy(data: bytes) -> tuple[CircuitFacts | None, tuple[QasmProblem, ...]]:
    """Facts of a QPY file of one circuit, or None and what is wrong with it: S402, S403.

    Any bytes give one or the other, at line 1 and column 1. Nothing in the file is run, evaluated
    or unpickled, and nothing is built that is larger than the limits of OpenQASM files.
    """
    try:
        facts = facts_of(_load(data))
    except QpyInvalid as invalid:
        return None, (QasmProblem(1, 1, "S402", str(invalid), invalid.hint),)
    if facts.measured == 0:
        hint = "call circuit.measure_all() before `qpy.dump`"
        return None, (QasmProblem(1, 1, "S403", "the circuit measures nothing", hint),)
    return facts, ()


def circuit_of_qpy(data: bytes) -> QuantumCircuit:
    """A circuit of one's own from a QPY file; raises `QpyInvalid` where it has none."""
    return _load(data).copy()


@lru_cache(maxsize=8)
def _load(data: bytes) -> QuantumCircuit:
    if len(data) > LARGEST_FILE:
        raise QpyInvalid(f"it is larger than {LARGEST_FILE // 2**20} MiB")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scan(data)
        return _loaded(data)


def _loaded(data: bytes) -> QuantumCircuit:
    """The circuit of scanned `data`, in gates of Qiskit's own."""
    from qiskit import qpy

    try:
        (circuit,) = qpy.load(io.BytesIO(data))
    except Exception as error:
        text = f"qiskit cannot load it: {type(error).__name__}: {error}"
        raise QpyInvalid(text, "write it again with `qpy.dump`") from error
    loaded: QuantumCircuit = circuit
    for gate, value in non_finite_angles(loaded):
        raise QpyInvalid(f"an angle of `{gate}` is {value}", HINT)
    if sum(map(len, loaded.cregs)) > len({bit for register in loaded.cregs for bit in register}):
        text = "its classical registers share bits"
        raise QpyInvalid(text, "give each register bits of its own")
    try:
        return sealed(loaded)
    except CircuitError as error:
        raise QpyInvalid(str(error), error.hint) from error

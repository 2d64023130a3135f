"""Circuits: generators and circuit files to facts, identities and `QuantumCircuit`."""

from iqm_spec.circuits.angles import not_finite
from iqm_spec.circuits.arguments import REQUIRED, ArgumentProblem, Parameter
from iqm_spec.circuits.bind import number
from iqm_spec.circuits.build import angles_of, build_circuit, raw_circuit
from iqm_spec.circuits.errors import CircuitError, CircuitFileError, UnknownGenerator
from iqm_spec.circuits.facts import is_physical
from iqm_spec.circuits.files import LARGEST_FILE, read_circuit_file
from iqm_spec.circuits.free import Parts, free_circuit, parts_of
from iqm_spec.circuits.generator import Generator
from iqm_spec.circuits.identity import READING, identity, is_read
from iqm_spec.circuits.qasm import QasmProblem, inspect_qasm, scan_inputs
from iqm_spec.circuits.qpy import inspect_qpy
from iqm_spec.circuits.registry import find, known
from iqm_spec.circuits.stim import inspect_stim

__all__ = [
    "LARGEST_FILE",
    "READING",
    "REQUIRED",
    "ArgumentProblem",
    "CircuitError",
    "CircuitFileError",
    "Generator",
    "Parameter",
    "Parts",
    "QasmProblem",
    "UnknownGenerator",
    "angles_of",
    "build_circuit",
    "find",
    "free_circuit",
    "identity",
    "inspect_qasm",
    "inspect_qpy",
    "inspect_stim",
    "is_physical",
    "is_read",
    "known",
    "not_finite",
    "number",
    "parts_of",
    "raw_circuit",
    "read_circuit_file",
    "scan_inputs",
]

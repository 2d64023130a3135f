"""Circuits as a user describes them: generators and circuit files.

A source (generator with arguments, OpenQASM, QPY or Stim file) becomes facts for checks, an
identity for cache keys, and a `QuantumCircuit` in standard gates. Nothing here knows a target.

Imports: canonical, diagnostics, errors, json_types, model, source.
"""

from iqm_spec.circuits.angles import first_non_finite, parameter_value
from iqm_spec.circuits.build import (
    FamilyPoint,
    build_circuit,
    computed_angles_of_file,
    family_point,
    parametric_circuit,
    raw_circuit,
)
from iqm_spec.circuits.circuit_files import LARGEST_FILE, read_circuit_file
from iqm_spec.circuits.facts import is_physical
from iqm_spec.circuits.generator import REQUIRED, ArgumentProblem, Generator, Parameter
from iqm_spec.circuits.identity import READING_VERSION, depends_on_reading, identity
from iqm_spec.circuits.lookup import find_generator, known_generators
from iqm_spec.circuits.problems import (
    CircuitError,
    CircuitFileError,
    CircuitFileProblem,
    UnknownGenerator,
)
from iqm_spec.circuits.qasm import inspect_qasm, scan_inputs
from iqm_spec.circuits.qpy import inspect_qpy
from iqm_spec.circuits.stim import inspect_stim

__all__ = [
    "LARGEST_FILE",
    "READING_VERSION",
    "REQUIRED",
    "ArgumentProblem",
    "CircuitError",
    "CircuitFileError",
    "CircuitFileProblem",
    "FamilyPoint",
    "Generator",
    "Parameter",
    "UnknownGenerator",
    "build_circuit",
    "computed_angles_of_file",
    "depends_on_reading",
    "family_point",
    "find_generator",
    "first_non_finite",
    "identity",
    "inspect_qasm",
    "inspect_qpy",
    "inspect_stim",
    "is_physical",
    "known_generators",
    "parameter_value",
    "parametric_circuit",
    "raw_circuit",
    "read_circuit_file",
    "scan_inputs",
]

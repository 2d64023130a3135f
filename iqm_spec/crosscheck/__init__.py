"""Checks transpiled circuits against an independent reading of their source.

The readers here share no code with `circuits` but the tokenizer: OpenQASM text, Qiskit circuits and
native circuits become plain programs, whose exact distributions of outcomes are compared.

Imports: circuits, json_types, model.
"""

from iqm_spec.crosscheck.agreement import (
    APPROXIMATE,
    TOLERANCE,
    Agrees,
    Differs,
    NotChecked,
    Verdict,
    crosscheck,
)
from iqm_spec.crosscheck.program import NotReadable, Program
from iqm_spec.crosscheck.readings import readings_of_circuit, readings_of_file

__all__ = [
    "APPROXIMATE",
    "TOLERANCE",
    "Agrees",
    "Differs",
    "NotChecked",
    "NotReadable",
    "Program",
    "Verdict",
    "crosscheck",
    "readings_of_circuit",
    "readings_of_file",
]

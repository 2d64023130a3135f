"""Transpiled circuits held against an independent reading of what they were made from."""

from iqm_spec.crosscheck.check import (
    APPROXIMATE,
    TOLERANCE,
    Agrees,
    Differs,
    NotChecked,
    Verdict,
    crosscheck,
)
from iqm_spec.crosscheck.program import NotReadable, Program
from iqm_spec.crosscheck.source import readings_of_circuit, readings_of_file

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

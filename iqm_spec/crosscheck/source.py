"""Readings of what a circuit was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iqm_spec.circuits.qasm.tokens import tokenize
from iqm_spec.crosscheck.of_circuit import program_of_circuit
from iqm_spec.crosscheck.program import NotReadable, Program
from iqm_spec.crosscheck.qasm2 import read_qasm2
from iqm_spec.crosscheck.qasm3 import read_qasm3
from iqm_spec.json_types import Json

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

LONGEST_TEXT = 200_000
"""Characters of a file; reading more takes too long beside what is checked."""


def readings_of_file(data: bytes, parameters: Mapping[str, Json] | None = None) -> list[Program]:
    """Programs of an OpenQASM file with values for its inputs. Raises `NotReadable`.

    More than one where the versions of OpenQASM 3 leave a controlled gate's phase open.
    """
    if len(data) > LONGEST_TEXT:
        raise NotReadable(f"a file of more than {LONGEST_TEXT // 1000} kB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable("a file that is not UTF-8 text") from None
    tokens = tokenize(text)
    if len(tokens) > 1 and tokens[0].text == "OPENQASM" and not tokens[1].text.startswith("3"):
        return [read_qasm2(text)]
    given = {
        name: value
        for name, value in (parameters or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return read_qasm3(text, given)


def readings_of_circuit(circuit: QuantumCircuit) -> list[Program]:
    """The program of a Qiskit circuit. Raises `NotReadable`."""
    return [program_of_circuit(circuit)]

"""What tells circuits apart, without qiskit: it must never move by accident."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from iqm_spec.canonical import digest, sha256
from iqm_spec.circuits import CircuitError, find_generator, identity
from iqm_spec.circuits.generators import BUILT_IN
from iqm_spec.model import SourceKind

GHZ = SourceKind.GENERATOR


def test_identity_of_a_generator_is_name_version_and_full_arguments() -> None:
    assert identity(GHZ, "ghz", None, {"num_qubits": 3}) == {
        "generator": "ghz",
        "version": "1",
        "args": {"num_qubits": 3, "shape": "line"},
        "parameters": {},
    }


def test_identity_of_a_file_is_its_digest() -> None:
    one = identity(SourceKind.QASM, "a.qasm", b"OPENQASM 3;", {}, {"theta": 1})
    assert one == {"qasm": sha256(b"OPENQASM 3;"), "parameters": {"theta": 1.0}}
    moved = identity(SourceKind.QASM, "b/c.qasm", b"OPENQASM 3;", {}, {"theta": 1.0})
    assert digest(moved) == digest(one)
    other = identity(SourceKind.QPY, "a.qpy", b"OPENQASM 3;", {}, {"theta": 1})
    assert digest(other) != digest(one)


@pytest.mark.parametrize("name", BUILT_IN)
def test_writing_a_default_out_moves_nothing(name: str) -> None:
    generator = find_generator(name)
    short = digest(identity(GHZ, name, None, generator.example))
    whole = dict(generator.complete(generator.example))
    assert digest(identity(GHZ, name, None, whole)) == short
    shuffled = dict(reversed(whole.items()))
    assert digest(identity(GHZ, name, None, shuffled)) == short
    floats = {k: float(v) if type(v) is int else v for k, v in whole.items()}
    assert digest(identity(GHZ, name, None, floats)) == short


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ghz", {"num_qubits": 4}),
        ("ghz", {"num_qubits": 3, "shape": "star"}),
        ("w_state", {"num_qubits": 3}),
    ],
)
def test_another_circuit_is_another_identity(name: str, args: dict[str, Any]) -> None:
    mine = digest(identity(GHZ, "ghz", None, {"num_qubits": 3}))
    assert digest(identity(GHZ, name, None, args)) != mine


def test_parameters_must_be_numbers() -> None:
    with pytest.raises(CircuitError, match="must be a number"):
        identity(SourceKind.QASM, "a.qasm", b"", {}, {"theta": "1"})


def test_identities_take_no_library() -> None:
    code = (
        "import sys\n"
        "from iqm_spec.circuits import find_generator, identity\n"
        "from iqm_spec.circuits.generators import BUILT_IN\n"
        "from iqm_spec.model import SourceKind\n"
        "for name, generator in BUILT_IN.items():\n"
        "    identity(SourceKind.GENERATOR, name, None, generator.example)\n"
        "    generator.facts(generator.example)\n"
        "identity(SourceKind.QPY, 'x', b'', {})\n"
        "identity(SourceKind.GENERATOR, 'mqt:ghz', None, {'num_qubits': 3})\n"
        "assert not {'qiskit', 'numpy', 'mqt', 'iqm'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

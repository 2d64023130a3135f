"""Circuits exported by cirq, pytket, PennyLane and qrisp, read and transpiled here.

`make exports-check` makes .venv-exports, where those frameworks are, lets `tools/make_exports.py`
write random circuits with the distributions that they compute, and compares what comes out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from iqm_spec.circuits import build_circuit, inspect_qasm
from iqm_spec.model import NativeCircuit, SourceKind
from iqm_spec.targets import architecture
from iqm_spec.transpile import to_qiskit, transpile, violations

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-exports" / "bin" / "python"
TOLERANCE = 1e-5
"""Of the total variation distance: cirq computes with single precision."""


def checked(path: Path, target: str) -> str:
    """What is wrong with a file; nothing where its distribution comes out."""
    data = path.read_bytes()
    _, problems = inspect_qasm(data)
    if problems:
        return f"{problems[0].line}:{problems[0].column}: {problems[0].message}"
    machine = architecture(target)
    circuit = build_circuit(SourceKind.QASM, path.name, data, {})
    native = transpile(circuit, machine)
    if wrong := violations(native, machine):
        return wrong[0]
    expected = json.loads(path.with_suffix(".json").read_text())
    found = distribution(native)
    outcomes = {*expected, *found}
    distance = sum(abs(expected.get(k, 0) - found.get(k, 0)) for k in outcomes) / 2
    return f"distance {distance:.3g}" if distance > TOLERANCE else ""


def distribution(native: NativeCircuit) -> dict[str, float]:
    """Probabilities of a circuit that measures each qubit once, at its end."""
    from qiskit.quantum_info import Statevector

    circuit = to_qiskit(native)
    measured = sorted(
        (circuit.find_bit(item.clbits[0]).index, circuit.find_bit(item.qubits[0]).index)
        for item in circuit.data
        if item.operation.name == "measure"
    )
    state = Statevector(circuit.remove_final_measurements(inplace=False))
    return dict(state.probabilities_dict([qubit for _, qubit in measured]))


def main() -> int:
    """Check; the exit code tells whether all came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=40, help="circuits of each framework")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if not PYTHON.exists():
        print("there is no .venv-exports: `make exports-check` makes it", file=sys.stderr)
        return 2
    exact: Counter[str] = Counter()
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        make = [str(PYTHON), str(ROOT / "tools" / "make_exports.py"), folder]
        make += ["--number", str(asked.number), "--seed", str(asked.seed)]
        subprocess.run(make, check=True)
        for path in sorted(Path(folder).glob("*.qasm")):
            framework = path.stem.partition("-")[0]
            for target in ("garnet", "deneb"):
                wrong = checked(path, target)
                total[framework] += 1
                exact[framework] += not wrong
                if wrong:
                    print(f"{path.stem} on {target}: {wrong}")
    print(f"seed {asked.seed}")
    for framework, number in total.items():
        print(f"{framework}: {exact[framework]} of {number} exact")
    return int(exact != total)


if __name__ == "__main__":
    sys.exit(main())
